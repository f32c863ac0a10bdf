import ClassicBPF
import Testing

/// Each rule, with the place, the value, the limit and the words of its error, and where it ends to apply.
@Suite struct ValidationTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        var instructions: [Instruction]
        var rules: RuleSet = .kernel
        var reason: ValidationError.Reason
        var index: Int?
        var message: String
        var testDescription: String { message }
    }

    static let ret = Instruction(code: 0x06, k: 1)

    static let refusals: [Refusal] = [
        Refusal(
            instructions: [], reason: .emptyProgram, message: "the program is empty, it needs at least one instruction"),
        Refusal(
            instructions: [Instruction](repeating: ret, count: 4097),
            reason: .tooManyInstructions(count: 4097, limit: 4096),
            message: "the program has 4097 instructions, at most 4096 are allowed"),
        Refusal(
            instructions: [ret, Instruction(code: 0x0e), ret], reason: .unknownCode(0x0e), index: 1,
            message: "instruction 1: code 0x0e is no classic BPF instruction"),
        Refusal(
            instructions: [Instruction(code: 0x1006), ret], reason: .unknownCode(0x1006), index: 0,
            message: "instruction 0: code 0x1006 is no classic BPF instruction"),
        Refusal(
            instructions: [Instruction(code: 0x34), ret], reason: .divisionByZero, index: 0,
            message: "instruction 0: division by the constant 0"),
        Refusal(
            instructions: [ret, Instruction(code: 0x94), ret], rules: .libpcap, reason: .divisionByZero, index: 1,
            message: "instruction 1: division by the constant 0"),
        Refusal(
            instructions: [Instruction(code: 0x64, k: 32), ret], reason: .shiftTooFar(distance: 32), index: 0,
            message: "instruction 0: shift by 32, at most 31 is allowed"),
        Refusal(
            instructions: [Instruction(code: 0x74, k: 0xffff_ffff), ret], reason: .shiftTooFar(distance: 0xffff_ffff),
            index: 0, message: "instruction 0: shift by 4294967295, at most 31 is allowed"),
        Refusal(
            instructions: [Instruction(code: 0x02, k: 16), ret], reason: .noSuchMemory(index: 16), index: 0,
            message: "instruction 0: M[16] does not exist, the last is M[15]"),
        Refusal(
            instructions: [Instruction(code: 0x61, k: 16), ret], rules: .libpcap, reason: .noSuchMemory(index: 16),
            index: 0, message: "instruction 0: M[16] does not exist, the last is M[15]"),
        Refusal(
            instructions: [Instruction(code: 0x60, k: 3), ret], reason: .unwrittenMemory(index: 3), index: 0,
            message: "instruction 0: M[3] is read but not written on every path to here"),
        Refusal(
            instructions: [Instruction(code: 0x28, k: 0xffff_f001), ret],
            reason: .unknownExtension(offset: 0xffff_f001), index: 0,
            message:
                "instruction 0: offset 0xfffff001 is no extension, the known ones are 0xfffff000 plus 0, 4, … 60"),
        Refusal(
            instructions: [Instruction(code: 0x15, jt: 0, jf: 2), ret, ret],
            reason: .jumpOutOfRange(target: 3, count: 3),
            index: 0, message: "instruction 0: jump to instruction 3, the last is 2"),
        Refusal(
            instructions: [ret, Instruction(code: 0x15, jt: 255, jf: 0), ret],
            reason: .jumpOutOfRange(target: 257, count: 3), index: 1,
            message: "instruction 1: jump to instruction 257, the last is 2"),
        Refusal(
            instructions: [Instruction(code: 0x05, k: 0x7fff_ffff), ret],
            reason: .jumpOutOfRange(target: 0x8000_0000, count: 2), index: 0,
            message: "instruction 0: jump to instruction 2147483648, the last is 1"),
        Refusal(
            instructions: [ret, Instruction(code: 0x05, k: 0xffff_fffe), ret],
            reason: .jumpOutOfRange(target: 0, count: 3), index: 1,
            message: "instruction 1: jump back to instruction 0, only forward is allowed"),
        Refusal(
            instructions: [Instruction(code: 0x05, k: 0xffff_fffe), ret], rules: .libpcap,
            reason: .jumpOutOfRange(target: -1, count: 2), index: 0,
            message: "instruction 0: jump to instruction -1, the first is 0"),
        Refusal(
            instructions: [ret, Instruction(code: 0x00, k: 1)], reason: .missingReturn, index: 1,
            message: "instruction 1: the last instruction must be a ret of a constant or of A"),
    ]

    @Test("a broken rule is named with its place, value and limit", arguments: refusals)
    func refused(_ refusal: Refusal) {
        let expected = ValidationError(refusal.reason, at: refusal.index)
        #expect(throws: expected) { try Program(refusal.instructions, satisfying: refusal.rules) }
        #expect(throws: expected) { try refusal.rules.validate(refusal.instructions) }
        #expect("\(expected)" == refusal.message)
    }

    @Test("every rule has a case above")
    func allRulesAreCovered() {
        // The switch does not compile when a rule is added without a thought to this test.
        let covered = Self.refusals.map { refusal -> Int in
            switch refusal.reason {
            case .emptyProgram: 0
            case .tooManyInstructions: 1
            case .unknownCode: 2
            case .divisionByZero: 3
            case .shiftTooFar: 4
            case .noSuchMemory: 5
            case .unwrittenMemory: 6
            case .unknownExtension: 7
            case .jumpOutOfRange: 8
            case .missingReturn: 9
            // Of dialects, whose verdicts `DialectTests` has.
            case .unavailable, .notInSeccompData: 10
            }
        }
        #expect(Set(covered) == Set(0...9))
    }

    @Test(
        "a program says which sets of rules it satisfies",
        arguments: [
            ([ret], [.kernel, .libpcap]),
            ([Instruction](repeating: ret, count: 4096), [.kernel, .libpcap]),
            ([Instruction](repeating: ret, count: 4097), .libpcap),
            ([Instruction(code: 0x64, k: 31), ret], [.kernel, .libpcap]),
            ([Instruction(code: 0x64, k: 32), ret], .libpcap),
            // A distance in X is no constant, so a left-over k is none either.
            ([Instruction(code: 0x6c, k: 32), ret], [.kernel, .libpcap]),
            ([Instruction(code: 0x3c, k: 0), ret], [.kernel, .libpcap]),
            ([Instruction(code: 0x60, k: 15), ret], .libpcap),
            ([Instruction(code: 0x02, k: 15), Instruction(code: 0x61, k: 15), ret], [.kernel, .libpcap]),
            ([Instruction(code: 0x20, k: 0xffff_efff), ret], [.kernel, .libpcap]),
            ([Instruction(code: 0x20, k: 0xffff_ffff), ret], .libpcap),
            ([Instruction(code: 0x40, k: 0xffff_ffff), Instruction(code: 0x16)], [.kernel, .libpcap]),
            ([Instruction(code: 0x05, k: 0xffff_ffff), ret], .libpcap),
            ([Instruction(code: 0x05, k: 0), ret], [.kernel, .libpcap]),
            ([Instruction(code: 0x15, jt: 0, jf: 1), ret, ret], [.kernel, .libpcap]),
        ] as [([Instruction], RuleSet)])
    func satisfied(instructions: [Instruction], rules: RuleSet) throws {
        let program = try Program(instructions, satisfying: .libpcap)
        #expect(program.rules == rules)
        #expect(program.instructions == instructions)
        #expect((try? Program(instructions)) == (rules.contains(.kernel) ? program : nil))
        // Asking for both is asking for the stricter one.
        #expect((try? Program(instructions, satisfying: [.kernel, .libpcap])) == (try? Program(instructions)))
    }

    @Test(
        "M[] must be written on every path, and a ret does not end one",
        arguments: [
            // Straight on.
            ([Instruction(.store(0)), Instruction(.load(.memory(0))), ret], nil),
            // A ret is passed as if it were nothing: the dead read behind it is refused …
            ([ret, Instruction(.load(.memory(0))), ret], 1),
            // … but a ja is not, so this dead read is not.
            ([Instruction(.jump(1)), Instruction(.load(.memory(0))), ret], nil),
            ([Instruction(.jump(0)), Instruction(.load(.memory(0))), ret], 1),
            // Written on one side of a branch, on the other, on both.
            (
                [
                    Instruction(.branch(.equal, .index, jt: 1, jf: 0)), Instruction(.store(0)),
                    Instruction(.load(.memory(0))), ret,
                ], 2
            ),
            (
                [
                    Instruction(.branch(.equal, .index, jt: 0, jf: 1)), Instruction(.store(0)),
                    Instruction(.loadIndex(.memory(0))), ret,
                ], 2
            ),
            (
                [
                    Instruction(.branch(.equal, .index, jt: 0, jf: 2)), Instruction(.store(0)), Instruction(.jump(1)),
                    Instruction(.storeIndex(0)), Instruction(.load(.memory(0))), ret,
                ], nil
            ),
            // Another cell is no help.
            ([Instruction(.store(1)), Instruction(.load(.memory(0))), ret], 1),
        ] as [([Instruction], Int?)])
    func memory(instructions: [Instruction], refusedAt index: Int?) {
        do throws(ValidationError) {
            _ = try Program(instructions)
            #expect(index == nil)
        } catch {
            #expect(error == ValidationError(.unwrittenMemory(index: 0), at: index))
        }
    }
}
