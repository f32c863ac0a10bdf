/// Takes out machine instructions whose result nobody reads, such as a pointer's last move.
enum DeadInstructions {
    static func remove(from function: inout MachineFunction) {
        // What only fed a dead instruction of a later block is found in the next round.
        while removeOnce(from: &function) {}
    }

    private static func removeOnce(from function: inout MachineFunction) -> Bool {
        let liveness = Liveness(function)
        var hasChanged = false
        for number in function.blocks.indices {
            let block = function.blocks[number]
            var live = Set(liveness.atEnd[number])
            live.formUnion(block.terminator.reads)
            var kept: [MachineInstruction] = []
            for instruction in block.instructions.reversed() {
                if instruction.isPure, let dst = instruction.dst, !live.contains(dst) {
                    hasChanged = true
                    continue
                }
                live.subtract(instruction.writes)
                live.formUnion(instruction.reads)
                kept.append(instruction)
            }
            function.blocks[number].instructions = kept.reversed()
        }
        return hasChanged
    }
}
