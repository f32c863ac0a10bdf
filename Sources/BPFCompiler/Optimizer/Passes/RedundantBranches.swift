import ClassicBPF

/// Takes out equalities that decide nothing: where the comparisons that follow lead a number that is equal to the same
/// place.
///
///     if a == 1 goto f else b         goto b
///     b: if a == 2 goto s else f      b: if a == 2 goto s else f
enum RedundantBranches: Pass {
    static let name = "redundant"

    static func run(on graph: inout Graph) -> [String] {
        var count = 0
        for id in graph.reachableBlocks {
            guard
                case .branch(.equal, let value, let right, let then, let otherwise) = graph.blocks[id.number].terminator,
                let number = graph.instruction(right)?.constant,
                leads(otherwise, to: then, given: value, equals: number, in: graph)
            else { continue }
            graph.blocks[id.number].terminator = .jump(otherwise)
            count += 1
        }
        return count == 0 ? [] : ["took out \(count) equalities that decide nothing"]
    }

    /// Whether from `edge` on nothing but comparisons of `value` follows until `goal`, if it is `number`.
    private static func leads(
        _ edge: Edge, to goal: Edge, given value: Value, equals number: UInt32, in graph: Graph
    ) -> Bool {
        var edge = edge
        // Comparisons in a row; a loop of them has no end.
        for _ in 0..<64 {
            if edge == goal { return true }
            let block = graph.blocks[edge.target.number]
            guard block.parameters.isEmpty, block.instructions.allSatisfy({ graph.instruction($0)?.constant != nil })
            else { return false }
            switch block.terminator {
            case .jump(let next): edge = next
            case .branch(let comparison, value, let right, let then, let otherwise):
                guard let constant = graph.instruction(right)?.constant else { return false }
                edge = comparison.holds(number, constant) ? then : otherwise
            default: return false
            }
        }
        return false
    }
}
