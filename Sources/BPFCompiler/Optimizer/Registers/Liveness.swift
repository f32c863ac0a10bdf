/// Which registers hold something that is still read, at the ends of blocks.
///
/// For each register the blocks it is live into are found by going back from its reads, so what lives in one block only
/// costs next to nothing.
struct Liveness {
    /// By block, the registers live at its start and at its end.
    private var starts: Buckets
    private var ends: Buckets

    /// The registers live at the start of `block`.
    func atStart(_ block: Int) -> some Sequence<MachineRegister> {
        starts[block].lazy.map { MachineRegister(number: $0) }
    }

    /// The registers live at the end of `block`.
    func atEnd(_ block: Int) -> some Sequence<MachineRegister> {
        ends[block].lazy.map { MachineRegister(number: $0) }
    }

    /// Finds what is live in `function`.
    ///
    /// - Complexity: O(*n*) in the number of instructions plus the blocks each register lives through.
    init(_ function: MachineFunction) {
        let count = function.blocks.count
        starts = Buckets(count: count)
        ends = Buckets(count: count)
        var predecessors = Buckets(count: count, capacity: 2 * count)
        for (number, block) in function.blocks.enumerated() {
            for target in block.terminator.successors where predecessors.last(of: target) != number {
                predecessors.append(number, to: target)
            }
        }
        let uses = Uses(function)
        var isLiveIn = [Int](repeating: -1, count: count)
        var isLiveOut = [Int](repeating: -1, count: count)
        var isWritten = [Int](repeating: -1, count: count)
        var pending: [Int] = []
        for register in 0..<function.registerCount where !uses.readFirst.isEmpty(register) {
            for block in uses.writes[register] { isWritten[block] = register }
            for block in uses.readFirst[register] {
                isLiveIn[block] = register
                pending.append(block)
            }
            while let block = pending.popLast() {
                starts.append(register, to: block)
                for before in predecessors[block] {
                    if isLiveOut[before] != register {
                        isLiveOut[before] = register
                        ends.append(register, to: before)
                    }
                    if isWritten[before] != register, isLiveIn[before] != register {
                        isLiveIn[before] = register
                        pending.append(before)
                    }
                }
            }
        }
    }

    /// By register, the blocks that read it before they write it, and those that write it.
    private struct Uses {
        var readFirst: Buckets
        var writes: Buckets

        init(_ function: MachineFunction) {
            readFirst = Buckets(count: function.registerCount)
            writes = Buckets(count: function.registerCount, capacity: function.registerCount)
            var written = RegisterSet(of: function)
            var read = RegisterSet(of: function)
            for (number, block) in function.blocks.enumerated() {
                written.removeAll()
                read.removeAll()
                for instruction in block.instructions {
                    for register in instruction.reads where !written.contains(register) && read.insert(register) {
                        readFirst.append(number, to: register.number)
                    }
                    for register in instruction.writes where written.insert(register) {
                        writes.append(number, to: register.number)
                    }
                }
                for register in block.terminator.reads where !written.contains(register) && read.insert(register) {
                    readFirst.append(number, to: register.number)
                }
            }
            // The stack's is always there.
            readFirst.removeAll(from: MachineRegister.frame.number)
        }
    }
}
