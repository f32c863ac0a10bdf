extension Graph {
    /// Lets each load of a block stand behind a requirement of its own, for passes that part loads from what required
    /// their bytes. What is there twice goes when bounds are put together.
    ///
    /// - Precondition: Bounds have not been put together.
    mutating func requireLoads(in id: BlockID) {
        var instructions: [Value] = []
        var required: Set<Instruction> = []
        for value in blocks[id.number].instructions {
            let instruction = instruction(value)!
            if case .requireBytes = instruction { required.insert(instruction) }
            if case .load(let size, let address) = instruction, required.insert(.requireBytes(size, address)).inserted {
                instructions.append(makeInstruction(.requireBytes(size, address), origin: origins[value.number]))
            }
            instructions.append(value)
        }
        blocks[id.number].instructions = instructions
    }
}
