/// Which registers hold something that is still read, at the ends of blocks.
///
/// For each register the blocks it is live into are found by going back from its reads, so what lives in one block only
/// costs next to nothing.
struct Liveness {
    /// By block, the registers live at its start.
    private(set) var atStart: [[MachineRegister]]
    /// By block, the registers live at its end.
    private(set) var atEnd: [[MachineRegister]]

    /// Finds what is live in `function`.
    ///
    /// - Complexity: O(*n*) in the number of instructions plus the blocks each register lives through.
    init(_ function: MachineFunction) {
        let count = function.blocks.count
        atStart = Array(repeating: [], count: count)
        atEnd = Array(repeating: [], count: count)
        var predecessors = [[Int]](repeating: [], count: count)
        for (number, block) in function.blocks.enumerated() {
            for target in block.terminator.successors where predecessors[target].last != number {
                predecessors[target].append(number)
            }
        }
        var readFirst = [[Int]](repeating: [], count: function.registerCount)
        var writes = [[Int]](repeating: [], count: function.registerCount)
        var written = RegisterSet(of: function)
        var read = RegisterSet(of: function)
        for (number, block) in function.blocks.enumerated() {
            written.removeAll()
            read.removeAll()
            func note(_ register: MachineRegister) {
                guard register != .frame, !written.contains(register) else { return }
                if read.insert(register) { readFirst[register.number].append(number) }
            }
            for instruction in block.instructions {
                for register in instruction.reads { note(register) }
                for register in instruction.writes where written.insert(register) {
                    writes[register.number].append(number)
                }
            }
            for register in block.terminator.reads { note(register) }
        }
        var isLiveIn = [Int](repeating: -1, count: count)
        var isLiveOut = [Int](repeating: -1, count: count)
        var isWritten = [Int](repeating: -1, count: count)
        for register in readFirst.indices where !readFirst[register].isEmpty {
            for block in writes[register] { isWritten[block] = register }
            var pending = readFirst[register]
            for block in pending { isLiveIn[block] = register }
            while let block = pending.popLast() {
                atStart[block].append(MachineRegister(number: register))
                for before in predecessors[block] {
                    if isLiveOut[before] != register {
                        isLiveOut[before] = register
                        atEnd[before].append(MachineRegister(number: register))
                    }
                    if isWritten[before] != register, isLiveIn[before] != register {
                        isLiveIn[before] = register
                        pending.append(before)
                    }
                }
            }
        }
    }
}
