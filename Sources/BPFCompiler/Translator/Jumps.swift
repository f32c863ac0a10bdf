import ClassicBPF
import ExtendedBPF

extension Translation {
    /// `goto target`.
    mutating func emitJump(to target: Int) {
        assembler.append(.jump(0), to: label(target))
    }

    /// Compares A and goes `jt` or `jf` instructions further: one eBPF instruction where one side falls through,
    /// else two.
    ///
    /// `leftover` is the instruction's k, which the kernel's converter copies also where it has no meaning.
    mutating func emitBranch(
        _ comparison: Operation.Comparison, _ operand: Operation.Operand, jt: UInt8, jf: UInt8, at index: Int,
        leftover: UInt32
    ) {
        let taken = label(index + 1 + Int(jt))
        let other = label(index + 1 + Int(jf))
        var jump = comparisonOfA(with: operand, leftover: leftover)
        if jf != 0, jt == 0, let inverse = comparison.condition.inverse {
            jump.setCondition(inverse)
            assembler.append(jump, to: other)
            return
        }
        jump.setCondition(comparison.condition)
        assembler.append(jump, to: taken)
        if jf != 0 { assembler.append(.jump(0), to: other) }
    }

    /// The jump `if A == operand`, its condition to be replaced.
    ///
    /// It compares 64 bits and sign-extends its constant, so one with the sign bit goes through a register.
    private mutating func comparisonOfA(with operand: Operation.Operand, leftover: UInt32) -> ExtendedBPF.Instruction {
        switch operand {
        case .index:
            var jump = ExtendedBPF.Instruction.jump64(if: a, .equal, x, 0)
            if dialect == .kernel { jump.imm = Int32(bitPattern: leftover) }
            return jump
        case .constant(let k):
            if let positive = Int32(exactly: k) { return .jump64(if: a, .equal, positive, 0) }
            assembler.append(.move32(temporary, k))
            return .jump64(if: a, .equal, temporary, 0)
        }
    }
}

extension ExtendedBPF.Instruction {
    fileprivate mutating func setCondition(_ condition: JumpCondition) {
        opcode.rawValue = opcode.rawValue & 0x0f | condition.rawValue
    }
}
