import ClassicBPF
import ExtendedBPF

extension Translation {
    /// `A = A op operand`; a division by X = 0 ends the filter with 0.
    ///
    /// `leftover` is the instruction's k, which the kernel's converter copies also where it has no meaning.
    mutating func emitArithmetic(
        _ op: Operation.ArithmeticOperator, _ operand: Operation.Operand, leftover: UInt32
    ) {
        var instruction: ExtendedBPF.Instruction
        switch operand {
        case .constant(let k): instruction = .alu32(op.machine, a, Int32(bitPattern: k))
        case .index: instruction = .alu32(op.machine, a, x)
        }
        if operand == .index, op == .divide || op == .modulo {
            assembler.append(.move32(x, x))
            assembler.append(.jump64(if: x, .notEqual, 0, 2))
            emitReturnZero()
        }
        fillReservedFields(of: &instruction, with: leftover)
        assembler.append(instruction)
    }

    /// `A = −A`.
    mutating func emitNegation(leftover: UInt32) {
        var instruction = ExtendedBPF.Instruction.negate32(a)
        fillReservedFields(of: &instruction, with: leftover)
        assembler.append(instruction)
    }

    private func fillReservedFields(of instruction: inout ExtendedBPF.Instruction, with leftover: UInt32) {
        guard dialect == .kernel else { return }
        instruction.srcReg = x
        instruction.imm = Int32(bitPattern: leftover)
    }
}
