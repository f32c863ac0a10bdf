import ExtendedBPF

// The instructions that programs have most of, as bytes; strings for each would take most of the time.
extension Instruction {
    /// Appends the instruction as LLVM writes it, if it is arithmetic, a comparison, a load or a store and nothing special.
    ///
    /// - Returns: Whether it is; else nothing has been appended.
    func appendPlain(to text: inout [UInt8]) -> Bool {
        switch opcode.instructionClass {
        case .alu, .alu64: return appendArithmetic(to: &text)
        case .jmp, .jmp32: return appendBranch(to: &text)
        case .ldx where opcode.mode == .mem:
            append(dstReg, to: &text)
            text.append(" = ")
            appendPlace(srcReg, to: &text)
        case .stx where opcode.mode == .mem:
            appendPlace(dstReg, to: &text)
            text.append(" = ")
            append(srcReg, to: &text)
        case .st where opcode.mode == .mem:
            appendPlace(dstReg, to: &text)
            text.append(" = ")
            text.append(signed: UInt32(bitPattern: imm))
        default: return false
        }
        return true
    }

    private func appendArithmetic(to text: inout [UInt8]) -> Bool {
        guard offset == 0, let op = opcode.arithmetic, op != .negate, op != .byteSwap else { return false }
        let isNarrow = opcode.instructionClass == .alu
        append(dstReg, isNarrow: isNarrow, to: &text)
        text.append(ascii: " ")
        text.append(contentsOf: op.symbol.utf8)
        text.append(ascii: " ")
        appendSecond(isNarrow: isNarrow, to: &text)
        return true
    }

    private func appendBranch(to text: inout [UInt8]) -> Bool {
        guard let condition = opcode.condition else { return false }
        let isNarrow = opcode.instructionClass == .jmp32
        text.append("if ")
        append(dstReg, isNarrow: isNarrow, to: &text)
        text.append(ascii: " ")
        text.append(contentsOf: condition.symbol.utf8)
        text.append(ascii: " ")
        appendSecond(isNarrow: isNarrow, to: &text)
        text.append(offset < 0 ? " goto " : " goto +")
        text.append(signed: UInt32(bitPattern: Int32(offset)))
        return true
    }

    private func appendSecond(isNarrow: Bool, to text: inout [UInt8]) {
        if opcode.operand == .register {
            append(srcReg, isNarrow: isNarrow, to: &text)
        } else {
            text.append(signed: UInt32(bitPattern: imm))
        }
    }

    private func append(_ register: Register, isNarrow: Bool = false, to text: inout [UInt8]) {
        text.append(ascii: isNarrow ? "w" : "r")
        text.append(decimal: UInt32(register.rawValue))
    }

    /// `*(u32 *)(r2 - 4)`.
    private func appendPlace(_ base: Register, to text: inout [UInt8]) {
        text.append("*(u")
        text.append(decimal: UInt32(opcode.size.bytes * 8))
        text.append(" *)(")
        append(base, to: &text)
        text.append(offset < 0 ? " - " : " + ")
        text.append(decimal: UInt32(offset.magnitude))
        text.append(ascii: ")")
    }
}
