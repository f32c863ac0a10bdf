/// The order of the bytes of a multi-byte field.
public enum ByteOrder: String, Hashable, Sendable, CaseIterable {
    /// Least significant byte first.
    case little
    /// Most significant byte first.
    case big

    /// The byte order of the machine this runs on.
    public static var host: ByteOrder { UInt16(1).littleEndian == 1 ? .little : .big }
}

extension Instruction {
    /// The bytes of one slot, `sizeof(struct bpf_insn)`.
    public static let slotSize = 8

    /// The instruction's 8 bytes, or 16 for a wide one.
    ///
    /// The order also decides which half of the second byte is which register. Source: RFC 9669 §3.
    public func bytes(_ order: ByteOrder) -> [UInt8] {
        var bytes = Self.slot(opcode.rawValue, dstReg.rawValue, srcReg.rawValue, offset, imm, order)
        if isWide { bytes += Self.slot(0, 0, 0, 0, nextImm, order) }
        return bytes
    }

    private static func slot(
        _ opcode: UInt8, _ dst: UInt8, _ src: UInt8, _ offset: Int16, _ imm: Int32, _ order: ByteOrder
    ) -> [UInt8] {
        switch order {
        case .little:
            [opcode, src << 4 | dst] + littleEndianBytes(UInt16(bitPattern: offset))
                + littleEndianBytes(UInt32(bitPattern: imm))
        case .big:
            [opcode, dst << 4 | src] + littleEndianBytes(UInt16(bitPattern: offset)).reversed()
                + littleEndianBytes(UInt32(bitPattern: imm)).reversed()
        }
    }

    /// Reads the instructions that `bytes` consist of.
    ///
    /// - Throws: ``EncodingError`` at the first slot that is no instruction of RFC 9669.
    public static func decode(
        _ bytes: some Collection<UInt8>, _ order: ByteOrder
    ) throws(EncodingError) -> [Instruction] {
        let bytes = Array(bytes)
        var instructions: [Instruction] = []
        var slot = Slot(rawValue: 0)
        while slot.byteOffset < bytes.count {
            do {
                let instruction = try decodeOne(bytes[slot.byteOffset...], order)
                instructions.append(instruction)
                slot.rawValue += instruction.slots
            } catch {
                throw EncodingError(error, at: slot)
            }
        }
        return instructions
    }

    private static func decodeOne(
        _ bytes: ArraySlice<UInt8>, _ order: ByteOrder
    ) throws(EncodingError.Reason) -> Instruction {
        guard bytes.count >= slotSize else { throw .partialSlot(bytes: bytes.count) }
        let fields = SlotFields(bytes.prefix(slotSize), order)
        guard let dst = Register(rawValue: fields.dst) else { throw .unknownRegister(fields.dst) }
        guard let src = Register(rawValue: fields.src) else { throw .unknownRegister(fields.src) }
        var instruction = Instruction(
            Opcode(rawValue: fields.opcode), dstReg: dst, srcReg: src, offset: fields.offset, imm: fields.imm)
        if instruction.isWide {
            let rest = bytes.dropFirst(slotSize)
            guard rest.count >= slotSize else { throw .missingSecondSlot }
            if let byte = rest.prefix(4).first(where: { $0 != 0 }) {
                throw .reservedField(.reserved, value: Int64(byte))
            }
            instruction.nextImm = SlotFields(rest.prefix(slotSize), order).imm
        }
        try instruction.validate()
        return instruction
    }
}

/// The fields of a slot as they stand, before any of them is believed.
private struct SlotFields {
    var opcode, dst, src: UInt8
    var offset: Int16
    var imm: Int32

    init(_ bytes: ArraySlice<UInt8>, _ order: ByteOrder) {
        let b = Array(bytes)
        let registers = order == .little ? (b[1] & 15, b[1] >> 4) : (b[1] >> 4, b[1] & 15)
        let number = { (range: Range<Int>) -> UInt32 in
            (order == .little ? b[range].reversed() : Array(b[range])).reduce(0) { $0 << 8 | UInt32($1) }
        }
        opcode = b[0]
        (dst, src) = registers
        offset = Int16(truncatingIfNeeded: number(2..<4))
        imm = Int32(bitPattern: number(4..<8))
    }
}

private func littleEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
