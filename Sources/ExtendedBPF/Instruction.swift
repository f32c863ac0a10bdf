/// One eBPF instruction: a basic one, or a wide one that fills two slots.
///
/// Any field values can be held, also ones that RFC 9669 reserves, because the kernel's own converter makes such
/// instructions; ``validate()`` refuses them. Source: RFC 9669 §3.
public struct Instruction: Hashable, Sendable {
    /// What the instruction does.
    public var opcode: Opcode
    /// The destination register.
    public var dstReg: Register
    /// The source register. In calls and wide instructions its number says what `imm` stands for instead.
    public var srcReg: Register
    /// A jump distance in slots or a distance in bytes from a pointer.
    public var offset: Int16
    /// A constant.
    public var imm: Int32
    /// The upper 32 bits of a wide instruction's constant; 0 for a basic one.
    public var nextImm: Int32

    /// Makes an instruction of its fields. Nothing is checked.
    public init(
        _ opcode: Opcode, dstReg: Register = .r0, srcReg: Register = .r0, offset: Int16 = 0, imm: Int32 = 0,
        nextImm: Int32 = 0
    ) {
        self.opcode = opcode
        self.dstReg = dstReg
        self.srcReg = srcReg
        self.offset = offset
        self.imm = imm
        self.nextImm = nextImm
    }

    /// Whether this is the wide instruction, which fills two slots.
    public var isWide: Bool { opcode == .loadWide }

    /// How many 64-bit slots the instruction fills: 1, or 2 for a wide one.
    public var slots: Int { isWide ? 2 : 1 }

    /// What the `imm` of a call names, or nil if this is no call or names nothing known. Source: RFC 9669 §4.3.1.
    public var callKind: CallKind? { opcode == .call ? CallKind(rawValue: srcReg.rawValue) : nil }
}

/// What the `imm` of a call names. The raw value is the instruction's `srcReg`. Source: RFC 9669 §4.3, table 9.
public enum CallKind: UInt8, Hashable, Sendable, CaseIterable {
    /// A helper function by its static number.
    case helper = 0
    /// A program-local function, by the distance in slots from the next instruction (`BPF_PSEUDO_CALL`).
    case local = 1
    /// A kernel function by its BTF id (`BPF_PSEUDO_KFUNC_CALL`).
    case kernelFunction = 2
}

/// What the constant of a wide instruction stands for. The raw value is the instruction's `srcReg`.
///
/// Source: RFC 9669 §5.4, table 14.
public enum WideKind: UInt8, Hashable, Sendable, CaseIterable {
    /// The 64-bit number itself.
    case constant = 0
    /// The map with that file descriptor (`BPF_PSEUDO_MAP_FD`).
    case mapDescriptor = 1
    /// The address of a map's value: the descriptor and, in `nextImm`, the offset (`BPF_PSEUDO_MAP_VALUE`).
    case mapValue = 2
    /// The address of the kernel variable with that BTF id (`BPF_PSEUDO_BTF_ID`).
    case kernelVariable = 3
    /// The address of a program-local function (`BPF_PSEUDO_FUNC`).
    case localFunction = 4
    /// The map at that place of the descriptor array (`BPF_PSEUDO_MAP_IDX`).
    case mapIndex = 5
    /// As `mapValue`, by place (`BPF_PSEUDO_MAP_IDX_VALUE`).
    case mapIndexValue = 6
}

/// The place of a 64-bit slot in a program, counted from 0. A wide instruction fills two.
public struct Slot: RawRepresentable, Hashable, Comparable, Sendable {
    /// The number of slots before this one.
    public var rawValue: Int

    /// Makes a slot of its number.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// The distance in bytes from the start of the program.
    public var byteOffset: Int { rawValue * 8 }

    /// Whether `left` stands before `right`.
    public static func < (left: Slot, right: Slot) -> Bool { left.rawValue < right.rawValue }
}

extension Instruction {
    /// How many slots behind the next instruction a jump leads, or nil for what is none.
    public var jumpDistance: Int? {
        switch opcode {
        case .jumpLong: Int(imm)
        case .jump, .mayGoto: Int(offset)
        default: opcode.condition == nil ? nil : Int(offset)
        }
    }
}
