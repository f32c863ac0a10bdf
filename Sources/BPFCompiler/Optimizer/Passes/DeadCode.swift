/// Takes out values that nothing reads, and empties blocks that nothing reaches.
enum DeadCode: Pass {
    static let name = "dead"

    static func run(on graph: inout Graph) -> [String] {
        let reachable = graph.reachableBlocks
        var removedBlocks = 0
        for number in graph.blocks.indices where !reachable.contains(BlockID(number: number)) {
            guard graph.blocks[number].terminator != .unreachable else { continue }
            graph.blocks[number] = Graph.Block(origin: graph.blocks[number].origin)
            removedBlocks += 1
        }
        let read = readValues(in: graph)
        var removedValues = 0
        for number in graph.blocks.indices {
            let before = graph.blocks[number].instructions.count
            if graph.blocks[number].instructions.allSatisfy(read.contains) { continue }
            graph.blocks[number].instructions.removeAll { !read.contains($0) }
            removedValues += before - graph.blocks[number].instructions.count
        }
        var notes: [String] = []
        if removedBlocks > 0 { notes.append("took out \(removedBlocks) blocks") }
        if removedValues > 0 { notes.append("took out \(removedValues) values") }
        return notes
    }

    /// The values that requirements and the ends of blocks read, and what those are computed from.
    private static func readValues(in graph: Graph) -> ValueSet {
        var pending: [Value] = []
        for block in graph.blocks {
            for value in block.instructions where graph.instruction(value)!.mayEndFilter { pending.append(value) }
            for value in block.terminator.operands { pending.append(value) }
            pending += block.terminator.shared
            for edge in block.terminator.edges { pending += edge.arguments }
        }
        var read = ValueSet(in: graph)
        while let value = pending.popLast() {
            guard read.insert(value) else { continue }
            for operand in graph.instruction(value)?.operands ?? Few() { pending.append(operand) }
        }
        return read
    }
}
