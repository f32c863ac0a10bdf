/// Goes past blocks that only go on, and joins a block to the one in front of it where no other way leads there.
enum BlockCleaning {
    static func run(on function: inout MachineFunction) {
        bypass(in: &function)
        join(in: &function)
        removeUnreachable(from: &function)
    }

    private static func bypass(in function: inout MachineFunction) {
        let blocks = function.blocks
        func final(_ number: Int) -> Int {
            var number = number
            // A loop of empty blocks has no end.
            for _ in blocks.indices {
                guard blocks[number].instructions.isEmpty, case .jump(let next) = blocks[number].terminator else {
                    break
                }
                number = next
            }
            return number
        }
        for number in function.blocks.indices {
            let terminator = function.blocks[number].terminator.mapTargets(final)
            if case .branch(_, let then, let otherwise) = terminator, then == otherwise {
                function.blocks[number].terminator = .jump(then)
            } else {
                function.blocks[number].terminator = terminator
            }
        }
    }

    private static func join(in function: inout MachineFunction) {
        let reached = reachable(in: function)
        let counts = predecessorCounts(in: function)
        var isJoined = [Bool](repeating: false, count: function.blocks.count)
        for number in function.blocks.indices where reached[number] && !isJoined[number] {
            while case .jump(let next) = function.blocks[number].terminator, next != number, next != 0,
                counts[next] == 1, !isJoined[next]
            {
                isJoined[next] = true
                function.blocks[number].instructions += function.blocks[next].instructions
                function.blocks[number].terminator = function.blocks[next].terminator
                function.blocks[number].origin = function.blocks[next].origin
                function.blocks[next] = MachineBlock()
            }
        }
    }

    /// Blocks that nothing reaches are emptied; they stay as numbers.
    private static func removeUnreachable(from function: inout MachineFunction) {
        let reached = reachable(in: function)
        for number in function.blocks.indices where !reached[number] { function.blocks[number] = MachineBlock() }
    }

    /// By block, whether some way from the first leads there.
    static func reachable(in function: MachineFunction) -> [Bool] {
        var reached = [Bool](repeating: false, count: function.blocks.count)
        reached[0] = true
        var pending = [0]
        while let number = pending.popLast() {
            for target in function.blocks[number].terminator.successors where !reached[target] {
                reached[target] = true
                pending.append(target)
            }
        }
        return reached
    }

    /// By block, how many ways lead there from blocks that are reached.
    static func predecessorCounts(in function: MachineFunction) -> [Int] {
        let reached = reachable(in: function)
        var counts = [Int](repeating: 0, count: function.blocks.count)
        for (number, block) in function.blocks.enumerated() where reached[number] {
            for target in block.terminator.successors { counts[target] += 1 }
        }
        return counts
    }
}
