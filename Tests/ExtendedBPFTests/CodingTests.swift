import ExtendedBPF
import TestSupport
import Testing

/// All 256 opcodes with values of every field, in both byte orders, against the registry.
@Suite struct CodingTests {
    @Test("an instruction decodes exactly if the registry has it, and comes back bit for bit")
    func allOpcodes() {
        let rows = Dictionary(grouping: registry, by: \.opcode)
        // 53 of arithmetic, 48 of jumps and calls, 24 of loads, stores and constants, and may_goto.
        #expect(rows.count == 126)
        for opcode in UInt8.min ... .max {
            for instruction in samples(opcode) {
                let order: ByteOrder = instruction.imm & 1 == 0 ? .little : .big
                check(instruction, order, rows[opcode] ?? [])
            }
        }
    }

    private func samples(_ opcode: UInt8) -> [Instruction] {
        let values: [Int32] = [
            0, 1, 16, 32, 33, 64, -1, 0x41, 0x50, 0xe1, 0xf0, 0x100, .min,
        ]
        var result: [Instruction] = []
        for dst: Register in [.r0, .r10] {
            for src: Register in [.r0, .r1, .r2, .r3, .r6, .r7, .r10] {
                for offset: Int16 in [0, 1, 2, 8, 16, 32, -1, .max, .min] {
                    for imm in values {
                        result.append(
                            Instruction(
                                Opcode(rawValue: opcode), dstReg: dst, srcReg: src, offset: offset, imm: imm,
                                nextImm: opcode == 0x18 ? ~imm : 0))
                    }
                }
            }
        }
        return result
    }

    private func check(_ instruction: Instruction, _ order: ByteOrder, _ rows: [RegistryRow]) {
        let bytes = reference(instruction, order)
        if instruction.bytes(order) != bytes { Issue.record("\(instruction) has bytes \(instruction.bytes(order))") }
        do throws(EncodingError) {
            let decoded = try Instruction.decode(bytes, order)
            if !rows.contains(where: { $0.allows(instruction) }) { Issue.record("accepted \(instruction)") }
            if decoded != [instruction] { Issue.record("\(instruction) became \(decoded)") }
        } catch {
            if error.slot != Slot(rawValue: 0) { Issue.record("\(error) is not at slot 0") }
            switch error.reason {
            case .unknownOpcode(let opcode):
                if opcode != instruction.opcode.rawValue || !rows.isEmpty { Issue.record("\(error): \(instruction)") }
            case .reservedField(let field, let value):
                let wrong = rows.contains { !$0.allows(field, of: instruction) }
                if rows.contains(where: { $0.allows(instruction) }) || !wrong || value != number(field, of: instruction)
                {
                    Issue.record("\(error): \(instruction)")
                }
            default: Issue.record("\(error): \(instruction)")
            }
        }
    }

    private func number(_ field: EncodingError.Field, of instruction: Instruction) -> Int64? {
        switch field {
        case .dstReg: Int64(instruction.dstReg.rawValue)
        case .srcReg: Int64(instruction.srcReg.rawValue)
        case .offset: Int64(instruction.offset)
        case .imm: Int64(instruction.imm)
        case .nextImm, .reserved: nil
        }
    }

    /// The bytes as RFC 9669 §3 draws them, by shifts.
    private func reference(_ instruction: Instruction, _ order: ByteOrder) -> [UInt8] {
        let (dst, src) = (instruction.dstReg.rawValue, instruction.srcReg.rawValue)
        let offset = UInt16(bitPattern: instruction.offset)
        func four(_ value: Int32) -> [UInt8] {
            let shifts: [UInt32] = order == .big ? [24, 16, 8, 0] : [0, 8, 16, 24]
            return shifts.map { UInt8(UInt32(bitPattern: value) >> $0 & 0xff) }
        }
        let high = UInt8(offset >> 8)
        let low = UInt8(offset & 0xff)
        var bytes = [instruction.opcode.rawValue, order == .big ? dst << 4 | src : src << 4 | dst]
        bytes += order == .big ? [high, low] : [low, high]
        bytes += four(instruction.imm)
        if instruction.opcode.rawValue == 0x18 { bytes += [0, 0, 0, 0] + four(instruction.nextImm) }
        return bytes
    }

