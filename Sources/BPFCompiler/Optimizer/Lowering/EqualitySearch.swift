import ClassicBPF

/// A search for a value among numbers, being built.
struct EqualitySearch {
    var graph: Graph
    private let value: Value
    private let otherwise: Edge
    private let origin: Int

    init(graph: Graph, chain value: Value, _ otherwise: Edge, _ origin: Int) {
        self.graph = graph
        self.value = value
        self.otherwise = otherwise
        self.origin = origin
    }

    /// A number, where it leads, and the classic instruction that asks for it.
    typealias Case = (number: UInt32, edge: Edge, origin: Int)

    /// Numbers that are tested together, all of which lead the same way.
    struct Part {
        var numbers: [UInt32]
        var edge: Edge
        /// The classic instruction that asks for the first of them.
        var origin: Int

        init(_ cases: some Collection<Case>) {
            numbers = cases.map(\.number)
            (edge, origin) = (cases.first!.edge, cases.first!.origin)
        }

        var first: UInt32 { numbers[0] }
        var last: UInt32 { numbers[numbers.count - 1] }
        var isRun: Bool { numbers.count > 1 && Int(last - first) == numbers.count - 1 }
    }

    /// The cases in ascending order, put together where one test serves several.
    static func parts(of cases: [Case]) -> [Part] {
        let singles = cases.sorted { $0.number < $1.number }
        var parts: [Part] = []
        var index = 0
        while index < singles.count {
            let edge = singles[index].edge
            func group(while fits: (Int) -> Bool) -> ArraySlice<Case> {
                var end = index + 1
                while end < singles.count, singles[end].edge == edge, fits(end) { end += 1 }
                return singles[index..<end]
            }
            let run = group { singles[$0].number == singles[$0 - 1].number + 1 }
            let near = group { singles[$0].number - singles[index].number < 32 }
            // A run of three costs as much as a single; a bit test what five do.
            let taken = run.count >= 3 && run.count * 2 >= near.count ? run : near.count >= 6 ? near : run.prefix(1)
            parts.append(Part(taken))
            index += taken.count
        }
        return parts
    }

    /// The way into a search among `parts`.
    mutating func build(_ parts: [Part]) -> Edge {
        guard parts.count > 4 else { return tests(of: parts) }
        let middle = parts.count / 2
        let low = build(Array(parts[..<middle]))
        let high = build(Array(parts[middle...]))
        let block = graph.appendBlock(origin: origin)
        let border = graph.append(.constant(parts[middle].first), to: block)
        graph.blocks[block.number].terminator = .branch(
            .greaterOrEqual, value, border, then: high, otherwise: low)
        return Edge(target: block)
    }

    /// The way into tests for `parts`, one after the other.
    mutating func tests(of parts: [Part]) -> Edge {
        parts.reversed().reduce(otherwise) { next, part in Edge(target: test(part, orElse: next)) }
    }

    /// The way into a test whether the value is one of `numbers`, which are in ascending order.
    mutating func member(of numbers: [UInt32], _ edge: Edge, orElse next: Edge) -> Edge {
        let block = graph.appendBlock(origin: origin)
        let set = graph.sets.firstIndex(of: numbers) ?? graph.sets.count
        if set == graph.sets.count { graph.sets.append(numbers) }
        let answer = graph.append(.member(of: set, value), to: block)
        let one = graph.append(.constant(1), to: block)
        graph.blocks[block.number].terminator = .branch(
            .equal, answer, one, then: local(edge, block), otherwise: local(next, block))
        return Edge(target: block)
    }

    /// The edge as one out of `block`: constants it hands on may stand in a block that is on no way to this one.
    private mutating func local(_ edge: Edge, _ block: BlockID) -> Edge {
        var edge = edge
        for (place, argument) in edge.arguments.enumerated() {
            if let constant = graph.instruction(argument)?.constant {
                edge.arguments[place] = graph.append(.constant(constant), to: block)
            }
        }
        return edge
    }

    private mutating func test(_ part: Part, orElse next: Edge) -> BlockID {
        let block = graph.appendBlock(origin: part.origin)
        let first = graph.append(.constant(part.first), to: block)
        let (then, next) = (local(part.edge, block), local(next, block))
        if part.numbers.count == 1 {
            graph.blocks[block.number].terminator = .branch(.equal, value, first, then: then, otherwise: next)
            return block
        }
        let distance = graph.append(.arithmetic(.subtract, value, first), to: block)
        let span = graph.append(.constant(part.last - part.first), to: block)
        if part.isRun {
            graph.blocks[block.number].terminator = .branch(
                .greater, distance, span, then: next, otherwise: then)
            return block
        }
        let bitTest = graph.appendBlock(origin: part.origin)
        graph.blocks[block.number].terminator = .branch(
            .greater, distance, span, then: next, otherwise: Edge(target: bitTest))
        let mask = part.numbers.reduce(UInt32(0)) { $0 | 1 << ($1 - part.first) }
        let bits = graph.append(.constant(mask), to: bitTest)
        let shifted = graph.append(.arithmetic(.shiftRight, bits, distance), to: bitTest)
        let one = graph.append(.constant(1), to: bitTest)
        graph.blocks[bitTest.number].terminator = .branch(
            .anyBitSet, shifted, one, then: then, otherwise: next)
        return block
    }
}
