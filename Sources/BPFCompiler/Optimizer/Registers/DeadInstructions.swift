/// Takes out machine instructions whose result nobody reads, such as a pointer's last move.
enum DeadInstructions {
    static func remove(from function: inout MachineFunction) {
        // What only fed a dead instruction of a later block is found in the next round.
        while removeOnce(from: &function) {}
    }

    private static func removeOnce(from function: inout MachineFunction) -> Bool {
        let liveness = Liveness(function)
        var hasChanged = false
        var live = RegisterSet(of: function)
        for number in function.blocks.indices {
            live.removeAll()
            live.insert(liveness.atEnd(number))
            live.insert(function.blocks[number].terminator.reads)
            var dead: [Int] = []
            for (place, instruction) in function.blocks[number].instructions.enumerated().reversed() {
                if instruction.isPure, let dst = instruction.dst, !live.contains(dst) {
                    dead.append(place)
                    continue
                }
                live.remove(instruction.writes)
                live.insert(instruction.reads)
            }
            for place in dead { function.blocks[number].instructions.remove(at: place) }
            hasChanged = hasChanged || !dead.isEmpty
        }
        return hasChanged
    }
}
