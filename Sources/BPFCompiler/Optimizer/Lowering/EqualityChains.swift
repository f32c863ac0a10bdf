import ClassicBPF

/// Makes of a chain of equalities on one value a search: numbers in a row are one comparison of a difference, several
/// within 32 are a test of a bit, and what is left is halved until few remain. Where there are many that lead to one
/// place, they are a set, in which the value is looked up. In chains too short for all that, what packets usually have
/// comes first.
struct EqualityChains {
    private var graph: Graph
    private let predecessorCounts: [Int]
    private var isDone: [Bool]
    private let leastSet: Int?
    private let makesTrees: Bool
    private var searchCount = 0
    private var setCount = 0
    private var reorderedCount = 0

    /// - Parameters:
    ///   - leastSet: How many tests have to lead to one place to be a set; nil for none.
    ///   - makesTrees: Whether chains in which there are no sets are searched, too.
    static func run(on graph: inout Graph, leastSet: Int? = nil, makesTrees: Bool = true) -> [String] {
        var pass = EqualityChains(
            graph: graph, predecessorCounts: graph.predecessorCounts,
            isDone: Array(repeating: false, count: graph.blocks.count), leastSet: leastSet,
            makesTrees: makesTrees)
        pass.run()
        graph = pass.graph
        var notes: [String] = []
        if pass.searchCount > 0 { notes.append("made searches of \(pass.searchCount) chains of equalities") }
        if pass.setCount > 0 { notes.append("made sets of \(pass.setCount) of them") }
        if pass.reorderedCount > 0 {
            notes.append("put what is likely first in \(pass.reorderedCount) chains of equalities")
        }
        return notes
    }

    /// A chain that begins in one block.
    private struct Chain {
        var value: Value
        var cases: [EqualitySearch.Case]
        var otherwise: Edge
        var origin: Int
        /// The constants of the blocks that go; others behind them may read those.
        var constants: [Value] = []
    }

    /// Fewer equalities than these are quicker one after the other.
    private static let shortest = 4

    private mutating func run() {
        for id in DominatorTree(graph).order where !isDone[id.number] {
            guard let chain = chain(from: id), let entry = entry(to: chain) else { continue }
            graph.blocks[id.number].instructions += chain.constants
            graph.blocks[id.number].terminator = .jump(entry)
        }
    }

    /// The way into what takes the place of a chain, or nil where it stays.
    private mutating func entry(to chain: Chain) -> Edge? {
        let isLong = chain.cases.count >= Self.shortest
        let reordered = isLong || !makesTrees ? nil : likelyFirst(chain)
        guard isLong || reordered != nil else { return nil }
        var search = EqualitySearch(graph: graph, chain: chain.value, chain.otherwise, chain.origin)
        // There is to be one graph only, or it would be copied for each chain.
        graph = Graph()
        defer { graph = search.graph }
        if let reordered {
            reorderedCount += 1
            return search.tests(of: reordered.map { EqualitySearch.Part([$0]) })
        }
        guard let entry = build(EqualitySearch.parts(of: chain.cases), &search) else { return nil }
        searchCount += 1
        return entry
    }

    /// The way into a search among `parts`, in which sets come first: most of what is looked for is in them, or nowhere.
    private mutating func build(_ parts: [EqualitySearch.Part], _ search: inout EqualitySearch) -> Edge? {
        guard let leastSet, parts.count >= leastSet else { return makesTrees ? search.build(parts) : nil }
        let byEdge = Dictionary(grouping: parts, by: \.edge).filter { $0.value.count >= leastSet }
        if byEdge.isEmpty { return makesTrees ? search.build(parts) : nil }
        setCount += 1
        let entry = search.build(parts.filter { byEdge[$0.edge] == nil })
        return byEdge.values.sorted { $0[0].first < $1[0].first }.reduce(entry) { next, parts in
            search.member(of: parts.flatMap(\.numbers), parts[0].edge, orElse: next)
        }
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
            if seen.insert(number).inserted {
                let origin = graph.blocks[block.number].terminatorOrigin ?? graph.blocks[block.number].origin
                chain.cases.append((number, then, origin))
            }
            chain.otherwise = otherwise
            guard otherwise.arguments.isEmpty else { break }
            block = otherwise.target
        }
        return chain.cases.isEmpty ? nil : chain
    }

    /// The cases of a short chain in the order in which packets have them, where that is another one.
    private func likelyFirst(_ chain: Chain) -> [EqualitySearch.Case]? {
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
