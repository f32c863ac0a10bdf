/// Why bytes are no eBPF instruction, or an instruction has no bytes, and where.
public struct EncodingError: Error, Hashable, Sendable {
    /// What is wrong, with the offending value.
    public enum Reason: Error, Hashable, Sendable {
        /// A jump's distance does not fit the signed 16 bits of `offset`.
        case jumpTooFar(distance: Int)
        /// No instruction has this opcode.
        case unknownOpcode(UInt8)
        /// A register field holds a number above 10.
        case unknownRegister(UInt8)
        /// A field that the instruction does not use, or that takes certain values only, holds another.
        case reservedField(Field, value: Int64)
        /// The bytes end inside a slot.
        case partialSlot(bytes: Int)
        /// A wide instruction's second slot is missing.
        case missingSecondSlot
    }

    /// The fields of an instruction, RFC 9669's names.
    public enum Field: String, Hashable, Sendable {
        case dstReg = "dst_reg"
        case srcReg = "src_reg"
        case offset
        case imm
        case nextImm = "next_imm"
        /// The first four bytes of a wide instruction's second slot.
        case reserved
    }

    /// What is wrong.
    public var reason: Reason

    /// The slot of the instruction.
    public var slot: Slot

    /// Makes an error.
    public init(_ reason: Reason, at slot: Slot) {
        self.reason = reason
        self.slot = slot
    }
}

extension EncodingError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String { "slot \(slot.rawValue): \(reason)" }
}

extension EncodingError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .jumpTooFar(let distance):
            "a jump over \(distance) slots does not fit, the limits are -32768 and 32767"
        case .unknownOpcode(let opcode):
            "opcode 0x\(opcode < 16 ? "0" : "")\(String(opcode, radix: 16)) is no eBPF instruction"
        case .unknownRegister(let number):
            "register r\(number) does not exist, the last is r10"
        case .reservedField(let field, let value):
            "\(field.rawValue) is \(value), a value this instruction does not allow"
        case .partialSlot(let bytes):
            "\(bytes) bytes are left, a slot has 8"
        case .missingSecondSlot:
            "the second slot of a wide instruction is missing"
        }
    }
}
