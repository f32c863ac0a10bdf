/// Appends a block to the one in front of it where no other way leads there, and goes past blocks that only go on.
enum BlockMerging: Pass {
    static let name = "blocks"

    static func run(on graph: inout Graph) -> [String] {
        let bypassed = bypassEmptyBlocks(in: &graph)
        let merged = mergeChains(in: &graph)
        var notes: [String] = []
        if bypassed > 0 { notes.append("went past \(bypassed) blocks that only go on") }
        if merged > 0 { notes.append("joined \(merged) blocks to those in front of them") }
        return notes
    }

    /// A way to a block without parameters and instructions that jumps on is a way to where it jumps.
    private static func bypassEmptyBlocks(in graph: inout Graph) -> Int {
        var bypassed = 0
        func onward(_ edge: Edge) -> Edge {
            var edge = edge
            var steps = 0
            // A loop of empty blocks would have no end.
            while steps < graph.blocks.count, case .jump(let next) = graph.blocks[edge.target.number].terminator,
                graph.blocks[edge.target.number].parameters.isEmpty,
                graph.blocks[edge.target.number].instructions.isEmpty, next.target != edge.target
            {
                edge = next
                steps += 1
            }
            if steps > 0 { bypassed += 1 }
            return edge
        }
        for id in graph.reachableBlocks {
            graph.blocks[id.number].terminator = graph.blocks[id.number].terminator.mapEdges(onward)
        }
        return bypassed
    }

    private static func mergeChains(in graph: inout Graph) -> Int {
        let predecessors = graph.predecessorCounts
        var replacements = Replacements(in: graph)
        var merged = 0
        for id in DominatorTree(graph).order {
            while case .jump(let edge) = graph.blocks[id.number].terminator, edge.target != id, edge.target != .entry,
                predecessors[edge.target.number] == 1,
                graph.blocks[edge.target.number].terminator != .unreachable
            {
                let next = graph.blocks[edge.target.number]
                for (parameter, argument) in zip(next.parameters, edge.arguments) {
                    replacements.replace(parameter, by: argument)
                }
                graph.blocks[id.number].instructions += next.instructions
                graph.blocks[id.number].terminator = next.terminator
                graph.blocks[id.number].terminatorOrigin = next.terminatorOrigin
                graph.blocks[edge.target.number] = Graph.Block(origin: next.origin)
                merged += 1
            }
        }
        graph.replaceUses(replacements)
        return merged
    }
}
