import ClassicBPF

/// Makes one comparison of two that ask whether a number lies between others: that of its distance from the lower one.
///
///     if a >= 10 goto b else f        d = a - 10
///     b: if a > 20 goto f else t      if d > 10 goto f else t
enum Ranges {
    static func run(on graph: inout Graph) -> [String] {
        let predecessorCounts = graph.predecessorCounts
        let uses = graph.useCounts
        var count = 0
        for id in DominatorTree(graph).order {
            guard
                case .branch(.greaterOrEqual, let value, let right, let then, let below) =
                    graph.blocks[id.number].terminator,
                let low = graph.instruction(right)?.constant, uses[value.number] == 2, then.arguments.isEmpty,
                predecessorCounts[then.target.number] == 1,
                let (high, above, inside) = upperBound(at: then.target, of: value, in: graph),
                above == below, high >= low
            else { continue }
            // Blocks behind the one that is gone may read its constants.
            graph.blocks[id.number].instructions += graph.blocks[then.target.number].instructions
            graph.blocks[then.target.number].instructions = []
            let distance = graph.append(.arithmetic(.subtract, value, right), to: id)
            let span = graph.append(.constant(high - low), to: id)
            graph.blocks[id.number].terminator = .branch(
                .greater, distance, span, then: above, otherwise: inside)
            count += 1
        }
        return count == 0 ? [] : ["made \(count) comparisons part of others"]
    }

    /// What a block that does nothing else asks of `value`: the largest number it lets pass, and both ways on.
    private static func upperBound(
        at id: BlockID, of value: Value, in graph: Graph
    ) -> (high: UInt32, above: Edge, inside: Edge)? {
        let block = graph.blocks[id.number]
        guard block.parameters.isEmpty, block.instructions.allSatisfy({ graph.instruction($0)?.constant != nil }),
            case .branch(let comparison, value, let right, let then, let otherwise) = block.terminator,
            let number = graph.instruction(right)?.constant
        else { return nil }
        switch comparison {
        case .greater: return (number, then, otherwise)
        case .greaterOrEqual: return number == 0 ? nil : (number - 1, then, otherwise)
        default: return nil
        }
    }
}
