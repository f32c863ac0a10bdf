/// Gives every loop a number of rounds it cannot exceed, so that the kernel's verifier sees that it ends.
///
/// Each header of a loop gets a parameter that counts down on the ways back; where it reaches 0, the filter fails.
enum LoopBounds {
    /// Bounds the loops of `graph` to `rounds` each, and returns how many loops there are.
    static func run(on graph: inout Graph, rounds: UInt32) -> Int {
        let tree = DominatorTree(graph)
        var ways: [BlockID: [BlockID]] = [:]
        for id in tree.order {
            for edge in graph.blocks[id.number].terminator.edges where tree.dominates(edge.target, id) {
                ways[edge.target, default: []].append(id)
            }
        }
        for header in ways.keys.sorted() { bound(header, ways[header]!, rounds, in: &graph) }
        return ways.count
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
