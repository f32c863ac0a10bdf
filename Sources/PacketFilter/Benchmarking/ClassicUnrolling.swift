import ClassicBPF

extension ClassicProgram {
    /// The program `count` times, the ends of one copy leading to the next, and then `ret #answer`.
    ///
    /// Each copy finds A and X at 0 where it asks for them. It needs nothing done about M[]: by the kernel's rules no
    /// filter reads what it has not written. A load outside the packet and a division by 0 end all of it.
    ///
    /// - Parameters:
    ///   - count: How many copies, at least 0.
    ///   - answer: The result behind the last copy; nil leaves that copy its own ends, so that all decides as one does.
    /// - Throws: `ValidationError` if that is longer than the kernel's 4,096 instructions, or the program is one that
    ///   the kernel does not take.
    package func unrolled(_ count: Int, answer: UInt32?) throws(ValidationError) -> ClassicProgram {
        // A jump that goes backward could pass for one forward in what is made of it.
        try RuleSet.kernel.validate(instructions)
        let copy = clearing + instructions.indices.map(leadingOn)
        let end = answer.map { [Instruction(code: 0x06, k: $0)] } ?? clearing + instructions
        return try ClassicProgram((0..<(answer == nil ? count - 1 : count)).flatMap { _ in copy } + end)
    }

    /// How many instructions a copy has.
    package var unrolledSize: Int { clearing.count + count }

    /// The most copies that fit a program of the kernel's.
    package var mostCopies: Int { (RuleSet.maximumKernelInstructions - 1) / unrolledSize }

    /// The instruction at `index`, or in the place of a `ret` a jump to behind the last instruction.
    private func leadingOn(_ index: Int) -> Instruction {
        guard case .result = operation(at: index) else { return instructions[index] }
        return Instruction(code: 0x05, k: UInt32(count - index - 1))
    }

    /// What puts the registers back to 0 that the program reads before it writes them.
    private var clearing: [Instruction] {
        let needed = registersReadFirst
        return (needed.contains(.a) ? [Instruction(code: 0x00, k: 0)] : [])
            + (needed.contains(.x) ? [Instruction(code: 0x01, k: 0)] : [])
    }

    /// The registers that some path reads before it writes them.
    ///
    /// All jumps go forward, so one way back through the program sees each instruction behind what follows it.
    private var registersReadFirst: ClassicRegisters {
        var needed = [ClassicRegisters](repeating: [], count: count)
        for index in instructions.indices.reversed() {
            let behind = successors(of: index).reduce(into: ClassicRegisters()) { $0.formUnion(needed[$1]) }
            let use = operation(at: index).registers
            needed[index] = behind.subtracting(use.written).union(use.read)
        }
        return needed[0]
    }
}

/// A and X.
private struct ClassicRegisters: OptionSet {
    var rawValue: UInt8
    static let a = ClassicRegisters(rawValue: 1)
    static let x = ClassicRegisters(rawValue: 2)
}

extension ClassicBPF.Operation {
    /// Which registers it reads, and which it writes whatever they were.
    fileprivate var registers: (read: ClassicRegisters, written: ClassicRegisters) {
        switch self {
        case .load(let source): (source.registersRead, .a)
        case .loadIndex: ([], .x)
        case .store: (.a, [])
        case .storeIndex: (.x, [])
        case .arithmetic(_, let operand): (operand.registersRead.union(.a), .a)
        case .negate: (.a, .a)
        case .jump: ([], [])
        case .branch(_, let operand, _, _): (operand.registersRead.union(.a), [])
        case .result(.a): (.a, [])
        case .result(.constant): ([], [])
        case .transferAToX: (.a, .x)
        case .transferXToA: (.x, .a)
        }
    }
}

extension ClassicBPF.Operation.Source {
    fileprivate var registersRead: ClassicRegisters {
        switch self {
        case .indirect: .x
        case .extension(.nla), .extension(.nlan), .extension(.xorX): [.a, .x]
        // Without an interface these end the filter with A.
        case .extension(.ifidx), .extension(.hatype): .a
        case .immediate, .absolute, .memory, .length, .extension: []
        }
    }
}

extension ClassicBPF.Operation.Operand {
    fileprivate var registersRead: ClassicRegisters {
        if case .index = self { .x } else { [] }
    }
}
