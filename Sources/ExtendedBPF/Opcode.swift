/// The first byte of an eBPF instruction: what it does.
///
/// The low three bits are the ``InstructionClass``. For arithmetic and jumps the next bit is the ``Operand`` kind and
/// the upper four the operator; for loads and stores the next two bits are the ``Size`` and the upper three the
/// ``Mode``. Source: RFC 9669 §3.1.
public struct Opcode: RawRepresentable, Hashable, Sendable {
    /// The byte.
    public var rawValue: UInt8

    /// Makes an opcode of any byte; ``Instruction/validate()`` tells whether it is a known one.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The class of the instruction.
    public var instructionClass: InstructionClass { InstructionClass(rawValue: rawValue & 0x07)! }

    /// The kind of the second operand; of meaning for arithmetic and jumps.
    public var operand: Operand { Operand(rawValue: rawValue & 0x08)! }

    /// The operator's bits, the upper four; of meaning for arithmetic and jumps.
    public var operatorBits: UInt8 { rawValue & 0xf0 }

    /// The operator of an arithmetic instruction, or nil if there is none of those bits.
    public var arithmetic: ArithmeticOperator? { ArithmeticOperator(rawValue: operatorBits) }

    /// The condition of a conditional jump, or nil for other instructions.
    public var condition: JumpCondition? {
        instructionClass == .jmp || instructionClass == .jmp32 ? JumpCondition(rawValue: operatorBits) : nil
    }

    /// The width; of meaning for loads and stores.
    public var size: Size { Size(rawValue: rawValue & 0x18)! }

    /// The addressing mode; of meaning for loads and stores, nil for bits that name none.
    public var mode: Mode? { Mode(rawValue: rawValue & 0xe0) }

    init(_ instructionClass: InstructionClass, _ op: UInt8, _ operand: Operand) {
        rawValue = instructionClass.rawValue | op | operand.rawValue
    }

    init(_ instructionClass: InstructionClass, _ mode: Mode, _ size: Size) {
        rawValue = instructionClass.rawValue | mode.rawValue | size.rawValue
    }

    /// `BPF_LD | BPF_DW | BPF_IMM`, the wide instruction.
    public static let loadWide = Opcode(.ld, .imm, .doubleword)
    /// `BPF_JMP | BPF_CALL`.
    public static let call = Opcode(.jmp, 0x80, .immediate)
    /// `BPF_JMP | BPF_EXIT`.
    public static let exit = Opcode(.jmp, 0x90, .immediate)
    /// `BPF_JMP | BPF_JA`, the distance in `offset`.
    public static let jump = Opcode(.jmp, 0x00, .immediate)
    /// `BPF_JMP32 | BPF_JA`, the distance in `imm` (ISA v4, `gotol`).
    public static let jumpLong = Opcode(.jmp32, 0x00, .immediate)
    /// `BPF_JMP | BPF_JCOND` with a source register of 0 (`BPF_MAY_GOTO`): jumps once loops have run long enough. Not in
    /// RFC 9669; source: `<linux/bpf.h>`, Linux 6.9.
    public static let mayGoto = Opcode(.jmp, 0xe0, .immediate)
}

/// The instruction classes. Source: RFC 9669 §3.1, table 5.
public enum InstructionClass: UInt8, Hashable, Sendable, CaseIterable {
    /// Loads of constants and the classic packet loads (`BPF_LD`).
    case ld
    /// Loads from memory into a register (`BPF_LDX`).
    case ldx
    /// Stores of a constant into memory (`BPF_ST`).
    case st
    /// Stores of a register into memory (`BPF_STX`).
    case stx
    /// 32-bit arithmetic; the upper half of the destination becomes 0 (`BPF_ALU`).
    case alu
    /// Jumps that compare 64 bits, calls and exit (`BPF_JMP`).
    case jmp
    /// Jumps that compare 32 bits (`BPF_JMP32`, ISA v3).
    case jmp32
    /// 64-bit arithmetic (`BPF_ALU64`).
    case alu64
}

/// The kind of the second operand. Source: RFC 9669 §4, table 6.
public enum Operand: UInt8, Hashable, Sendable, CaseIterable {
    /// The field `imm`, sign-extended to 64 bits (`BPF_K`).
    case immediate = 0x00
    /// The register `srcReg` (`BPF_X`).
    case register = 0x08
}

