import ExtendedBPF
import TestSupport

/// What a compiler can get wrong about an instruction.
///
/// Widths and signs are not among it: in almost all programs the upper half of a register is 0, and so is the highest bit.
public enum Mistake: String, CaseIterable, Sendable {
    /// A jump on `==` is one on `!=`, or the other way round.
    case equalityIsInverted
    /// A jump on `>` or `<` is one on `>=` or `<=`, or the other way round.
    case borderIsOnTheOtherSide
    /// A jump on set bits is one on equality.
    case bitTestIsEquality
    /// A number is compared with the next one.
    case comparesWithOneMore
    /// The next number is added, or taken away.
    case addsOneMore
    /// A number is taken away instead of added, or the other way round.
    case signIsInverted
    /// A mask lacks its lowest bit.
    case maskLacksABit
    /// A number is shifted by one bit more.
    case shiftsByOneMore
    /// A quotient is a remainder, or the other way round.
    case divisionIsModulo
    /// Another operator calculates with the bits of two numbers.
    case bitsAreMixedUp
    /// A load is from the byte behind the right one.
    case loadsFromTheNextByte
    /// A load is from the byte in front of the right one.
    case loadsFromThePreviousByte
    /// A load has half the width.
    case loadsHalf
    /// A number stays in the order of its bytes.
    case orderStays
    /// A constant is one more.
    case constantIsOneMore
    /// An instruction that calculates is left out.
    case isForgotten

    /// The instruction as this mistake has it, or nil where there is nothing to get wrong in this way.
    func made(in instruction: Instruction) -> Instruction? {
        switch instruction.opcode.instructionClass {
        case .jmp, .jmp32: instruction.opcode.condition.flatMap { jump($0, instruction) }
        case .alu, .alu64: instruction.opcode.arithmetic.flatMap { arithmetic($0, instruction) }
        case .ldx: load(instruction, \.offset)
        case .ld where instruction.opcode.mode != .imm: load(instruction, \.imm)
        default: nil
        }
    }

    private static let inverted: [JumpCondition: JumpCondition] = [.equal: .notEqual, .notEqual: .equal]
    private static let onTheOtherSide: [JumpCondition: JumpCondition] = [
        .greater: .greaterOrEqual, .greaterOrEqual: .greater, .less: .lessOrEqual, .lessOrEqual: .less,
    ]
    private static let halves: [Size: Size] = [.doubleword: .word, .word: .halfword, .halfword: .byte]

    private func jump(_ condition: JumpCondition, _ instruction: Instruction) -> Instruction? {
        switch self {
        case .equalityIsInverted: return instruction.with(Self.inverted[condition]?.rawValue)
        case .borderIsOnTheOtherSide: return instruction.with(Self.onTheOtherSide[condition]?.rawValue)
        case .bitTestIsEquality: return condition == .anyBitSet ? instruction.with(JumpCondition.equal.rawValue) : nil
        case .comparesWithOneMore:
            return instruction.opcode.operand == .immediate ? instruction.with(imm: instruction.imm &+ 1) : nil
        default: return nil
        }
    }

    private func arithmetic(_ op: ArithmeticOperator, _ instruction: Instruction) -> Instruction? {
        let isConstant = instruction.opcode.operand == .immediate
        switch (self, op) {
        case (.addsOneMore, .add) where isConstant, (.addsOneMore, .subtract) where isConstant,
            (.constantIsOneMore, .move) where isConstant:
            return instruction.with(imm: instruction.imm &+ 1)
        case (.signIsInverted, .add): return instruction.with(ArithmeticOperator.subtract.rawValue)
        case (.signIsInverted, .subtract): return instruction.with(ArithmeticOperator.add.rawValue)
        case (.maskLacksABit, .and) where isConstant:
            return instruction.with(imm: instruction.imm & (instruction.imm &- 1))
        case (.shiftsByOneMore, .shiftLeft) where isConstant, (.shiftsByOneMore, .shiftRight) where isConstant:
            return instruction.with(imm: instruction.imm + 1)
        case (.divisionIsModulo, .divide): return instruction.with(ArithmeticOperator.modulo.rawValue)
        case (.divisionIsModulo, .modulo): return instruction.with(ArithmeticOperator.divide.rawValue)
        case (.bitsAreMixedUp, .and), (.bitsAreMixedUp, .xor): return instruction.with(ArithmeticOperator.or.rawValue)
        case (.bitsAreMixedUp, .or): return instruction.with(ArithmeticOperator.and.rawValue)
        case (.orderStays, .byteSwap): return nothing(to: instruction.dstReg)
        case (.isForgotten, _) where op != .move: return nothing(to: instruction.dstReg)
        default: return nil
        }
    }

    private func nothing(to register: Register) -> Instruction { .move64(register, register) }

    private func load<Offset: FixedWidthInteger>(
        _ instruction: Instruction, _ offset: WritableKeyPath<Instruction, Offset>
    ) -> Instruction? {
        var changed = instruction
        switch self {
        case .loadsFromTheNextByte: changed[keyPath: offset] &+= 1
        case .loadsFromThePreviousByte: changed[keyPath: offset] &-= 1
        case .loadsHalf:
            guard let half = Self.halves[instruction.opcode.size] else { return nil }
            changed.opcode = Opcode(rawValue: instruction.opcode.rawValue & ~0x18 | half.rawValue)
        default: return nil
        }
        return changed
    }
}

extension Instruction {
    /// The instruction with another operator or condition, or nil if there is none.
    fileprivate func with(_ operatorBits: UInt8?) -> Instruction? {
        guard let operatorBits else { return nil }
        var copy = self
        copy.opcode = Opcode(rawValue: opcode.rawValue & 0x0f | operatorBits)
        return copy
    }

    fileprivate func with(imm: Int32) -> Instruction {
        var copy = self
        copy.imm = imm
        return copy
    }
}
