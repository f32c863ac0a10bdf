import ExtendedBPF

// A program that runs a filter many times: what is not the filter's is there once, however often the filter runs.

extension ExtendedBPF.Program {
    /// The program `count` times, one copy behind the other, the ends of one leading to the next, and then `answer`.
    ///
    /// A copy finds the context in r1, as the program does, and nothing else: the verifier lets no program read what it
    /// has not written. Between copies the context is kept in a register that the program leaves alone or, where there
    /// is none, at the end of the stack.
    ///
    /// - Parameters:
    ///   - count: How many copies, at least 0.
    ///   - answer: The result behind the last copy; nil leaves that copy its own ends, so that all decides as one does.
    /// - Returns: nil where the program is not one function, uses all registers and all of the stack, or is too long to
    ///   jump over.
    package func unrolled(_ count: Int, answer: UInt32?) -> ExtendedBPF.Program? {
        guard functions.count == 1, let place = ContextPlace(beside: entry) else { return nil }
        let slots = entry.slots
        let end = entry.slotCount
        var result = Function(name: entry.name, instructions: [place.keep])
        for copy in 0..<count {
            result.instructions.append(place.restore)
            for (index, reference) in entry.references {
                result.references[result.instructions.count + index] = reference
            }
            for (index, instruction) in entry.instructions.enumerated() {
                guard instruction == .exit, answer != nil || copy < count - 1 else {
                    result.instructions.append(instruction)
                    continue
                }
                guard let distance = Int16(exactly: end - slots[index].rawValue - 1) else { return nil }
                result.instructions.append(.jump(distance))
            }
        }
        if let answer { result.instructions += [.move32(.r0, answer), .exit] }
        return ExtendedBPF.Program(functions: [result], data: data, maps: maps)
    }
}

/// Where the context is kept between copies.
private enum ContextPlace {
    case register(Register)
    case stack(Int16)

    /// A place that `function` does not use.
    init?(beside function: Function) {
        let used = Set(function.instructions.flatMap { [$0.dstReg, $0.srcReg] })
        // Calls leave these registers alone. Packet loads want the context in r6, so that is not free beside them.
        let free: Register? = [.r9, .r8, .r7, .r6].first { !used.contains($0) }
        if let free {
            self = .register(free)
        } else if !function.instructions.contains(where: \.mayReachStackEnd) {
            self = .stack(-512)
        } else {
            return nil
        }
    }

    /// Keeps what is in r1.
    var keep: ExtendedBPF.Instruction {
        switch self {
        case .register(let register): .move64(register, .r1)
        case .stack(let offset): .store(.doubleword, .r10, offset, .r1)
        }
    }

    /// Puts the context into r1.
    var restore: ExtendedBPF.Instruction {
        switch self {
        case .register(let register): .move64(.r1, register)
        case .stack(let offset): .load(.doubleword, .r1, .r10, offset)
        }
    }
}

extension ExtendedBPF.Instruction {
    /// Whether it could be about the last eight bytes of the stack, in a load or store, or in the making of a pointer.
    fileprivate var mayReachStackEnd: Bool {
        switch opcode.instructionClass {
        case .ldx, .st, .stx: (dstReg == .r10 || srcReg == .r10) && offset < -504
        case .alu64: imm < -504 && imm >= -512
        default: false
        }
    }
}
