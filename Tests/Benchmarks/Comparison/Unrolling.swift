import ExtendedBPF
import PacketFilter

// A program that runs a filter many times: what is not the filter's is there once, however often the filter runs.

extension ClassicProgram {
    /// The program `count` times, the ends of one leading to the next, and then `ret #answer`.
    ///
    /// A load outside the packet ends all of it.
    /// - Throws: `ValidationError` if that is longer than the kernel allows.
    func unrolled(_ count: Int, answer: UInt32) throws -> ClassicProgram {
        let copy = instructions.indices.map { index in
            let isEnd = instructions[index].code & 7 == 6
            return isEnd ? ClassicInstruction(code: 5, k: UInt32(instructions.count - index - 1)) : instructions[index]
        }
        let end = ClassicInstruction(code: 6, k: answer)
        return try ClassicProgram((0..<count).flatMap { _ in copy } + [end])
    }
}

extension ExtendedBPF.Program {
    /// The same of an eBPF program: copies one behind the other that find the context in a register which they leave
    /// alone.
    ///
    /// - Returns: nil where the program is not one function, or leaves no register alone that calls keep too.
    func unrolled(_ count: Int, answer: UInt32) -> ExtendedBPF.Program? {
        guard functions.count == 1, let context = freeRegister else { return nil }
        var result = Function(name: entry.name, instructions: [.move64(context, .r1)])
        let slots = entry.slots
        for _ in 0..<count {
            result.instructions.append(.move64(.r1, context))
            for (place, reference) in entry.references {
                result.references[result.instructions.count + place] = reference
            }
            result.instructions += entry.instructions.indices.map { index in
                guard entry.instructions[index] == .exit else { return entry.instructions[index] }
                return .jump(Int16(entry.slotCount - slots[index].rawValue - 1))
            }
        }
        result.instructions += [.move32(.r0, answer), .exit]
        return ExtendedBPF.Program(functions: [result])
    }

    private var freeRegister: Register? {
        let used = Set(entry.instructions.flatMap { [$0.dstReg, $0.srcReg] })
        // Packet loads want the context in r6.
        return [Register.r9, .r8, .r7, .r6].first { !used.contains($0) }
    }
}
