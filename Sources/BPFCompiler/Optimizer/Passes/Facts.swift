/// Decides branches by what is known where they stand: the ranges of what they compare, and what the branches that
/// lead there have shown.
enum Facts: Pass {
    static let name = "facts"

    static func run(on graph: inout Graph) -> [String] {
        var outcomes: [(block: BlockID, holds: Bool)] = []
        KnownFacts.walk(graph, DominatorTree(graph)) { block, known in
            guard case .branch(let comparison, let left, let right, _, _) = graph.blocks[block.number].terminator,
                let holds = known.outcome(comparison, left, right)
            else { return }
            outcomes.append((block, holds))
        }
        for (block, holds) in outcomes {
            guard case .branch(_, _, _, let then, let otherwise) = graph.blocks[block.number].terminator else {
                continue
            }
            graph.blocks[block.number].terminator = .jump(holds ? then : otherwise)
        }
        return outcomes.isEmpty ? [] : ["decided \(outcomes.count) branches by what leads to them"]
    }
}
