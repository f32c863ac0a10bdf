import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

@Suite struct FormGuessTests {
    @Test func whatIsWrittenIsKnownAgain() throws {
        for program in try FormSamples.corpus() {
            for form in ClassicForm.allCases where form != .cArray {
                try #require(try ClassicForm.guess(form.write(program)) == form)
            }
            // The lines of both are alike.
            try #require(try ClassicForm.guess(ClassicForm.cArray.write(program)) == .tcpdumpDD)
        }
    }

    @Test(
        arguments: [
            ("\u{feff}(000) ret #0", .tcpdumpD), ("\r\n\r\n  (000) ret #0", .tcpdumpD),
            ("{ 6, 0, 0, 0 }", .tcpdumpDD), ("{ BPF_RET, 0, 0, 0 }", .cArray), ("/* */ { 6, 0, 0, 0 }", .cArray),
            ("struct sock_filter f[] = {", .cArray), ("BPF_STMT(6, 0)", .cArray),
            ("#include <x>\nstatic const", .cArray),
            ("{ 6, 0, 0 }", .cArray), ("1,6 0 0 0", .xtBPF), ("1 , 6 0 0 0", .xtBPF), ("1\n6 0 0 0", .tcpdumpDDD),
            ("1\n\n\nx", .tcpdumpDDD), ("ret #0", .bpfAsm), ("drop: ret #0", .bpfAsm), ("# a\nLD len", .bpfAsm),
            ("; a\nret a", .bpfAsm), ("/* a */ l1 /* b */: ret a", .bpfAsm),
        ] as [(String, ClassicForm)])
    func theStartTellsTheForm(text: String, form: ClassicForm) throws {
        #expect(try ClassicForm.guess(Array(text.utf8)) == form)
    }

    /// Every message, word for word.
    @Test(arguments: [
        ("5", "1:1: this could be tcpdump-ddd or xt-bpf, say which"),
        (" 5 \n\n", "1:2: this could be tcpdump-ddd or xt-bpf, say which"),
        (
            "\0\0\0\0\0\0\0\0",
            "byte 1: this could be sock-filter in little-endian order or sock-filter in big-endian order, say which"
        ),
        ("", "1:1: found the end of the text, expected a classic program"),
        (" \n/* a */ ", "2:9: found the end of the text, expected a classic program"),
        ("/* a", "1:1: the comment that begins here has no end"),
        ("6 0 0 0", "1:1: \(unknown)"), ("tcp port 80", "1:1: \(unknown)"), ("\u{e9}", "1:1: \(unknown)"),
        ("\0\0\0\0", "byte 1: \(unknown)"), ("\u{1}\u{1}\0\0\0\0\0\0", "byte 1: \(unknown)"),
    ])
    func whatIsNotClearIsAnError(text: String, message: String) {
        let error = #expect(throws: AssemblyError.self) { try ClassicForm.guess(Array(text.utf8)) }
        #expect(error.map { "\($0)" } == message)
    }

    private static let unknown =
        "this is no form of classic programs: tcpdump-d, tcpdump-dd, tcpdump-ddd, xt-bpf, bpf-asm, c-array, sock-filter "
        + "or cbpf-savefile"

    @Test func theOtherOrderOfBytesIsNamed() throws {
        let swapped = FormSamples.all.flatMap { $0.bytes(Instruction.ByteOrder.host == .little ? .big : .little) }
        let error = #expect(throws: AssemblyError.self) { try ClassicForm.guess(swapped) }
        #expect(
            error.map { "\($0)" }
                == "byte 1: these are instructions in the order of bytes that this machine does not have")
    }

    @Test func nothingTraps() {
        var generator = SeededGenerator()
        let alphabet = Array("(){}09,;:#/*\n\r\t x_BPF".utf8) + [0, 0xff, 0xef, 0xbb, 0xbf]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...24, using: &generator)).map { _ in generator.pick(alphabet) }
            _ = try? ClassicForm.guess(text)
        }
    }
}
