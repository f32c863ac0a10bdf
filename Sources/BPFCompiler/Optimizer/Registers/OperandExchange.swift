/// Exchanges the operands of sums where the second is read for the last time, so that its register can become the sum's.
///
///     t = index             t = pointer
///     t += pointer    →     t += index
enum OperandExchange {
    static func run(on function: inout MachineFunction) {
        let liveness = Liveness(function)
        var live = RegisterSet(of: function)
        for number in function.blocks.indices {
            live.removeAll()
            live.insert(liveness.atEnd(number))
            live.insert(function.blocks[number].terminator.reads)
            for place in function.blocks[number].instructions.indices.reversed() {
                let instruction = function.blocks[number].instructions[place]
                if instruction.isExchangeable, place > 0, let right = instruction.src, !live.contains(right) {
                    exchange(place, in: &function.blocks[number])
                }
                live.remove(instruction.writes)
                live.insert(instruction.reads)
            }
        }
    }

    private static func exchange(_ place: Int, in block: inout MachineBlock) {
        let move = block.instructions[place - 1]
        guard move.isMove, move.dst == block.instructions[place].dst else { return }
        block.instructions[place - 1].src = block.instructions[place].src
        block.instructions[place].src = move.src
    }
}
