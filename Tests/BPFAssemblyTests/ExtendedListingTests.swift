import BPFAssembly
import ExtendedBPF
import TestSupport
import Testing

#if os(Linux)
    import BPFKernel
#endif

@Suite struct ExtendedListingTests {
    #if os(Linux)
        /// The verifier logs every instruction it looks at; ours must read the same, slot by slot.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
        func instructionsReadAsInTheVerifiersLog() throws {
            for program in [Self.everyOperator, Self.everyJump, Self.memoryAndCalls] {
                var request = LoadRequest(program, type: .socketFilter)
                request.log = .states
                let log = try BPFKernel.Program(loading: request).log
                let theirs = Self.instructions(inVerifierLog: log)
                let ours = Self.instructions(inListing: ExtendedListing.text(program))
                #expect(theirs.count == ours.count, "the verifier saw every instruction")
                for (slot, text) in theirs { #expect(ours[slot] == text) }
            }
        }
    #endif

    @Test func sourceLinesAreCommentsWhereTheyChange() {
        let function = Function(
            name: "f", instructions: [.move32(.r0, 0), .loadWide(.r1, 5), .move32(.r0, 1), .exit],
            lines: [LineMark(instruction: 0, line: 1), LineMark(instruction: 2, line: 3)])
        #expect(
            ExtendedListing.text(ExtendedBPF.Program(functions: [function]), source: ["one", "two", "three\nfour"])
                == """
                ; one
                   0: (b4) w0 = 0
                   1: (18) r1 = 0x5
                ; three
                ; four
                   3: (b4) w0 = 1
                   4: (95) exit

                """)
    }

    @Test func referencesAreShownByName() {
        let function = Function(
            name: "f", instructions: [.load(.word, .r0, .r6, 0), .call(helper: 0), .call(localAt: 0), .exit],
            references: [
                0: .kernelField(structure: "sk_buff", member: "len"), 1: .kernelSymbol("bpf_skb_load_helper_8"),
                2: .function("g"),
            ])
        let callee = Function(name: "g", instructions: [.exit])
        #expect(
            ExtendedListing.text(ExtendedBPF.Program(functions: [function, callee])) == """
                f:
                   0: (61) r0 = *(u32 *)(r6 +sk_buff.len)
                   1: (85) call bpf_skb_load_helper_8
                   2: (85) call pc+1
                   3: (95) exit
                g:
                   4: (95) exit

                """)
    }

    @Test func whatIsReferredToHasItsName() {
        let function = Function(
            name: "f",
            instructions: [
                .loadWide(.r1, 0), .loadWide(.r2, 0), .alu64(.add, .r3, 0), .move32(.r4, 0 as UInt32),
                .load(.word, .r5, .r3, 0), .call(helper: 0), .exit,
            ],
            references: [
                0: .map("ports"), 1: .data("verdicts", offset: 4), 2: .kernelField(structure: "sk_buff", member: "cb"),
                3: .kernelType("sk_buff"), 4: .kernelField(structure: "sk_buff", member: "len"),
                5: .kernelFunction("bpf_rdonly_cast"),
            ])
        #expect(
            ExtendedListing.text(ExtendedBPF.Program(functions: [function])) == """
                   0: (18) r1 = map[ports]
                   2: (18) r2 = verdicts[0]+4
                   4: (07) r3 += sk_buff.cb
                   5: (b4) w4 = struct sk_buff
                   6: (61) r5 = *(u32 *)(r3 +sk_buff.len)
                   7: (85) call bpf_rdonly_cast
                   8: (95) exit

                """)
    }

    // MARK: Programs that hold every instruction

    private typealias Line = Instruction

    private static func program(_ body: [Instruction]) -> ExtendedBPF.Program {
        ExtendedBPF.Program(functions: [Function(name: "filter", instructions: body + [.move64(.r0, 0), .exit])])
    }

    private static let everyOperator: ExtendedBPF.Program = {
        var body: [Instruction] = [.move64(.r0, 77), .move64(.r1, 5)]
        for op in ArithmeticOperator.allCases where op != .byteSwap && op != .negate {
            let isShift = [.shiftLeft, .shiftRight, .arithmeticShiftRight].contains(op)
            let imm: Int32 = isShift ? 3 : -9
            body += [.alu64(op, .r0, imm), .alu64(op, .r0, .r1), .alu32(op, .r0, imm), .alu32(op, .r0, .r1)]
        }
        body += [.alu64(.negate, .r0, 0), .negate32(.r0)]
        for bits: Int32 in [16, 32, 64] {
            body.append(.bigEndian(.r0, bits: bits))
            var little = Instruction.bigEndian(.r0, bits: bits)
            little.opcode = Opcode(rawValue: 0xd4)
            var swap = little
            swap.opcode = Opcode(rawValue: 0xd7)
            body += [little, swap]
        }
        for (op, width) in [(ArithmeticOperator.move, Int16(8)), (.move, 16), (.divide, 1), (.modulo, 1)] {
            var signed = Instruction.alu64(op, .r0, .r1)
            signed.offset = width
            var narrow = Instruction.alu32(op, .r0, .r1)
            narrow.offset = width
            body += [signed, narrow]
        }
        return program(body)
    }()

    /// Jumps to the next instruction, so that the verifier sees every one; r0 is unknown to it.
    private static let everyJump: ExtendedBPF.Program = {
        var body: [Instruction] = [.call(helper: 7), .move64(.r6, .r0), .move64(.r7, 5)]
        for condition in JumpCondition.allCases {
            body.append(.jump64(if: .r6, condition, -3, 0))
            body.append(.jump64(if: .r6, condition, .r7, 0))
            for jump in body.suffix(2) {
                var narrow = jump
                narrow.opcode.rawValue = jump.opcode.rawValue & 0xf0 | jump.opcode.operand.rawValue | 0x06
                body.append(narrow)
            }
        }
        return program(body + [.jump(0), Instruction(.jumpLong)])
    }()

    private static let memoryAndCalls: ExtendedBPF.Program = {
        var body: [Instruction] = [.move64(.r6, .r1), .call(helper: 8), .call(helper: 5)]
        for size in Size.allCases {
            body += [.store(size, .r10, -8, .r0), .store(size, .r10, -16, -5), .load(size, .r1, .r10, -8)]
            guard size != .doubleword else { continue }
            var signed = Instruction.load(size, .r1, .r10, -8)
            signed.opcode = Opcode(rawValue: 0x81 | size.rawValue)
            body += [signed, .loadPacket(size, at: 14), .move64(.r2, 3), .loadPacket(size, at: .r2, plus: 0xfff0_0000)]
        }
        return program(body + [.loadWide(.r3, 0xfedc_ba98_7654_3210)])
    }()

    // MARK: Reading listings

    /// `N: (op) text` and, in the log, the state behind a semicolon.
    private static func instructions(inVerifierLog log: String) -> [Int: String] {
        instructions(inListing: log).mapValues { text in
            let end = text.firstRange(of: " ; ")?.lowerBound ?? text.endIndex
            return text[..<end].reversed().drop { $0 == " " }.reversed().map(String.init).joined()
        }
    }

    private static func instructions(inListing text: String) -> [Int: String] {
        var result: [Int: String] = [:]
        for line in text.split(separator: "\n") {
            guard let match = line.firstMatch(of: /^ *(\d+): (\([0-9a-f]{2}\) .*)$/), let slot = Int(match.1) else {
                continue
            }
            result[slot] = String(match.2)
        }
        return result
    }
}
