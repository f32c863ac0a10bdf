import ClassicBPF

/// How much of packets a program copies at once where each load would be a call of its own, and for which filters that
/// pays.
///
/// A copy costs about as much as two loads. It holds what the filter reads at fixed places and, of what lies behind an
/// index, what headers of the usual lengths ask for: IPv4 without options, TCP with its time stamps.
struct PacketPrefix {
    /// The most bytes that are copied.
    static let most: UInt32 = 128

    /// Whether what lies behind an index may be read from the copy.
    let holdsIndexed: Bool

    /// Leaves the loads of `graph` that a copy is not expected to hold to the kernel's own instructions.
    ///
    /// - Precondition: The bytes of every load are still required by a requirement of its own.
    /// - Returns: As ``ClassicLoads/run(on:where:)``.
    func leaveOthers(of graph: inout Graph) -> Bool {
        let before = graph
        return ClassicLoads.run(on: &graph) { size, address in
            usualEnd(of: address.offset, size, behind: address.index, in: before) == nil
        }
    }

    /// How many bytes to copy for `graph`, or nil where no way through it has several loads that would be served by that.
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
        guard let count = ends.max(), mostLoads(in: graph) > 1 else { return nil }
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
        case (.load(.byte, _), let operand?), (.classicLoad(.byte, _), let operand?):
            switch (op, operand) {
            case (.and, 0x0f): 5
            case (.and, 0xf0): 8 << 4
            case (.shiftRight, 4): 8
            default: nil
            }
        default: nil
        }
    }

    /// The most loads that are not left to the kernel's instructions on one way through `graph`.
    private func mostLoads(in graph: Graph) -> Int {
        var most = [Int](repeating: 0, count: graph.blocks.count)
        for id in DominatorTree(graph).order.reversed() {
            let block = graph.blocks[id.number]
            let here = block.instructions.count { value in
                switch graph.instruction(value) {
                case .load, .rawLoad: true
                default: false
                }
            }
            most[id.number] = here + (block.terminator.targets.map { most[$0.number] }.max() ?? 0)
        }
        return most[BlockID.entry.number]
    }
}