    @Test("any eight or sixteen bytes either come back or are refused", arguments: ByteOrder.allCases)
    func randomBytes(order: ByteOrder) {
        var generator = SeededGenerator()
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = generator.bytes(generator.pick([8, 8, 16, 24, 7, 0]))
            // Mostly zero fields, or next to nothing would be an instruction.
            for index in bytes.indices where index % 8 != 0 && generator.chance(70) { bytes[index] = 0 }
            guard let decoded = try? Instruction.decode(bytes, order) else { continue }
            accepted += bytes.isEmpty ? 0 : 1
            #expect(decoded.flatMap { $0.bytes(order) } == bytes)
        }
        #expect(accepted > 500)
    }

    @Test("the host's order is that of its memory")
    func host() {
        let inMemory = withUnsafeBytes(of: UInt32(5)) { Array($0) }
        #expect(Array(Instruction(.call, imm: 5).bytes(.host)[4...]) == inMemory)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var bytes: [UInt8]
        var order = ByteOrder.little
        var reason: EncodingError.Reason
        var slot: Int
        var message: String
        var testDescription: String { message }
    }

    static let exit: [UInt8] = [0x95, 0, 0, 0, 0, 0, 0, 0]

    static let refusals: [Refusal] = [
        Refusal(
            bytes: exit + [0x0d, 0, 0, 0, 0, 0, 0, 0], reason: .unknownOpcode(0x0d), slot: 1,
            message: "slot 1: opcode 0x0d is no eBPF instruction"),
        // callx, which compilers know and the RFC does not.
        Refusal(
            bytes: [0x8d, 0, 0, 0, 0, 0, 0, 0], reason: .unknownOpcode(0x8d), slot: 0,
            message: "slot 0: opcode 0x8d is no eBPF instruction"),
        Refusal(
            bytes: [0xbf, 0x1b, 0, 0, 0, 0, 0, 0], reason: .unknownRegister(11), slot: 0,
            message: "slot 0: register r11 does not exist, the last is r10"),
        Refusal(
            bytes: [0xbf, 0x1f, 0, 0, 0, 0, 0, 0], order: .big, reason: .unknownRegister(15), slot: 0,
            message: "slot 0: register r15 does not exist, the last is r10"),
        Refusal(
            bytes: [0x95, 0x01, 0, 0, 0, 0, 0, 0], reason: .reservedField(.dstReg, value: 1), slot: 0,
            message: "slot 0: dst_reg is 1, a value this instruction does not allow"),
        Refusal(
            bytes: [0x04, 0x70, 0, 0, 0, 0, 0, 0], reason: .reservedField(.srcReg, value: 7), slot: 0,
            message: "slot 0: src_reg is 7, a value this instruction does not allow"),
        Refusal(
            bytes: [0x0f, 0x10, 0xff, 0xff, 0, 0, 0, 0], reason: .reservedField(.offset, value: -1), slot: 0,
            message: "slot 0: offset is -1, a value this instruction does not allow"),
        Refusal(
            bytes: [0xdc, 0, 0, 0, 0, 0, 0, 8], order: .big, reason: .reservedField(.imm, value: 8), slot: 0,
            message: "slot 0: imm is 8, a value this instruction does not allow"),
        Refusal(
            bytes: [0x18, 0, 0, 0, 0, 0, 0, 0] + exit, reason: .reservedField(.reserved, value: 0x95), slot: 0,
            message: "slot 0: reserved is 149, a value this instruction does not allow"),
        Refusal(
            bytes: exit + [0x18, 0, 0, 0, 0, 0, 0, 0], reason: .missingSecondSlot, slot: 1,
            message: "slot 1: the second slot of a wide instruction is missing"),
        Refusal(
            bytes: exit + [0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], reason: .missingSecondSlot, slot: 1,
            message: "slot 1: the second slot of a wide instruction is missing"),
        // Places are counted in slots, not in instructions.
        Refusal(
            bytes: [0x18] + [UInt8](repeating: 0, count: 15) + exit.dropLast(), reason: .partialSlot(bytes: 7), slot: 2,
            message: "slot 2: 7 bytes are left, a slot has 8"),
    ]

    @Test("what is refused is named with its slot and value", arguments: refusals)
    func refused(_ refusal: Refusal) {
        let expected = EncodingError(refusal.reason, at: Slot(rawValue: refusal.slot))
        #expect(throws: expected) { try Instruction.decode(refusal.bytes, refusal.order) }
        #expect("\(expected)" == refusal.message)
    }

    @Test("a basic instruction has no upper half of a constant")
    func nextImm() {
        let instruction = Instruction(.exit, nextImm: 5)
        #expect(throws: EncodingError.Reason.reservedField(.nextImm, value: 5)) { try instruction.validate() }
        #expect(
            "\(EncodingError.Reason.reservedField(.nextImm, value: 5))"
                == "next_imm is 5, a value this instruction does not allow")
    }
}
