import ClassicBPF

/// Makes of a chain of equalities on one value a search: numbers in a row are one comparison of a difference, several
/// within 32 are a test of a bit, and what is left is halved until few remain. In chains too short for that, what
/// packets usually have comes first.
struct EqualityChains {
    private var graph: Graph
    private let predecessorCounts: [Int]
    private var isDone: [Bool]

    static func run(on graph: inout Graph) -> [String] {
        var pass = EqualityChains(
            graph: graph, predecessorCounts: graph.predecessorCounts,
            isDone: Array(repeating: false, count: graph.blocks.count))
        let (searches, reordered) = pass.run()
        graph = pass.graph
        var notes: [String] = []
        if searches > 0 { notes.append("made searches of \(searches) chains of equalities") }
        if reordered > 0 { notes.append("put what is likely first in \(reordered) chains of equalities") }
        return notes
    }

    /// A chain that begins in one block.
    private struct Chain {
        var value: Value
        var cases: [(number: UInt32, edge: Edge)]
        var otherwise: Edge
        var origin: Int
        /// The constants of the blocks that go; others behind them may read those.
        var constants: [Value] = []
    }

    /// Fewer equalities than these are quicker one after the other.
    private static let shortest = 4

    private mutating func run() -> (searches: Int, reordered: Int) {
        var (searches, reordered) = (0, 0)
        for id in DominatorTree(graph).order where !isDone[id.number] {
            guard let chain = chain(from: id) else { continue }
            var search = Search(graph: graph, chain: chain.value, chain.otherwise, chain.origin)
            let entry: Edge
            if chain.cases.count >= Self.shortest {
                entry = search.build(Search.parts(of: chain.cases))
                searches += 1
            } else if let cases = likelyFirst(chain) {
                entry = search.tests(of: cases.map { Search.Part(numbers: [$0.number], edge: $0.edge) })
                reordered += 1
            } else {
                continue
            }
            graph = search.graph
            graph.blocks[id.number].instructions += chain.constants
            graph.blocks[id.number].terminator = .jump(entry)
        }
        return (searches, reordered)
    }

    private mutating func chain(from head: BlockID) -> Chain? {
        guard case .branch(.equal, let value, _, _, _) = graph.blocks[head.number].terminator else { return nil }
        var chain = Chain(
            value: value, cases: [], otherwise: Edge(target: head),
            origin: graph.blocks[head.number].terminatorOrigin ?? graph.blocks[head.number].origin)
        var seen: Set<UInt32> = []
        var block = head
        while case .branch(.equal, value, let right, let then, let otherwise) = graph.blocks[block.number].terminator,
            let number = graph.instruction(right)?.constant,
            block == head || isLink(block)
        {
            isDone[block.number] = true
            if block != head { chain.constants += graph.blocks[block.number].instructions }
            // A number that was there before never gets this far.
            if seen.insert(number).inserted { chain.cases.append((number, then)) }
            chain.otherwise = otherwise
            guard otherwise.arguments.isEmpty else { break }
            block = otherwise.target
        }
        return chain.cases.isEmpty ? nil : chain
    }

    /// The cases of a short chain in the order in which packets have them, where that is another one.
    private func likelyFirst(_ chain: Chain) -> [(number: UInt32, edge: Edge)]? {
        guard case .load(let size, _)? = graph.instruction(chain.value) else { return nil }
        func rank(_ number: UInt32) -> Int {
            Self.likely[size]?.firstIndex(of: number) ?? Int.max
        }
        let places = chain.cases.indices.sorted { left, right in
            (rank(chain.cases[left].number), left) < (rank(chain.cases[right].number), right)
        }
        return places == Array(chain.cases.indices) ? nil : places.map { chain.cases[$0] }
    }

    /// What bytes and halves of headers are compared with most often equal: the protocols TCP and UDP, the Ethernet
    /// types of IPv4 and IPv6. A guess that is wrong costs a comparison.
    private static let likely: [Operation.Size: [UInt32]] = [.byte: [6, 17], .half: [0x800, 0x86dd]]

    /// Whether a block does nothing but compare, and only the one in front of it leads there.
    private func isLink(_ block: BlockID) -> Bool {
        predecessorCounts[block.number] == 1 && graph.blocks[block.number].parameters.isEmpty
            && graph.blocks[block.number].instructions.allSatisfy { graph.instruction($0)?.constant != nil }
    }
}

/// A search for a value among numbers, being built.
private struct Search {
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

    /// Numbers that are tested together, all of which lead the same way.
    struct Part {
        var numbers: [UInt32]
        var edge: Edge

        var first: UInt32 { numbers[0] }
        var last: UInt32 { numbers[numbers.count - 1] }
        var isRun: Bool { numbers.count > 1 && Int(last - first) == numbers.count - 1 }
    }

    /// The cases in ascending order, put together where one test serves several.
    static func parts(of cases: [(number: UInt32, edge: Edge)]) -> [Part] {
        let singles = cases.sorted { $0.number < $1.number }
        var parts: [Part] = []
        var index = 0
        while index < singles.count {
            let edge = singles[index].edge
            func group(while fits: (Int) -> Bool) -> ArraySlice<(number: UInt32, edge: Edge)> {
                var end = index + 1
                while end < singles.count, singles[end].edge == edge, fits(end) { end += 1 }
                return singles[index..<end]
            }
            let run = group { singles[$0].number == singles[$0 - 1].number + 1 }
            let near = group { singles[$0].number - singles[index].number < 32 }
            // A run of three costs as much as a single; a bit test what five do.
            let taken = run.count >= 3 && run.count * 2 >= near.count ? run : near.count >= 6 ? near : run.prefix(1)
            parts.append(Part(numbers: taken.map(\.number), edge: edge))
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
        let block = graph.appendBlock(origin: origin)
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
        let bitTest = graph.appendBlock(origin: origin)
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
