import ExtendedBPF

// Arithmetic and byte swaps. Source: RFC 9669 §4.1 and §4.2.

extension ExtendedState {
    /// `dst += imm`, the one arithmetic instruction whose constant can be a member's distance.
    private static let addConstant = Instruction.alu64(.add, .r0, 0).opcode

    mutating func arithmetic(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        if let reference {
            if case .kernelType(let name) = reference, let structure = KernelStructure(rawValue: name),
                instruction.opcode.arithmetic == .move
            {
                return try write(instruction.dstReg, UInt64(structure.typeID))
            }
            guard instruction.opcode == Self.addConstant else { throw .unresolvedReference(reference) }
            return try addDistance(of: reference, to: instruction.dstReg)
        }
        let is64 = instruction.opcode.instructionClass == .alu64
        let destination = instruction.dstReg
        let result: UInt64
        switch instruction.opcode.arithmetic! {
        case .byteSwap:
            result = swapped(try read(destination), instruction)
        case .negate:
            let value = 0 &- (try read(destination))
            result = is64 ? value : value & 0xffff_ffff
        case .move:
            result = moved(try secondOperand(of: instruction), signFrom: instruction.offset, is64: is64)
        case let op:
            let (left, right) = (try read(destination), try secondOperand(of: instruction))
            let signed = instruction.offset == 1
            result =
                is64
                ? combine(op, Int64(bitPattern: left), Int64(bitPattern: right), signed: signed)
                : combine(
                    op, Int32(truncatingIfNeeded: left), Int32(truncatingIfNeeded: right), signed: signed)
        }
        try write(destination, result)
    }

    /// `value` after a move; a width of 8, 16 or 32 sign-extends from there, 0 from nowhere.
    private func moved(_ value: UInt64, signFrom width: Int16, is64: Bool) -> UInt64 {
        let extended =
            switch width {
            case 8: UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: value)))
            case 16: UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: value)))
            case 32: UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: value)))
            default: value
            }
        return is64 ? extended : extended & 0xffff_ffff
    }

    /// `value` with its lower `imm` bits converted and the others 0.
    private func swapped(_ value: UInt64, _ instruction: Instruction) -> UInt64 {
        let swaps: Bool
        if instruction.opcode.instructionClass == .alu64 {
            swaps = true
        } else {
            // The operand bit asks for big-endian, its absence for little-endian order.
            swaps = (instruction.opcode.operand == .register) == (byteOrder == .little)
        }
        return switch instruction.imm {
        case 16: UInt64(swaps ? UInt16(truncatingIfNeeded: value).byteSwapped : UInt16(truncatingIfNeeded: value))
        case 32: UInt64(swaps ? UInt32(truncatingIfNeeded: value).byteSwapped : UInt32(truncatingIfNeeded: value))
        default: swaps ? value.byteSwapped : value
        }
    }
}

/// `left op right` in the width of `Number`, the bits above it 0.
///
/// Both are bit patterns; only division, remainder and the arithmetic shift look at a sign, the first two only if
/// `signed`. Shift distances count modulo the width, as Swift's masking shifts do.
private func combine<Number: FixedWidthInteger & SignedInteger>(
    _ op: ArithmeticOperator, _ left: Number, _ right: Number, signed: Bool
) -> UInt64 where Number.Magnitude: FixedWidthInteger & UnsignedInteger {
    let (unsignedLeft, unsignedRight) = (
        Number.Magnitude(truncatingIfNeeded: left), Number.Magnitude(truncatingIfNeeded: right)
    )
    let result: Number =
        switch op {
        case .add: left &+ right
        case .subtract: left &- right
        case .multiply: left &* right
        case .or: left | right
        case .and: left & right
        case .xor: left ^ right
        case .shiftLeft: left &<< right
        case .shiftRight: Number(truncatingIfNeeded: unsignedLeft &>> unsignedRight)
        case .arithmeticShiftRight: left &>> right
        case .divide where right == 0: 0
        case .modulo where right == 0: left
        // The least number divided by −1 is itself again, with no remainder.
        case .divide where signed: left.dividedReportingOverflow(by: right).partialValue
        case .modulo where signed: left.remainderReportingOverflow(dividingBy: right).partialValue
        case .divide: Number(truncatingIfNeeded: unsignedLeft / unsignedRight)
        case .modulo: Number(truncatingIfNeeded: unsignedLeft % unsignedRight)
        case .negate, .move, .byteSwap: preconditionFailure("an operator of one operand")
        }
    return UInt64(Number.Magnitude(truncatingIfNeeded: result))
}
