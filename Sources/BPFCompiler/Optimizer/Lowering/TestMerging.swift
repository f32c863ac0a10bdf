import ClassicBPF

/// Makes one test of several that all have to hold and look at bytes within a word: one load, one mask, one comparison.
///
/// For numbers in network order, whose bytes lie in a wider load as they lie in the packet.
///
/// - Precondition: Bounds have been put together; the program is a little-endian one.
struct TestMerging {
    private var graph: Graph
    private let predecessorCounts: [Int]
    /// By value, how often it is read.
    private let uses: [Int]
    /// Blocks whose test has become part of another.
    private var isGone: Set<BlockID> = []

    static func run(on graph: inout Graph) -> [String] {
        var pass = TestMerging(
            graph: graph, predecessorCounts: graph.predecessorCounts, uses: graph.useCounts)
        var merged = 0
        for id in DominatorTree(graph).order { merged += pass.mergeTests(from: id) }
        graph = pass.graph
        return merged == 0 ? [] : ["made \(merged) tests part of others"]
    }

    /// A question of the packet at the end of a block: whether some bits of it have certain values.
    private struct Test {
        var index: Value?
        var window: Graph.Window
        /// By offset, the bits that are looked at and what they have to be.
        var bytes: [UInt32: (mask: UInt8, value: UInt8)]
        var success: Edge
        var failure: Edge
        /// Whether it was made of a load of more bytes than it looks at.
        var isWide = false

        var first: UInt32 { bytes.keys.min()! }
        var end: UInt32 { bytes.keys.max()! + 1 }
        /// The width of the load that it takes.
        var size: Operation.Size {
            switch end - first {
            case 1: .byte
            case 2: .half
            default: .word
            }
        }
    }

    private mutating func mergeTests(from id: BlockID) -> Int {
        guard !isGone.contains(id), let test = test(at: id) else { return 0 }
        var merged = 0
        if test.isWide {
            put(test, at: id)
            merged += 1
        }
        var chain = [(block: id, test: test)]
        // Further tests of the chain, each in a block of its own that does nothing else.
        var end = test.success
        while end.arguments.isEmpty, isChained(end.target), let next = self.test(at: end.target),
            next.failure == test.failure
        {
            let place = chain.firstIndex { combined($0.test, next) != nil }
            guard let place else {
                chain.append((end.target, next))
                end = next.success
                continue
            }
            let gone = end.target
            chain[place].test = combined(chain[place].test, next)!
            put(chain[place].test, at: chain[place].block)
            // Blocks behind the one that is gone may read what it computed. Between the two nothing is required.
            graph.blocks[chain[place].block.number].instructions += graph.blocks[gone.number].instructions
            // The last of the chain goes on where the one that is gone did.
            let last = chain[chain.count - 1].block
            graph.blocks[last.number].terminator = graph.blocks[last.number].terminator.mapEdges {
                $0.target == gone ? next.success : $0
            }
            chain[chain.count - 1].test.success = next.success
            isGone.insert(gone)
            end = next.success
            merged += 1
        }
        return merged
    }

    /// Whether a block does nothing but the test at its end, and only one way leads there.
    private func isChained(_ id: BlockID) -> Bool {
        guard predecessorCounts[id.number] == 1, graph.blocks[id.number].parameters.isEmpty else { return false }
        return graph.blocks[id.number].instructions.allSatisfy { value in
            switch graph.instruction(value)! {
            case .constant: true
            // What a merged test reads was made later than the counts; it has been merged as far as it goes.
            case .rawLoad, .load(.byte, _), .arithmetic(.and, _, _):
                value.number < uses.count && uses[value.number] == 1
            default: false
            }
        }
    }

