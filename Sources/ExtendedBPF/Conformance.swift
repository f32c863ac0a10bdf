extension Instruction {
    /// Checks that the opcode is one of RFC 9669's and that every field it reserves is 0.
    ///
    /// Source: RFC 9669 §§4-5 and the IANA registry "BPF Instruction Set" it sets up.
    ///
    /// - Throws: The first thing that is wrong.
    public func validate() throws(EncodingError.Reason) {
        switch opcode.instructionClass {
        case .alu, .alu64: try validateArithmetic()
        case .jmp, .jmp32: try validateJump()
        case .ld: try validateConstantOrPacketLoad()
        case .ldx, .st, .stx: try validateMemoryAccess()
        }
        if !isWide { try require(.nextImm, Int64(nextImm), in: 0...0) }
    }

    private func validateArithmetic() throws(EncodingError.Reason) {
        let is64 = opcode.instructionClass == .alu64
        switch opcode.arithmetic {
        case nil:
            throw .unknownOpcode(opcode.rawValue)
        case .byteSwap:
            // ISA v4's unconditional swap has the 64-bit class and takes the operand bit as 0.
            if is64, opcode.operand == .register { throw .unknownOpcode(opcode.rawValue) }
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...0)
            try require(.offset, Int64(offset), in: 0...0)
            if ![16, 32, 64].contains(imm) { throw .reservedField(.imm, value: Int64(imm)) }
        case .negate:
            if opcode.operand == .register { throw .unknownOpcode(opcode.rawValue) }
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...0)
            try require(.offset, Int64(offset), in: 0...0)
            try require(.imm, Int64(imm), in: 0...0)
        case .divide, .modulo:
            // An offset of 1 makes them signed.
            try require(.offset, Int64(offset), in: 0...1)
            try validateSecondOperand()
        case .move where opcode.operand == .register:
            // An offset of 8, 16 or 32 makes it sign-extend from that width.
            let widths: [Int16] = is64 ? [0, 8, 16, 32] : [0, 8, 16]
            if !widths.contains(offset) { throw .reservedField(.offset, value: Int64(offset)) }
            try validateSecondOperand()
        default:
            try require(.offset, Int64(offset), in: 0...0)
            try validateSecondOperand()
        }
    }

    private func validateSecondOperand() throws(EncodingError.Reason) {
        switch opcode.operand {
        case .immediate: try require(.srcReg, Int64(srcReg.rawValue), in: 0...0)
        case .register: try require(.imm, Int64(imm), in: 0...0)
        }
    }

    private func validateJump() throws(EncodingError.Reason) {
        switch opcode {
        case .jump, .mayGoto:
            try require(.dstReg, Int64(dstReg.rawValue), in: 0...0)
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...0)
            try require(.imm, Int64(imm), in: 0...0)
        case .jumpLong:
            try require(.dstReg, Int64(dstReg.rawValue), in: 0...0)
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...0)
            try require(.offset, Int64(offset), in: 0...0)
        case .call:
            try require(.dstReg, Int64(dstReg.rawValue), in: 0...0)
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...2)
            // For a kernel function, offset is the place of its module's BTF in the descriptor array.
            if callKind != .kernelFunction { try require(.offset, Int64(offset), in: 0...0) }
        case .exit:
            try require(.dstReg, Int64(dstReg.rawValue), in: 0...0)
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...0)
            try require(.offset, Int64(offset), in: 0...0)
            try require(.imm, Int64(imm), in: 0...0)
        default:
            if opcode.condition == nil { throw .unknownOpcode(opcode.rawValue) }
            try validateSecondOperand()
        }
    }

    private func validateConstantOrPacketLoad() throws(EncodingError.Reason) {
        if isWide {
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...6)
            try require(.offset, Int64(offset), in: 0...0)
            return
        }
        guard opcode.mode == .abs || opcode.mode == .ind, opcode.size != .doubleword else {
            throw .unknownOpcode(opcode.rawValue)
        }
        try require(.dstReg, Int64(dstReg.rawValue), in: 0...0)
        try require(.offset, Int64(offset), in: 0...0)
        if opcode.mode == .abs { try require(.srcReg, Int64(srcReg.rawValue), in: 0...0) }
    }

    private func validateMemoryAccess() throws(EncodingError.Reason) {
        switch (opcode.instructionClass, opcode.mode, opcode.size) {
        case (.ldx, .mem, _), (.ldx, .memSigned, .byte), (.ldx, .memSigned, .halfword), (.ldx, .memSigned, .word),
            (.stx, .mem, _):
            try require(.imm, Int64(imm), in: 0...0)
        case (.stx, .atomic, .word), (.stx, .atomic, .doubleword):
            if AtomicOperator(rawValue: imm) == nil { throw .reservedField(.imm, value: Int64(imm)) }
        case (.st, .mem, _):
            try require(.srcReg, Int64(srcReg.rawValue), in: 0...0)
        default:
            throw .unknownOpcode(opcode.rawValue)
        }
    }

    private func require(
        _ field: EncodingError.Field, _ value: Int64, in allowed: ClosedRange<Int64>
    ) throws(EncodingError.Reason) {
        if !allowed.contains(value) { throw .reservedField(field, value: value) }
    }
}
