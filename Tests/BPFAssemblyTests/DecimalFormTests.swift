import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

@Suite struct DecimalFormTests {
    @Test func whatIsPrintedIsReadBack() throws {
        var generator = SeededGenerator()
        let maker = RandomProgram()
        for _ in 0..<500 {
            let program = maker.next(using: &generator)
            #expect(try DecimalForm.parse(Array(DecimalForm.text(program).utf8)) == program.instructions)
        }
    }

    @Test(.enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"))
    func tcpdumpsOutputIsReadAndPrintedAsItIs() throws {
        let output = try run("tcpdump", ["-y", "EN10MB", "-ddd", "tcp port 80 or icmp6"]).output
        let program = try Program(DecimalForm.parse(output))
        #expect(Array(DecimalForm.text(program).utf8) == output)
    }

    @Test(arguments: [
        "1\n6 0 0 0", "1\n6 0 0 0\n", "1\r\n6 0 0 0\r\n", "  1\n\t6  0\t0 0 \n\n \n", "\u{31}\n\n6 0 0 0\n",
    ])
    func spacesAndLineEndsAreFree(text: String) throws {
        #expect(try DecimalForm.parse(Array(text.utf8)) == [Instruction(code: 6)])
    }

    /// Every message, word for word.
    @Test(arguments: [
        ("", "1:1: the input is empty, its first line must be the number of instructions"),
        ("\n", "1:1: the line ends here, the number of instructions is missing"),
        ("(000) ret      #0\n", "1:1: this looks like what tcpdump -d prints, give what tcpdump -ddd prints"),
        ("{ 0x6, 0, 0, 0x00000000 },\n", "1:1: this looks like what tcpdump -dd prints, give what tcpdump -ddd prints"),
        ("one\n", "1:1: 'one' is no decimal number, the number of instructions must stand here"),
        ("-1\n", "1:1: -1 is out of range for the number of instructions, it must be 0 to 4294967295"),
        ("1 2\n6 0 0 0\n", "1:3: unexpected '2' after the number of instructions, the line should end there"),
        ("1\n6 0 0\n", "2:6: the line ends here, k is missing"),
        ("1\n6\n", "2:2: the line ends here, jt is missing"),
        ("1\n6 0 0 0 0\n", "2:9: unexpected '0' after k, the line should end there"),
        ("1\n0x6 0 0 0\n", "2:1: '0x6' is no decimal number, code must stand here"),
        ("1\n65536 0 0 0\n", "2:1: 65536 is out of range for code, it must be 0 to 65535"),
        ("1\n6 256 0 0\n", "2:3: 256 is out of range for jt, it must be 0 to 255"),
        ("1\n6 0 -1 0\n", "2:5: -1 is out of range for jf, it must be 0 to 255"),
        ("1\n6 0 0 4294967296\n", "2:7: 4294967296 is out of range for k, it must be 0 to 4294967295"),
        (
            "1\n6 0 0 99999999999999999999999999999999999999\n",
            "2:7: 99999999999999999999999999999999… is out of range for k, it must be 0 to 4294967295"
        ),
        ("2\n6 0 0 0\n", "1:1: the first line says 2 instructions, 1 follow"),
        ("0\n6 0 0 0\n", "1:1: the first line says 0 instructions, 1 follow"),
        ("1\n6 0 0 0\n6 0 0 0\n", "1:1: the first line says 1 instructions, 2 follow"),
        ("1\n6 0 0 +1\n", "2:7: '+1' is no decimal number, k must stand here"),
        ("1\n6 0 0 \u{0}\n", "2:7: '\u{0}' is no decimal number, k must stand here"),
    ])
    func whatDoesNotFitIsRefused(text: String, message: String) {
        let error = #expect(throws: AssemblyError.self) { try DecimalForm.parse(Array(text.utf8)) }
        #expect(error.map { "\($0)" } == message)
    }

    /// No text traps, whatever its bytes.
    @Test func randomBytesAreReadOrRefused() {
        var generator = SeededGenerator()
        let alphabet = Array("0123456789 -\n\r\tx\u{0}".utf8) + [0xff, 0xc3]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...24, using: &generator)).map { _ in generator.pick(alphabet) }
            do {
                _ = try DecimalForm.parse(text)
            } catch {
                #expect(error.line >= 1 && error.column >= 1 && error.column <= text.count + 1)
            }
        }
    }
}
