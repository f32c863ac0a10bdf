// The table between codes and meanings. A code is a class in its low three bits, then, by class:
// size (0x18) and mode (0xe0) for loads, the operand's kind (0x08) and an operator (0xf0) for ALU and JMP,
// the value (0x18) for RET and the direction (0xf8) for MISC.

/// The instruction classes, the low three bits of a code.
enum Class: UInt16 {
    case ld = 0, ldx, st, stx, alu, jmp, ret, misc
}

/// The addressing modes of loads, bits 5 to 7 of a code.
private enum Mode: UInt16 {
    case imm = 0x00
    case abs = 0x20
    case ind = 0x40
    case mem = 0x60
    case len = 0x80
    case msh = 0xa0
}

private let sizeBits: UInt16 = 0x18
private let operandBit: UInt16 = 0x08
private let jumpAlways: UInt16 = 0x00
private let negation: UInt16 = 0x80
private let txa: UInt16 = 0x80
private let returnA: UInt16 = 0x10

extension Instruction {
    /// What the instruction means, or nil if Linux knows no such code.
    ///
    /// Fields the operation does not use are ignored, as the kernel ignores them.
    /// Complexity: O(1).
    public var operation: Operation? {
        // Each operation has one code, so decoding leniently and comparing refuses the rest. Only an extension may
        // be loaded with any size.
        guard let operation = leniently() else { return nil }
        if case .load(.extension) = operation { return code & ~sizeBits == Mode.abs.rawValue ? operation : nil }
        return Instruction(operation).code == code ? operation : nil
    }

    private func leniently() -> Operation? {
        switch Class(rawValue: code & 0x07)! {
        case .ld: loadSource.map(Operation.load)
        case .ldx: indexSource.map(Operation.loadIndex)
        case .st: .store(k)
        case .stx: .storeIndex(k)
        case .alu: arithmetic
        case .jmp: jump
        case .ret: .result(code == Class.ret.rawValue | returnA ? .a : .constant(k))
        case .misc: code & 0xf8 == txa ? .transferXToA : .transferAToX
        }
    }

    private var loadSource: Operation.Source? {
        switch Mode(rawValue: code & 0xe0) {
        case .imm: .immediate(k)
        case .abs: size.map { size in Extension(offset: k).map { .extension($0) } ?? .absolute(size, k) }
        case .ind: size.map { .indirect($0, k) }
        case .mem: .memory(k)
        case .len: .length
        case .msh, nil: nil
        }
    }

    private var indexSource: Operation.IndexSource? {
        switch Mode(rawValue: code & 0xe0) {
        case .imm: .immediate(k)
        case .mem: .memory(k)
        case .len: .length
        case .msh: .headerLength(k)
        case .abs, .ind, nil: nil
        }
    }

    private var size: Operation.Size? {
        switch code & sizeBits {
        case 0x00: .word
        case 0x08: .half
        case 0x10: .byte
        default: nil
        }
    }

    private var operand: Operation.Operand {
        code & operandBit == 0 ? .constant(k) : .index
    }

    private var arithmetic: Operation? {
        if code & 0xf0 == negation { return .negate }
        return Operation.ArithmeticOperator(rawValue: code & 0xf0).map { .arithmetic($0, operand) }
    }

    private var jump: Operation? {
        if code & 0xf0 == jumpAlways { return .jump(k) }
        return Operation.Comparison(rawValue: code & 0xf0).map { .branch($0, operand, jt: jt, jf: jf) }
    }

    /// Makes the instruction for `operation`, with 0 in every field the operation does not use.
    ///
    /// An extension becomes a load of a word, as bpf_asm writes it.
    public init(_ operation: Operation) {
        switch operation {
        case .load(let source): self.init(loading: source)
        case .loadIndex(let source): self.init(loadingIndex: source)
        case .store(let k): self.init(code: Class.st.rawValue, k: k)
        case .storeIndex(let k): self.init(code: Class.stx.rawValue, k: k)
        case .arithmetic(let op, let operand):
            self.init(code: Class.alu.rawValue | op.rawValue | operand.bit, k: operand.k)
        case .negate: self.init(code: Class.alu.rawValue | negation)
        case .jump(let k): self.init(code: Class.jmp.rawValue | jumpAlways, k: k)
        case .branch(let comparison, let operand, let jt, let jf):
            self.init(code: Class.jmp.rawValue | comparison.rawValue | operand.bit, jt: jt, jf: jf, k: operand.k)
        case .result(.constant(let k)): self.init(code: Class.ret.rawValue, k: k)
        case .result(.a): self.init(code: Class.ret.rawValue | returnA)
        case .transferAToX: self.init(code: Class.misc.rawValue)
        case .transferXToA: self.init(code: Class.misc.rawValue | txa)
        }
    }

    private init(loading source: Operation.Source) {
        let load = Class.ld.rawValue
        switch source {
        case .immediate(let k): self.init(code: load | Mode.imm.rawValue, k: k)
        case .absolute(let size, let k): self.init(code: load | Mode.abs.rawValue | size.bits, k: k)
        case .indirect(let size, let k): self.init(code: load | Mode.ind.rawValue | size.bits, k: k)
        case .memory(let k): self.init(code: load | Mode.mem.rawValue, k: k)
        case .length: self.init(code: load | Mode.len.rawValue)
        case .extension(let ext): self.init(code: load | Mode.abs.rawValue, k: ext.offset)
        }
    }

    private init(loadingIndex source: Operation.IndexSource) {
        let load = Class.ldx.rawValue
        switch source {
        case .immediate(let k): self.init(code: load | Mode.imm.rawValue, k: k)
        case .memory(let k): self.init(code: load | Mode.mem.rawValue, k: k)
        case .length: self.init(code: load | Mode.len.rawValue)
        case .headerLength(let k): self.init(code: load | Mode.msh.rawValue | Operation.Size.byte.bits, k: k)
        }
    }
}

extension Operation.Size {
    fileprivate var bits: UInt16 {
        switch self {
        case .word: 0x00
        case .half: 0x08
        case .byte: 0x10
        }
    }
}

extension Operation.Operand {
    fileprivate var bit: UInt16 { self == .index ? operandBit : 0 }

    fileprivate var k: UInt32 {
        if case .constant(let k) = self { k } else { 0 }
    }
}
