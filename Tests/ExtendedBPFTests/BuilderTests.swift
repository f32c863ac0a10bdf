import ExtendedBPF
import Testing

/// What LLVM 14 cannot assemble: the fields that RFC 9669 gives for these, written as opcode, dst, src, offset, imm.
@Suite struct BuilderTests {
    @Test(
        "builders fill the fields that the RFC names",
        arguments: [
            (.jump64(if: .r1, .anyBitSet, .r2, 3), 0x4d, 1, 2, 3, 0),
            (.jump64(if: .r1, .anyBitSet, 7, -3), 0x45, 1, 0, -3, 7),
            (.alu64(.modulo, .r3, .r4), 0x9f, 3, 4, 0, 0), (.alu32(.modulo, .r3, 9), 0x94, 3, 0, 0, 9),
            (.alu64(.modulo, .r3, -9), 0x97, 3, 0, 0, -9), (.alu32(.modulo, .r3, .r4), 0x9c, 3, 4, 0, 0),
            (.store(.byte, .r10, -1, 255), 0x72, 10, 0, -1, 255), (.store(.halfword, .r9, 2, -1), 0x6a, 9, 0, 2, -1),
            (.store(.word, .r10, -4, 1), 0x62, 10, 0, -4, 1), (.store(.doubleword, .r10, -8, 1), 0x7a, 10, 0, -8, 1),
            (.loadPacket(.halfword, at: .r7, plus: 0x8000_0000), 0x48, 0, 7, 0, .min),
            (.call(localAt: -2), 0x85, 0, 1, 0, -2),
            (.jumpLong(70_000), 0x06, 0, 0, 0, 70_000),
        ] as [(Instruction, UInt8, UInt8, UInt8, Int16, Int32)])
    func fields(instruction: Instruction, opcode: UInt8, dst: UInt8, src: UInt8, offset: Int16, imm: Int32) throws {
        #expect(instruction.opcode.rawValue == opcode)
        #expect(instruction.dstReg.rawValue == dst)
        #expect(instruction.srcReg.rawValue == src)
        #expect(instruction.offset == offset)
        #expect(instruction.imm == imm)
        try instruction.validate()
    }

    @Test("the kinds of calls and of wide instructions have the RFC's numbers")
    func kinds() {
        #expect(Instruction.call(helper: 1).callKind == .helper)
        #expect(Instruction.call(localAt: 1).callKind == .local)
        #expect(Instruction(.call, srcReg: .r2).callKind == .kernelFunction)
        #expect(Instruction(.call, srcReg: .r3).callKind == nil)
        #expect(Instruction.exit.callKind == nil)
        #expect(
            WideKind.allCases == [
                .constant, .mapDescriptor, .mapValue, .kernelVariable, .localFunction, .mapIndex, .mapIndexValue,
            ])
        #expect(WideKind.allCases.map(\.rawValue) == Array(0...6))
    }

    @Test("widths have the RFC's bits")
    func sizes() {
        #expect([Size.byte, .halfword, .word, .doubleword].map(\.bytes) == [1, 2, 4, 8])
        #expect([Size.byte, .halfword, .word, .doubleword].map(\.rawValue) == [0x10, 0x08, 0x00, 0x18])
    }
}
