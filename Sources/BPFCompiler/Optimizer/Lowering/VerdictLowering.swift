/// Turns the filter's numbers into the two verdicts of a hook.
enum VerdictLowering {
    /// Makes every end of `graph` one with `match` for a number other than 0, or with `noMatch` for 0.
    ///
    /// - Precondition: Interfaces have been lowered.
    static func run(on graph: inout Graph, match: UInt32, noMatch: UInt32) {
        graph.failure = noMatch
        for number in graph.blocks.indices {
            guard case .return(let value) = graph.blocks[number].terminator else { continue }
            let block = BlockID(number: number)
            if let constant = graph.instruction(value)?.constant {
                graph.blocks[number].terminator = .return(
                    graph.append(.constant(constant == 0 ? noMatch : match), to: block))
                continue
            }
            let zero = graph.append(.constant(0), to: block)
            graph.blocks[number].terminator = .branch(
                .equal, value, zero, then: Edge(target: returning(noMatch, from: block, in: &graph)),
                otherwise: Edge(target: returning(match, from: block, in: &graph)))
        }
    }

    private static func returning(_ number: UInt32, from block: BlockID, in graph: inout Graph) -> BlockID {
        let origin = graph.blocks[block.number].terminatorOrigin ?? graph.blocks[block.number].origin
        let end = graph.appendBlock(origin: origin)
        graph.blocks[end.number].terminator = .return(graph.append(.constant(number), to: end))
        return end
    }
}