    private func test(at id: BlockID) -> Test? {
        guard
            case .branch(let comparison, let left, let right, let then, let otherwise) =
                graph.blocks[id.number].terminator,
            let constant = graph.instruction(right)?.constant, let instruction = graph.instruction(left),
            left.number < uses.count, uses[left.number] == 1
        else { return nil }
        switch (comparison, instruction) {
        case (.equal, .arithmetic(.and, let value, let mask)):
            guard let mask = graph.instruction(mask)?.constant, uses[value.number] == 1 else { return nil }
            return test(of: value, mask: mask, value: constant, then, otherwise)
        case (.equal, _): return test(of: left, mask: .max, value: constant, then, otherwise)
        case (.anyBitSet, _): return test(of: left, mask: constant, value: 0, otherwise, then)
        default: return nil
        }
    }

    private func test(
        of load: Value, mask: UInt32, value: UInt32, _ success: Edge, _ failure: Edge
    ) -> Test? {
        let size: Operation.Size
        let address: Graph.Address
        switch graph.instruction(load) {
        case .rawLoad(let width, let place): (size, address) = (width, place)
        case .load(.byte, let place): (size, address) = (.byte, place)
        default: return nil
        }
        guard let window = graph.windows[Graph.Load(size: size, address: address)] else { return nil }
        var bytes: [UInt32: (mask: UInt8, value: UInt8)] = [:]
        for number in 0..<size.rawValue {
            let byte = (
                mask: UInt8(truncatingIfNeeded: mask >> (8 * number)),
                value: UInt8(truncatingIfNeeded: value >> (8 * number))
            )
            if byte.value & ~byte.mask != 0 { return nil }
            if byte.mask != 0 { bytes[address.offset + number] = byte }
        }
        guard !bytes.isEmpty else { return nil }
        var test = Test(index: address.index, window: window, bytes: bytes, success: success, failure: failure)
        test.isWide = test.size.rawValue < size.rawValue
        return test
    }

    private func combined(_ left: Test, _ right: Test) -> Test? {
        guard left.index == right.index, left.window == right.window else { return nil }
        var both = left
        for (offset, byte) in right.bytes {
            let other = left.bytes[offset] ?? (0, 0)
            // Tests that contradict each other are left to others.
            guard other.value & byte.mask == byte.value & other.mask else { return nil }
            both.bytes[offset] = (other.mask | byte.mask, other.value | byte.value)
        }
        let span = both.end - both.first
        guard span <= 4, span <= 2 || both.end >= left.window.start + 4 else { return nil }
        return both
    }

    /// Lets `id` end with `test`.
    private mutating func put(_ test: Test, at id: BlockID) {
        let size = test.size
        let address = Graph.Address(index: test.index, offset: test.end - size.rawValue)
        var (mask, value): (UInt32, UInt32) = (0, 0)
        for (offset, byte) in test.bytes {
            mask |= UInt32(byte.mask) << (8 * (offset - address.offset))
            value |= UInt32(byte.value) << (8 * (offset - address.offset))
        }
        let load = graph.append(size == .byte ? .load(size, address) : .rawLoad(size, address), to: id)
        graph.windows[Graph.Load(size: size, address: address)] = test.window
        var left = load
        if mask != .max >> (32 - 8 * size.rawValue) {
            left = graph.append(.arithmetic(.and, load, graph.append(.constant(mask), to: id)), to: id)
        }
        graph.blocks[id.number].terminator = .branch(
            .equal, left, graph.append(.constant(value), to: id), then: test.success, otherwise: test.failure)
    }
}

extension Graph {
    /// By value, how often it is read where something is reached.
    var useCounts: [Int] {
        var counts = [Int](repeating: 0, count: definitions.count)
        for id in reachableBlocks {
            let block = blocks[id.number]
            for value in block.instructions {
                for operand in instruction(value)!.operands { counts[operand.number] += 1 }
            }
            for value in block.terminator.operands { counts[value.number] += 1 }
            for value in block.terminator.shared { counts[value.number] += 1 }
            for edge in block.terminator.edges { for value in edge.arguments { counts[value.number] += 1 } }
        }
        return counts
    }
}