/// The arithmetic operators. Source: RFC 9669 §4.1, table 7.
public enum ArithmeticOperator: UInt8, Hashable, Sendable, CaseIterable {
    /// `dst += operand` (`BPF_ADD`).
    case add = 0x00
    /// `dst -= operand` (`BPF_SUB`).
    case subtract = 0x10
    /// `dst *= operand` (`BPF_MUL`).
    case multiply = 0x20
    /// `dst /= operand`, 0 if the operand is 0 (`BPF_DIV`).
    case divide = 0x30
    /// `dst |= operand` (`BPF_OR`).
    case or = 0x40
    /// `dst &= operand` (`BPF_AND`).
    case and = 0x50
    /// `dst <<= operand`, the distance modulo the width (`BPF_LSH`).
    case shiftLeft = 0x60
    /// `dst >>= operand`, logical, the distance modulo the width (`BPF_RSH`).
    case shiftRight = 0x70
    /// `dst = -dst` (`BPF_NEG`).
    case negate = 0x80
    /// `dst %= operand`, unchanged if the operand is 0 (`BPF_MOD`).
    case modulo = 0x90
    /// `dst ^= operand` (`BPF_XOR`).
    case xor = 0xa0
    /// `dst = operand` (`BPF_MOV`).
    case move = 0xb0
    /// `dst s>>= operand`, arithmetic, the distance modulo the width (`BPF_ARSH`).
    case arithmeticShiftRight = 0xc0
    /// Byte order conversion (`BPF_END`).
    case byteSwap = 0xd0
}

/// The conditions of conditional jumps. Source: RFC 9669 §4.3, table 9.
public enum JumpCondition: UInt8, Hashable, Sendable, CaseIterable {
    /// `dst == operand` (`BPF_JEQ`).
    case equal = 0x10
    /// `dst > operand`, unsigned (`BPF_JGT`).
    case greater = 0x20
    /// `dst >= operand`, unsigned (`BPF_JGE`).
    case greaterOrEqual = 0x30
    /// `dst & operand` is not 0 (`BPF_JSET`).
    case anyBitSet = 0x40
    /// `dst != operand` (`BPF_JNE`).
    case notEqual = 0x50
    /// `dst > operand`, signed (`BPF_JSGT`).
    case signedGreater = 0x60
    /// `dst >= operand`, signed (`BPF_JSGE`).
    case signedGreaterOrEqual = 0x70
    /// `dst < operand`, unsigned (`BPF_JLT`, ISA v2).
    case less = 0xa0
    /// `dst <= operand`, unsigned (`BPF_JLE`, ISA v2).
    case lessOrEqual = 0xb0
    /// `dst < operand`, signed (`BPF_JSLT`, ISA v2).
    case signedLess = 0xc0
    /// `dst <= operand`, signed (`BPF_JSLE`, ISA v2).
    case signedLessOrEqual = 0xd0
}

/// The width of a load or store. Source: RFC 9669 §5, table 11.
public enum Size: UInt8, Hashable, Sendable, CaseIterable {
    /// Four bytes (`BPF_W`).
    case word = 0x00
    /// Two bytes (`BPF_H`).
    case halfword = 0x08
    /// One byte (`BPF_B`).
    case byte = 0x10
    /// Eight bytes (`BPF_DW`).
    case doubleword = 0x18

    /// The width in bytes.
    public var bytes: Int {
        switch self {
        case .byte: 1
        case .halfword: 2
        case .word: 4
        case .doubleword: 8
        }
    }
}

/// What an atomic instruction does with the memory it names. The raw value is the instruction's `imm`.
///
/// The operators that fetch put the memory's former value into `srcReg`. Source: RFC 9669 §5.3, tables 13 and 14.
public enum AtomicOperator: Int32, Hashable, Sendable, CaseIterable {
    /// `memory += src`.
    case add = 0x00
    /// `memory |= src`.
    case or = 0x40
    /// `memory &= src`.
    case and = 0x50
    /// `memory ^= src`.
    case xor = 0xa0
    /// `memory += src`, fetching.
    case fetchAndAdd = 0x01
    /// `memory |= src`, fetching.
    case fetchAndOr = 0x41
    /// `memory &= src`, fetching.
    case fetchAndAnd = 0x51
    /// `memory ^= src`, fetching.
    case fetchAndXor = 0xa1
    /// `memory = src`, fetching (`XCHG`).
    case exchange = 0xe1
    /// `if memory == r0 { memory = src }`; the memory's former value goes into `r0` (`CMPXCHG`).
    case compareAndExchange = 0xf1
}

/// The addressing modes of loads and stores. Source: RFC 9669 §5, table 12.
public enum Mode: UInt8, Hashable, Sendable, CaseIterable {
    /// The 64-bit constant of a wide instruction (`BPF_IMM`).
    case imm = 0x00
    /// Classic packet load at a constant offset (`BPF_ABS`).
    case abs = 0x20
    /// Classic packet load at a register plus a constant (`BPF_IND`).
    case ind = 0x40
    /// Memory at a register plus an offset (`BPF_MEM`).
    case mem = 0x60
    /// As `mem`, sign-extending (`BPF_MEMSX`, ISA v4).
    case memSigned = 0x80
    /// Atomic operations (`BPF_ATOMIC`).
    case atomic = 0xc0
}
