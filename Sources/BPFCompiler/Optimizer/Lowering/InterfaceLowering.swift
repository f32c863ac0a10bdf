/// Makes branches of the question whether a packet has an interface.
///
/// The kernel numbers interfaces from 1, so a packet without one is a packet at interface 0.
enum InterfaceLowering {
    static func run(on graph: inout Graph) {
        var number = 0
        // Splitting appends blocks, which are visited in turn.
        while number < graph.blocks.count {
            let block = BlockID(number: number)
            number += 1
            let place = graph.blocks[block.number].instructions.firstIndex {
                if case .requireInterface? = graph.instruction($0) { true } else { false }
            }
            guard let place else { continue }
            let requirement = graph.blocks[block.number].instructions[place]
            guard case .requireInterface(let result)? = graph.instruction(requirement) else { continue }
            let origin = graph.origins[requirement.number]
            let rest = graph.split(block, at: place + 1)
            graph.blocks[block.number].instructions.removeLast()
            let index = graph.append(.metadata(.ifidx), to: block, origin: origin)
            let zero = graph.append(.constant(0), to: block, origin: origin)
            let end = graph.appendBlock(origin: origin, .return(result))
            graph.blocks[block.number].terminator = .branch(
                .equal, index, zero, then: Edge(target: end), otherwise: Edge(target: rest))
            graph.blocks[block.number].terminatorOrigin = origin
        }
    }
}
