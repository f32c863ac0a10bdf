import ClassicBPF
import TestSupport
import Testing

/// The eight bytes of an instruction. Expected bytes follow from `struct sock_filter { u16; u8; u8; u32 }`.
@Suite struct InstructionCodingTests {
    @Test("the fields lie where struct sock_filter has them")
    func layout() {
        let instruction = Instruction(code: 0x1234, jt: 0x56, jf: 0x78, k: 0x9abc_def0)
        #expect(instruction.bytes(.big) == [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0])
        #expect(instruction.bytes(.little) == [0x34, 0x12, 0x56, 0x78, 0xf0, 0xde, 0xbc, 0x9a])
        #expect(Instruction.size == 8)
    }

    @Test("the host's order is that of its memory")
    func host() {
        let code: UInt16 = 0x0102
        let inMemory = withUnsafeBytes(of: code) { Array($0) }
        #expect(Array(Instruction(code: code).bytes(.host).prefix(2)) == inMemory)
    }

    @Test("any field values come back, meaningful or not", arguments: [Instruction.ByteOrder.little, .big])
    func roundTrip(order: Instruction.ByteOrder) {
        var generator = SeededGenerator()
        for _ in 0..<20_000 {
            let bytes = (0..<8).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
            let instruction = Instruction(bytes: bytes, order)
            #expect(instruction.bytes(order) == bytes)
            #expect(Instruction(bytes: instruction.bytes(order), order) == instruction)
        }
        // A slice, whose indices do not start at 0.
        #expect(Instruction(bytes: [9, 9, 0, 1, 2, 3, 0, 0, 0, 4][2...], .big).k == 4)
    }
}
