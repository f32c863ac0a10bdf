import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

/// What a form writes it reads back, and so every other form too.
@Suite struct RoundTripTests {
    @Test func theCorpusGoesFromEveryFormToEveryForm() throws {
        let programs = try FormSamples.corpus()
        #expect(programs.count > 300)
        for program in programs {
            for from in ClassicForm.allCases {
                let read = try from.read(from.write(program)).instructions
                try #require(read == program, "\(from)")
                for to in ClassicForm.allCases {
                    try #require(try to.read(to.write(read)).instructions == program, "\(from) to \(to)")
                }
            }
        }
    }

    /// Each through all forms, one behind the other, in an order of its own.
    @Test func tenThousandRandomProgramsGoThroughAllForms() throws {
        var generator = SeededGenerator()
        let maker = RandomProgram(leftovers: false, usualCount: 30)
        for _ in 0..<10_000 {
            let program = maker.next(using: &generator).instructions
            var instructions = program
            for form in ClassicForm.allCases.shuffled(using: &generator) {
                instructions = try form.read(form.write(instructions)).instructions
                try #require(instructions == program, "\(form)")
            }
        }
    }

    @Test(arguments: ClassicForm.allCases)
    func everyInstructionIsReadBack(form: ClassicForm) throws {
        #expect(try form.read(form.write(FormSamples.all)).instructions == FormSamples.all)
    }

    /// Forms of numbers keep what no instruction uses, and codes that are none.
    @Test(arguments: ClassicForm.allCases.filter { $0 != .tcpdumpD && $0 != .bpfAsm })
    func formsOfNumbersKeepAllBits(form: ClassicForm) throws {
        var generator = SeededGenerator()
        let instructions = (0..<5_000).map { _ in
            Instruction(
                code: .random(in: 0 ... .max, using: &generator), jt: .random(in: 0 ... .max, using: &generator),
                jf: .random(in: 0 ... .max, using: &generator), k: generator.interestingNumber())
        }
        #expect(try form.read(form.write(instructions)).instructions == instructions)
    }

    @Test(arguments: [ClassicForm.tcpdumpD, .bpfAsm])
    func formsOfNamesLeaveOutWhatIsNotUsed(form: ClassicForm) throws {
        let instructions = [Instruction(code: 0x07, jt: 1, jf: 2, k: 3), Instruction(code: 0x16, jt: 4, jf: 5, k: 6)]
        #expect(
            try form.read(form.write(instructions)).instructions == [Instruction(code: 0x07), Instruction(code: 0x16)])
    }

    /// libpcap's `ja` goes back, too, and its target is told in both forms of names.
    @Test(arguments: [ClassicForm.tcpdumpD, .bpfAsm])
    func jumpsGoBack(form: ClassicForm) throws {
        let instructions = [
            Instruction(code: 0x00), Instruction(.jump(0 &- 2)), Instruction(.jump(0 &- 1)), Instruction(.result(.a)),
        ]
        #expect(try form.read(form.write(instructions)).instructions == instructions)
    }

    @Test func textsAreThese() throws {
        let program = [
            Instruction(.load(.absolute(.half, 12))), Instruction(.branch(.equal, .constant(0x806), jt: 0, jf: 1)),
            Instruction(.result(.constant(.max))), Instruction(.result(.constant(0))),
        ]
        let texts: KeyValuePairs<ClassicForm, String> = [
            .tcpdumpD: """
            (000) ldh      [12]
            (001) jeq      #0x806           jt 2\tjf 3
            (002) ret      #-1
            (003) ret      #0

            """,
            .tcpdumpDD: """
            { 0x28, 0, 0, 0x0000000c },
            { 0x15, 0, 1, 0x00000806 },
            { 0x6, 0, 0, 0xffffffff },
            { 0x6, 0, 0, 0x00000000 },

            """,
            .tcpdumpDDD: "4\n40 0 0 12\n21 0 1 2054\n6 0 0 4294967295\n6 0 0 0\n",
            .xtBPF: "4,40 0 0 12,21 0 1 2054,6 0 0 4294967295,6 0 0 0\n",
            .bpfAsm: "\tldh [12]\n\tjneq #0x806, L3\n\tret #0xffffffff\nL3:\tret #0\n",
            .cArray: """
            { 0x28,  0,  0, 0x0000000c },
            { 0x15,  0,  1, 0x00000806 },
            { 0x06,  0,  0, 0xffffffff },
            { 0x06,  0,  0, 0x00000000 },

            """,
        ]
        for (form, text) in texts { #expect(String(decoding: try form.write(program), as: UTF8.self) == text) }
    }

    /// Every message, word for word.
    @Test func whatCannotBeWrittenIsNamed() throws {
        let cases: [(ClassicForm, [Instruction], String)] = [
            (
                .tcpdumpD, [Instruction(code: 0xff)],
                "instruction 0: code 0xff has no name; a form of numbers can show it"
            ),
            (.bpfAsm, [Instruction(code: 0x0e)], "instruction 0: code 0xe has no name; a form of numbers can show it"),
            (
                .bpfAsm, [Instruction(code: 6), Instruction(code: 0x15, jt: 1)],
                "instruction 1: jump to instruction 3, there are 0 to 1; a form of numbers can show it"
            ),
            (.savefile, [], "0 instructions cannot be written, the form takes 1 to 65535"),
            (
                .savefile, [Instruction](repeating: Instruction(code: 6), count: 65_536),
                "65536 instructions cannot be written, the form takes 1 to 65535"
            ),
        ]
        for (form, instructions, message) in cases {
            let error = #expect(throws: WritingError.self) { try form.write(instructions) }
            #expect(error.map { "\($0)" } == message)
        }
        var file = Savefile(instructions: [Instruction(code: 6)])
        file.comment = String(repeating: "a", count: 65_536)
        let error = #expect(throws: WritingError.self) { try file.bytes() }
        #expect(error.map { "\($0)" } == "a value has 65536 bytes, at most 65535 can be written")
    }
}
