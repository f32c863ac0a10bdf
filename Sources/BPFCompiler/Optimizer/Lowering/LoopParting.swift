/// Parts a filter with loops into what comes before their second rounds and a round, for a helper function that calls the
/// round over and over (`bpf_loop`).
///
/// The first blocks of loops are the states of a machine: what goes back to one of them writes down to which, and what is
/// known there, in memory that all share. A round begins by reading that and ends where it comes to such a block
/// again, or with the filter. So loops can stand in each other and one behind the other, and neither graph has any.
struct LoopParting {
    /// The first blocks of loops.
    private let headers: [BlockID]
    /// By block, what is computed in front of it and read in it or behind it, constants apart.
    private let live: [Set<Value>]
    /// By first block of a loop, the values that are handed to it besides its parameters.
    private let handed: [[Value]]
    private let graph: Graph
    private let rounds: Int

    /// The most ends that are told apart by their places in a list.
    private static let fewResults = 2

    /// The parts of `graph`, or nil if it has no loops.
    ///
    /// - Precondition: Loops are entered by their first blocks only.
    static func part(_ graph: Graph) -> (main: Graph, round: Graph)? {
        let headers = LoopBounds.loops(in: graph, DominatorTree(graph)).keys.sorted()
        guard !headers.isEmpty else { return nil }
        let parting = LoopParting(graph, headers)
        let round = parting.round()
        return (parting.main(sharing: round.loop!), round)
    }

    private init(_ graph: Graph, _ headers: [BlockID]) {
        self.graph = graph
        self.headers = headers
        rounds = graph.rounds.values.max() ?? LoopBounds.mostRounds
        live = Self.live(in: graph)
        handed = headers.map { [live] in live[$0.number].sorted { $0.number < $1.number } }
    }

