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
            graph.blocks[number].instructions.removeAll { !read.contains($0) }
            removedValues += before - graph.blocks[number].instructions.count
        }
        var notes: [String] = []
        if removedBlocks > 0 { notes.append("took out \(removedBlocks) blocks") }
        if removedValues > 0 { notes.append("took out \(removedValues) values") }
        return notes
    }

    /// The values that requirements and the ends of blocks read, and what those are computed from.
    private static func readValues(in graph: Graph) -> Set<Value> {
        var pending: [Value] = []
        for block in graph.blocks {
            pending += block.instructions.filter { graph.instruction($0)!.mayEndFilter }
            pending += block.terminator.operands + block.terminator.edges.flatMap(\.arguments)
        }
        var read: Set<Value> = []
        while let value = pending.popLast() {
            guard read.insert(value).inserted else { continue }
            pending += graph.instruction(value)?.operands ?? []
        }
        return read
    }
}
