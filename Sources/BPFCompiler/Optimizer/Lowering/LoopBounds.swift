/// Gives every loop a number of rounds it cannot exceed, so that it ends, and that the kernel's verifier sees that.
///
/// Each header of a loop gets a last parameter that counts down on the ways back; where it reaches 0, the filter fails.
enum LoopBounds {
    /// Each header of a chain takes 8 bytes of an IPv6 packet of 65,535 at least, so no loop of libpcap's has more.
    static let mostRounds = 8_191

    /// How many branches can wait for the verifier, which counts at most 8,192 (`BPF_COMPLEXITY_LIMIT_JMP_SEQ`).
    private static let waitingBranches = 7_500
    /// How many instructions the verifier may look at for a loop; it stops at 1,000,000.
    private static let verifiedInstructions = 400_000
    /// How many machine instructions the verifier looks at for one of the graph: several, on several ways.
    private static let instructionCost = 6

    /// A loop: the blocks that lead back to its header, and all of its blocks.
    struct Loop {
        var latches: [BlockID] = []
        var body: Set<BlockID> = []
    }

    /// Bounds the loops of `graph`, each to as many rounds as the verifier can be expected to walk through.
    ///
    /// - Parameters:
    ///   - share: Into how many parts what the verifier bears is divided, 1 where the graph is all there is.
    ///   - areFollowed: Whether the verifier walks through every round, as it does where there is no `may_goto`.
    static func run(on graph: inout Graph, share: Int = 1, areFollowed: Bool) {
        let loops = loops(in: graph, DominatorTree(graph))
        for (header, loop) in loops.sorted(by: { $0.key < $1.key }) {
            // Loops one behind the other share what the verifier bears.
            let bearable = areFollowed ? rounds(of: loop.body, in: graph) / (loops.count * share) : mostRounds
            let count = max(1, min(mostRounds, bearable))
            bound(header, loop.latches, UInt32(count), in: &graph)
            graph.rounds[header] = count
        }
    }

    /// Says of the loops of `graph` how many rounds a helper function that runs them is told: for all of them together
    /// as many as each can need.
    static func state(in graph: inout Graph) {
        let loops = loops(in: graph, DominatorTree(graph))
        let areNested = loops.contains { header, loop in
            loops.keys.contains { $0 != header && loop.body.contains($0) }
        }
        let count = areNested ? mostCalls : min(mostCalls, mostRounds * loops.count)
        for header in loops.keys { graph.rounds[header] = count }
    }

    /// The most rounds that the helper function takes (`BPF_MAX_LOOPS`).
    private static let mostCalls = 8 << 20

    /// The loops by the block they begin with.
    static func loops(in graph: Graph, _ tree: DominatorTree) -> [BlockID: Loop] {
        guard !tree.isAcyclic else { return [:] }
        var loops: [BlockID: Loop] = [:]
        for id in tree.order {
            for edge in graph.blocks[id.number].terminator.edges where tree.dominates(edge.target, id) {
                loops[edge.target, default: Loop()].latches.append(id)
            }
        }
        let predecessors = graph.predecessors
        for header in loops.keys { loops[header]!.body = body(of: header, loops[header]!.latches, predecessors) }
        return loops
    }

    /// The classic instruction that jumps back into a loop which is entered in other places too, or nil.
    static func irreducibleLoop(in graph: Graph) -> Int? {
        let tree = DominatorTree(graph)
        guard !tree.isAcyclic else { return nil }
        var isPassed = [Bool](repeating: false, count: graph.blocks.count)
        for id in tree.order {
            isPassed[id.number] = true
            let block = graph.blocks[id.number]
            if block.terminator.edges.contains(where: {
                isPassed[$0.target.number] && !tree.dominates($0.target, id)
            }) {
                return block.terminatorOrigin ?? block.origin
            }
        }
        return nil
    }

    /// The blocks from which the way back can be reached without leaving by the header.
    private static func body(
        of header: BlockID, _ latches: [BlockID], _ predecessors: [[BlockID]]
    ) -> Set<BlockID> {
        var body: Set<BlockID> = [header]
        var pending = latches
        while let block = pending.popLast() {
            if body.insert(block).inserted { pending += predecessors[block.number] }
        }
        return body
    }

    private static func rounds(of body: Set<BlockID>, in graph: Graph) -> Int {
        // The count at the end is one.
        var (branches, instructions) = (1, 2)
        for id in body {
            let block = graph.blocks[id.number]
            if block.terminator.edges.count > 1 { branches += 1 }
            // A check of bytes behind an index bounds the index as well.
            branches += 2 * block.instructions.count { graph.instruction($0)!.mayEndFilter }
            instructions += block.instructions.count + 1
        }
        return min(waitingBranches / branches, verifiedInstructions / (instructionCost * instructions))
    }

    private static func bound(_ header: BlockID, _ latches: [BlockID], _ rounds: UInt32, in graph: inout Graph) {
        let predecessors = Set(graph.predecessors[header.number])
        let left = graph.addParameter(to: header)
        for block in predecessors.subtracting(latches).sorted() {
            let start = graph.append(.constant(rounds), to: block)
            graph.blocks[block.number].terminator = graph.blocks[block.number].terminator.mapEdges { edge in
                guard edge.target == header else { return edge }
                return Edge(target: header, arguments: edge.arguments + [start])
            }
        }
        for block in Set(latches).sorted() {
            // Both ways of a branch can go back, each with arguments of its own.
            var made: [(edge: Edge, through: BlockID)] = []
            for edge in graph.blocks[block.number].terminator.edges where edge.target == header {
                if made.contains(where: { $0.edge == edge }) { continue }
                made.append((edge, count(left, down: edge, from: block, in: &graph)))
            }
            graph.blocks[block.number].terminator = graph.blocks[block.number].terminator.mapEdges { edge in
                made.first { $0.edge == edge }.map { Edge(target: $0.through) } ?? edge
            }
        }
    }

    /// A block on the way `edge` back to a header that counts `left` down and goes on there, or fails.
    private static func count(
        _ left: Value, down edge: Edge, from block: BlockID, in graph: inout Graph
    ) -> BlockID {
        let origin = graph.blocks[block.number].terminatorOrigin ?? graph.blocks[block.number].origin
        let counter = graph.appendBlock(origin: origin)
        let one = graph.append(.constant(1), to: counter)
        let next = graph.append(.arithmetic(.subtract, left, one), to: counter)
        let zero = graph.append(.constant(0), to: counter)
        let end = graph.appendBlock(origin: origin)
        graph.blocks[end.number].terminator = .return(graph.append(.constant(graph.failure), to: end))
        graph.blocks[counter.number].terminator = .branch(
            .equal, next, zero, then: Edge(target: end),
            otherwise: Edge(target: edge.target, arguments: edge.arguments + [next]))
        return counter
    }
}
