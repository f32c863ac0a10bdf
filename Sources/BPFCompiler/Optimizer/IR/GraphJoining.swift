extension Graph {
    /// Appends the blocks of `other`, and returns what was its entry. Those that nothing reaches become empty.
    ///
    /// - Precondition: Bounds have not been put together yet.
    mutating func append(contentsOf other: Graph) -> BlockID {
        precondition(other.windows.isEmpty, "loads have no windows yet")
        let first = blocks.count
        let reachable = Array(other.reachableBlocks)
        for block in other.blocks { _ = appendBlock(origin: block.origin) }
        var values = Replacements(in: other)
        for number in reachable.map(\.number) {
            let block = other.blocks[number]
            let id = BlockID(number: first + number)
            blocks[id.number].terminatorOrigin = block.terminatorOrigin
            for value in block.parameters { values.replace(value, by: addParameter(to: id)) }
            for value in block.instructions {
                // Its operands may stand in blocks that come later.
                let copy = append(other.instruction(value)!, to: id, origin: other.origins[value.number])
                values.replace(value, by: copy)
            }
        }
        func new(_ value: Value) -> Value { values[value]! }
        for number in reachable.map(\.number) {
            let block = other.blocks[number]
            for value in block.instructions {
                redefine(new(value), as: other.instruction(value)!.mapOperands(new))
            }
            blocks[first + number].terminator = block.terminator.mapValues(new).mapEdges { edge in
                Edge(target: BlockID(number: first + edge.target.number), arguments: edge.arguments)
            }
        }
        return BlockID(number: first)
    }
}
