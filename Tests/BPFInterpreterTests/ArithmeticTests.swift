import BPFInterpreter
import ExtendedBPF
import Testing

/// One instruction on every pair of edge values, judged by the running kernel.
@Suite(.enabled(if: KernelRunner.isAvailable, "needs root, to run eBPF programs, and gcc"))
struct ArithmeticTests {
    /// A program that works on the first two numbers of the packet, in r0 and r2, and returns r0 folded.
    private func onPair(_ instructions: [Instruction]) -> Program {
        program(
            [.move64(.r6, .r1)] + Instruction.loadBytes(0, toStackBelow: 16, count: 16)
                + [.load(.doubleword, .r0, .r10, -16), .load(.doubleword, .r2, .r10, -8)]
                + instructions + Instruction.foldR0 + [.exit])
    }

    private func expectAgreement(
        _ programs: [Program], withSecondNumbers seconds: [UInt64] = edges,
        _ sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var cases: [KernelRunner.ExtendedCase] = []
        for program in programs {
            for left in edges {
                for right in seconds {
                    let pair = [left, right].flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
                    cases.append(.init(program, frame: [UInt8](repeating: 0, count: 14) + pair))
                }
            }
        }
        for (test, answer) in zip(cases, try KernelRunner.run(cases)) {
            let ours = try ExtendedMachine(byteOrder: .host).run(test.program, on: socketPacket(test.frame))
            #expect(
                .init(result: ours) == answer, "\(test.program.entry.instructions) on \(test.frame)",
                sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: ArithmeticOperator.allCases.filter { ![.negate, .byteSwap].contains($0) })
    func registerOperand(_ op: ArithmeticOperator) throws {
        var forms = [Instruction.alu64(op, .r0, .r2), .alu32(op, .r0, .r2)]
        if op == .divide || op == .modulo {
            forms += forms.map { .raw($0.opcode.rawValue, .r0, .r2, offset: 1) }
        }
        if op == .move {
            forms += [8, 16].flatMap { width in
                [Instruction.raw(0xbf, .r0, .r2, offset: width), .raw(0xbc, .r0, .r2, offset: width)]
            }
            forms.append(.raw(0xbf, .r0, .r2, offset: 32))
        }
        try expectAgreement(forms.map { onPair([$0]) })
    }

    @Test(arguments: ArithmeticOperator.allCases.filter { ![.negate, .byteSwap].contains($0) })
    func constantOperand(_ op: ArithmeticOperator) throws {
        let isShift = [.shiftLeft, .shiftRight, .arithmeticShiftRight].contains(op)
        let constants: [Int32] = isShift ? [0, 1, 31] : [1, -1, 7, .min, .max]
        var forms = constants.flatMap { [Instruction.alu64(op, .r0, $0), .alu32(op, .r0, $0)] }
        if isShift { forms.append(.alu64(op, .r0, 63)) }
        if op == .divide || op == .modulo {
            forms += forms.map { .raw($0.opcode.rawValue, .r0, offset: 1, imm: $0.imm) }
        }
        try expectAgreement(forms.map { onPair([$0]) }, withSecondNumbers: [0])
    }

    @Test func negationAndByteSwaps() throws {
        let swaps = [16, 32, 64].flatMap { bits in
            [Instruction.raw(0xd4, imm: bits), .raw(0xdc, imm: bits), .raw(0xd7, imm: bits)]
        }
        try expectAgreement(([.raw(0x84), .raw(0x87)] + swaps).map { onPair([$0]) }, withSecondNumbers: [0])
    }

    @Test(arguments: JumpCondition.allCases)
    func conditions(_ condition: JumpCondition) throws {
        let classes: [UInt8] = [0x05, 0x06]
        let registers = classes.map { Instruction.raw($0 | 0x08 | condition.rawValue, .r0, .r2, offset: 2) }
        let constants = classes.flatMap { jump in
            [0, 1, -1, .min, .max].map { Instruction.raw(jump | condition.rawValue, .r0, offset: 2, imm: $0) }
        }
        let choice = { onPair([$0, .move64(.r0, 1), .jump(1), .move64(.r0, 2)]) }
        try expectAgreement(registers.map(choice))
        try expectAgreement(constants.map(choice), withSecondNumbers: [0])
    }

    @Test func memoryInEveryWidth() throws {
        let loads = [0x71, 0x69, 0x61, 0x79, 0x91, 0x89, 0x81].map { (opcode: UInt8) in
            [Instruction.raw(opcode, .r0, .r10, offset: -16)]
        }
        let stores = Size.allCases.flatMap { size in
            [
                [Instruction.store(size, .r10, -16, .r2), .load(.doubleword, .r0, .r10, -16)],
                [Instruction.store(size, .r10, -16, -2), .load(.doubleword, .r0, .r10, -16)],
            ]
        }
        try expectAgreement((loads + stores).map { onPair($0) }, withSecondNumbers: [0x0102_0384_8586_8788])
    }

    /// What RFC 9669 defines and the verifier refuses: a constant divisor of 0, a constant distance beyond the width.
    @Test(arguments: [
        (Instruction.alu64(.divide, .r0, 0), 0 as UInt64), (.alu64(.modulo, .r0, 0), 0xffff_ffff_8000_0001),
        (.alu32(.modulo, .r0, 0), 0x8000_0001), (.alu64(.shiftLeft, .r0, 65), 0xffff_ffff_0000_0002),
        (.alu32(.shiftRight, .r0, 33), 0x4000_0000),
    ])
    func constantsOnlyTheRFCKnows(_ instruction: Instruction, _ expected: UInt64) throws {
        for half in 0...1 {
            let result = try ExtendedMachine().run(
                program([
                    .loadWide(.r0, 0xffff_ffff_8000_0001), instruction,
                    .alu64(.shiftRight, .r0, Int32(32 * half)), .exit,
                ]), on: Packet([]))
            #expect(result == UInt32(truncatingIfNeeded: expected >> UInt64(32 * half)))
        }
    }
}
