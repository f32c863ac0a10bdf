import ClassicBPF

/// How much of packets a program copies at once where each load would be a call of its own, and for which filters that
/// pays.
///
/// A copy costs about as much as two of the kernel's instructions for classic loads (15 ns and 8 ns on an AMD EPYC), however
/// few bytes it has. It holds what the filter reads at fixed places and, of what lies behind an index, what headers of the
/// usual lengths ask for: IPv4 without options, TCP with its time stamps.
struct PacketPrefix {
    /// The most bytes that are copied.
    static let most: UInt32 = 128

    /// Whether what lies behind an index may be read from the copy.
    let holdsIndexed: Bool

    /// The permit of the kernel's instructions for classic loads, where they can be used beside the copy, and instead of it.
    let permit: EndingPermit?

    /// Leaves the loads of `graph` that a copy is not expected to hold to the kernel's own instructions, where there are.
    ///
    /// - Precondition: The bytes of every load are still required by a requirement of its own.
    /// - Returns: As ``ClassicLoads/run(on:where:)``.
    func leaveOthers(of graph: inout Graph) -> Bool {
        guard let permit else { return false }
        let before = graph
        return ClassicLoads.run(on: &graph, permit) { size, address in
            usualEnd(of: address.offset, size, behind: address.index, in: before) == nil
        }
    }

    /// How many bytes to copy for `graph`, or nil where that does not pay.
    ///
    /// - Precondition: Bounds have been put together.
    /// - Complexity: O(*n*) in the number of instructions and edges.
    func count(for graph: Graph) -> UInt32? {
        var ends: [UInt32] = []
        for block in graph.blocks {
            for value in block.instructions {
                guard case .requireEnd(let window, let end)? = graph.instruction(value) else { continue }
                if !holdsIndexed && window.index != nil { return nil }
                if let end = usualEnd(of: end, nil, behind: window.index, in: graph) { ends.append(end) }
            }
        }
        guard let count = ends.max(), pays(for: graph) else { return nil }
        return count
    }

    /// How far the packet is read there if headers are as long as usual; nil if that is not known or too far.
    private func usualEnd(
        of offset: UInt32, _ size: Operation.Size?, behind index: Value?, in graph: Graph
    ) -> UInt32? {
        var start: UInt32 = 0
        if let index {
            guard holdsIndexed, let usual = Self.usual(index, in: graph, depth: 8) else { return nil }
            start = usual
        }
        let (end, overflows) = offset.addingReportingOverflow(size?.rawValue ?? 0)
        return !overflows && end <= Self.most && start <= Self.most - end ? start + end : nil
    }

    /// What `value` is where it is computed of the lengths of headers and those are the usual ones.
    private static func usual(_ value: Value, in graph: Graph, depth: Int) -> UInt32? {
        switch graph.instruction(value) {
        case .constant(let number): return number
        case .arithmetic(let op, let left, let right) where depth > 0:
            if let length = usualLength(op, left, right, in: graph) { return length }
            guard let left = usual(left, in: graph, depth: depth - 1),
                let right = usual(right, in: graph, depth: depth - 1),
                right != 0 || ![.divide, .modulo].contains(op)
            else { return nil }
            return op.apply(left, right)
        default: return nil
        }
    }

    /// A part of a byte that is a header's length in words: the lower half is IPv4's, the upper one TCP's.
    private static func usualLength(
        _ op: Operation.ArithmeticOperator, _ left: Value, _ right: Value, in graph: Graph
    ) -> UInt32? {
        switch (graph.instruction(left), graph.instruction(right)?.constant) {
        case (.load(.byte, _), let operand?), (.classicLoad(.byte, _, _), let operand?):
            switch (op, operand) {
            case (.and, 0x0f): 5
            case (.and, 0xf0): 8 << 4
            case (.shiftRight, 4): 8
            default: nil
            }
        default: nil
        }
    }

    /// Whether a copy pays for `graph`: so it does where single loads can come to twice its costs, or come to more on
    /// average.
    private func pays(for graph: Graph) -> Bool {
        var most = [Int](repeating: 0, count: graph.blocks.count)
        var average = [Double](repeating: 0, count: graph.blocks.count)
        for id in DominatorTree(graph).order.reversed() {
            let block = graph.blocks[id.number]
            let here = block.instructions.count { value in
                switch graph.instruction(value) {
                case .load, .rawLoad: true
                default: false
                }
            }
            let targets = block.terminator.targets.map(\.number)
            most[id.number] = here + (targets.map { most[$0] }.max() ?? 0)
            average[id.number] = Double(here)
            for (target, share) in zip(targets, Self.shares(of: block.terminator, in: graph)) {
                average[id.number] += share * average[target]
            }
        }
        let entry = BlockID.entry.number
        guard permit != nil else { return most[entry] > 1 }
        return most[entry] > 3 || most[entry] == 3 && average[entry] > 2
    }

    /// How often the ways out of a block are taken: a guess, each as often as the other but where all bits of an address
    /// would have to be right.
    private static func shares(of terminator: Terminator, in graph: Graph) -> [Double] {
        switch terminator {
        case .branch(.equal, let left, _, _, _) where isAddress(left, in: graph): [0.02, 0.98]
        case .branch: [0.5, 0.5]
        default: [1]
        }
    }

    private static func isAddress(_ value: Value, in graph: Graph) -> Bool {
        switch graph.instruction(value) {
        // One of several, on some way here.
        case nil, .load(.word, _), .rawLoad(.word, _): true
        case .arithmetic(.and, let left, _): isAddress(left, in: graph)
        default: false
        }
    }
}