    /// By block, what is computed in front of it and read in it or behind it, constants apart.
    private static func live(in graph: Graph) -> [Set<Value>] {
        var live = [Set<Value>](repeating: [], count: graph.blocks.count)
        let order = DominatorTree(graph).order
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for id in order.reversed() {
                let block = graph.blocks[id.number]
                var values = Set(block.terminator.operands)
                for edge in block.terminator.edges {
                    values.formUnion(edge.arguments)
                    values.formUnion(live[edge.target.number])
                }
                for value in block.instructions { values.formUnion(graph.instruction(value)!.operands) }
                values.subtract(block.instructions)
                values.subtract(block.parameters)
                values = values.filter { graph.instruction($0)?.constant == nil }
                if values.count != live[id.number].count {
                    live[id.number] = values
                    hasChanged = true
                }
            }
        }
        return live
    }

    /// How many numbers the loop that takes most of them is handed.
    private var wordCount: Int {
        zip(headers, handed).map { graph.blocks[$0.number].parameters.count + $1.count }.max()!
    }

    /// Whether it has to be written down which loop goes on.
    private var hasPlace: Bool { headers.count > 1 }

    /// The number by which a loop is called. The verifier would know 0, and not look at the others.
    private static func number(of place: Int) -> UInt32 { UInt32(place + 1) }

    // MARK: The parts

    /// What comes before the second rounds of loops: few packets need one, and the others pay for no call.
    private func main(sharing state: SharedState) -> Graph {
        var main = graph
        main.loop = state
        let tree = DominatorTree(graph)
        cut(&main, .start) { tree.dominates($1, $0) }
        // All that a round reads has to have been written.
        for number in main.blocks.indices {
            guard case .loop(.start, let values) = main.blocks[number].terminator, values.count < state.count else {
                continue
            }
            let any = main.append(.constant(1), to: BlockID(number: number))
            let missing = Array(repeating: any, count: state.count - values.count)
            main.blocks[number].terminator = .loop(.start, values + missing)
        }
        return main
    }

    /// A round: a function that returns 1 where the filter ends.
    private func round() -> Graph {
        var round = graph
        round.isRound = true
        round.rounds = [:]
        cut(&round, .next) { _, _ in true }
        enter(&round)
        let results = end(&round)
        round.failure = 1
        round.loop = SharedState(count: round.blocks[0].parameters.count, rounds: rounds, results: results)
        let entered = Dictionary(uniqueKeysWithValues: zip(headers, handed))
        round = RoundValues.run(on: round, live, Set(handed.joined()), entered)
        // The verifier does not know what earlier rounds have required.
        for id in round.reachableBlocks { round.requireLoads(in: id) }
        return round
    }

    /// Ends the ways to first blocks of loops that `isEnd` says so of, by handing over what the loop has to know.
    ///
    /// - Parameter isEnd: Called with the block where a way begins and the one where it ends, both reachable.
    private func cut(_ graph: inout Graph, _ step: LoopStep, where isEnd: (BlockID, BlockID) -> Bool) {
        for number in graph.reachableBlocks.map(\.number) {
            let before = graph.blocks[number].terminator
            let origin = graph.blocks[number].terminatorOrigin ?? graph.blocks[number].origin
            var ways: [Edge: BlockID] = [:]
            for edge in before.edges {
                guard let place = headers.firstIndex(of: edge.target), ways[edge] == nil,
                    isEnd(BlockID(number: number), edge.target)
                else { continue }
                let end = graph.appendBlock(origin: origin)
                let which = hasPlace ? [graph.append(.constant(Self.number(of: place)), to: end)] : []
                graph.blocks[end.number].terminator = .loop(step, which + edge.arguments + handed[place])
                ways[edge] = end
            }
            if ways.isEmpty { continue }
            graph.blocks[number].terminator = before.mapEdges { edge in ways[edge].map { Edge(target: $0) } ?? edge }
        }
    }

    /// Lets a round begin with what is shared, and go to the loop that is its turn.
    private func enter(_ round: inout Graph) {
        round.blocks[0] = Graph.Block(origin: graph.blocks[headers[0].number].origin)
        let which = hasPlace ? round.addParameter(to: .entry) : nil
        let words = (0..<wordCount).map { _ in round.addParameter(to: .entry) }
        var block = BlockID.entry
        for (place, header) in headers.enumerated() {
            // What is handed besides the parameters becomes parameters too.
            let edge = Edge(
                target: header,
                arguments: Array(words.prefix(graph.blocks[header.number].parameters.count + handed[place].count)))
            guard let which, place < headers.count - 1 else {
                round.blocks[block.number].terminator = .jump(edge)
                break
            }
            let number = round.append(.constant(Self.number(of: place)), to: block)
            let next = round.appendBlock(origin: round.blocks[0].origin)
            round.blocks[block.number].terminator = .branch(
                .equal, which, number, then: edge, otherwise: Edge(target: next))
            block = next
        }
    }

    /// Makes every end of the filter one of the round, and returns what it ends with, if that are few numbers.
    private func end(_ round: inout Graph) -> [UInt32]? {
        let reachable = Array(round.reachableBlocks)
        var constants: [UInt32] = []
        var areKnown = true
        func result(_ id: BlockID) -> Value? {
            if case .return(let value) = round.blocks[id.number].terminator { value } else { nil }
        }
        for value in reachable.compactMap(result) {
            guard let constant = round.instruction(value)?.constant else {
                areKnown = false
                continue
            }
            if constant != graph.failure, !constants.contains(constant) { constants.append(constant) }
        }
        areKnown = areKnown && constants.count <= Self.fewResults
        for id in reachable {
            guard let value = result(id) else { continue }
            let constant = round.instruction(value)?.constant
            if constant == graph.failure {
                round.blocks[id.number].terminator = .return(round.append(.constant(1), to: id))
            } else if areKnown, let place = constants.firstIndex(of: constant!) {
                let number = round.append(.constant(UInt32(place + 1)), to: id)
                round.blocks[id.number].terminator = .loop(.end, [number])
            } else {
                round.blocks[id.number].terminator = .loop(.end, [value])
            }
        }
        return areKnown ? constants : nil
    }
}
