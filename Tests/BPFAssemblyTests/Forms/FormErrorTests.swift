import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

/// What does not fit has its place, what was found and what could stand there; every message word for word.
@Suite struct FormErrorTests {
    @Test(arguments: [
        ("", "1:1: found the end of the text, expected '(000)'"),
        ("ret #0", "1:1: found 'ret', expected '('"),
        ("(0x1) ret #0", "1:2: found '0x1', expected '000'"),
        ("(000) ret #0\n(003) ret #0", "2:2: found '003', expected '001'"),
        ("(000 ret #0", "1:5: found ' ', expected ')'"),
        ("(000) jne #0", "1:7: found 'jne', expected a mnemonic"),
        ("(000) unimp 0xff", "1:7: unimp stands for a code that is no instruction"),
        ("(000) ld x", "1:10: found 'x', expected '[', 'M[' or '#'"),
        ("(000) ldh #1", "1:11: found '#', expected '['"),
        ("(000) ldx [1]", "1:11: found '[', expected 'M[' or '#'"),
        ("(000) ld [foo]", "1:11: found 'foo', expected an offset, 'x' or the name of an extension"),
        ("(000) ld [?]", "1:11: found '?', expected an offset, 'x' or the name of an extension"),
        ("(000) ld [x 4]", "1:13: found '4', expected '+'"),
        ("(000) ld [x + ]", "1:15: found ']', expected an offset"),
        (
            "(000) ld [4294967296]",
            "1:11: 4294967296 is out of range for an offset, it must be -2147483648 to 4294967295"
        ),
        (
            "(000) ld [-2147483649]",
            "1:11: -2147483649 is out of range for an offset, it must be -2147483648 to 4294967295"
        ),
        ("(000) ldxb [14]", "1:12: found '[', expected '4'"),
        ("(000) st 3", "1:10: found '3', expected 'M'"),
        ("(000) st M[a]", "1:12: found 'a', expected the number of a cell"),
        ("(000) add y", "1:11: found 'y', expected '#' or 'x'"),
        ("(000) add #", "1:12: found the end of the text, expected a constant"),
        ("(000) ret a", "1:11: found 'a', expected '#' or the end of the line"),
        ("(000) ja x", "1:10: found 'x', expected the number of an instruction"),
        ("(000) jeq #0 jf 1 jt 2", "1:14: found 'jf', expected 'jt'"),
        ("(000) jeq #0 jt 1", "1:18: found the end of the text, expected 'jf'"),
        ("(000) jeq #0 jt x jf 2", "1:17: found 'x', expected the number of an instruction"),
        (
            "(000) jeq #0 jt 0 jf 1",
            "1:17: instruction 0 is -1 instructions behind the next one, a branch reaches 0 to 255"
        ),
        (
            "(000) jeq #0 jt 1 jf 257",
            "1:22: instruction 257 is 256 instructions behind the next one, a branch reaches 0 to 255"
        ),
        ("(000) tax 1", "1:11: found '1', expected the end of the line"),
        ("(000) ld [x + \u{1}]", "1:15: found byte 0x1, expected an offset"),
    ])
    func tcpdumpD(text: String, message: String) { #expect(ClassicForm.tcpdumpD.complaint(about: text) == message) }

    @Test(arguments: [
        ("", "1:1: found the end of the text, expected '{'"),
        ("6, 0, 0, 0", "1:1: found '6', expected '{'"),
        ("{ BPF_RET, 0, 0, 0 },", "1:3: found 'BPF_RET', expected code"),
        ("{ 0x10000, 0, 0, 0 },", "1:3: 0x10000 is out of range for code, it must be 0 to 65535"),
        ("{ 6, 256, 0, 0 },", "1:6: 256 is out of range for jt, it must be 0 to 255"),
        ("{ 6, 0, -1, 0 },", "1:9: -1 is out of range for jf, it must be 0 to 255"),
        ("{ 6, 0, 0, 0x100000000 },", "1:12: 0x100000000 is out of range for k, it must be 0 to 4294967295"),
        ("{ 6, 0, 0, 09 },", "1:12: found '09', expected k"),
        ("{ 6 0, 0, 0 },", "1:5: found '0', expected ','"),
        ("{ 6, 0, 0, 0 }, {", "1:17: found '{', expected the end of the line"),
        ("{ 6, 0, 0, 0 } {", "1:16: found '{', expected ',' or the end of the line"),
    ])
    func tcpdumpDD(text: String, message: String) { #expect(ClassicForm.tcpdumpDD.complaint(about: text) == message) }

    @Test(arguments: [
        ("", "1:1: found the end of the text, expected the number of instructions"),
        ("1;6 0 0 0", "1:1: '1;6' is no decimal number, the number of instructions must stand here"),
        ("1 6 0 0 0", "1:3: found '6', expected ',' or the end of the text"),
        ("1,6 0 0", "1:8: found the end of the text, expected k"),
        ("1,6 0,0 0", "1:6: found ',', expected jf\n1:10: found the end of the text, expected jf"),
        ("1,6 0 0 0 0", "1:11: found '0', expected ',' or the end of the text"),
        ("2,6 0 0 0,", "1:1: the first line says 2 instructions, 1 follow"),
        ("1,6 0 0 0\n6 0 0 0", "2:1: found '6', expected the end of the text"),
        ("1,6 0 0 4294967296", "1:9: 4294967296 is out of range for k, it must be 0 to 4294967295"),
    ])
    func xtBPF(text: String, message: String) { #expect(ClassicForm.xtBPF.complaint(about: text) == message) }

    @Test(arguments: [
        ("", "1:1: found the end of the text, expected a mnemonic or a label"),
        ("?", "1:1: found '?', expected a mnemonic or a label"),
        ("12: ret a", "1:1: found '12', expected a mnemonic or a label"),
        ("foo #0", "1:1: found 'foo', expected a mnemonic or a label with ':' behind it"),
        ("ld", "1:3: found the end of the text, expected '[', 'M[', '#' or the name of an extension"),
        ("ld foo", "1:4: found 'foo', expected '[', 'M[', '#' or the name of an extension"),
        ("ldh foo", "1:5: found 'foo', expected '[' or the name of an extension"),
        ("ldh M[1]", "1:5: found 'M', expected '[' or the name of an extension"),
        ("ld [foo]", "1:5: found 'foo', expected an offset, 'x' or the name of an extension"),
        ("ld []", "1:5: found ']', expected an offset or 'x'"),
        ("ld [%y + 1]", "1:6: found 'y', expected 'x'"),
        ("ld [x 1]", "1:7: found '1', expected '+'"),
        ("ld [08]", "1:5: '08' is no number; decimal, 0x…, 0b… or octal with a leading 0 could stand here"),
        ("ld #4294967296", "1:5: 4294967296 is out of range for a constant, it must be -2147483648 to 4294967295"),
        ("ldx foo", "1:5: found 'foo', expected '#', 'M[', '4*([' or 'len'"),
        ("ldx 5*([14]&0xf)", "1:5: found '5', expected '4'"),
        ("ldxb 4*([14]&0xe)", "1:14: found '0xe', expected '0xf'"),
        ("st 1", "1:4: found '1', expected 'M['"),
        ("st M[x]", "1:6: found 'x', expected the number of a cell"),
        ("add 1", "1:5: found '1', expected '#' or 'x'"),
        ("ret 1", "1:5: found '1', expected '#' or 'a'"),
        ("jeq #1 a", "1:8: found 'a', expected ','"),
        ("jeq #1, 2", "1:9: found '2', expected a label"),
        ("jmp there\nret a", "1:5: there is no label 'there'"),
        ("a: ret a\nb: ret a\na: ret a", "3:1: the label 'a' is in line 1 already"),
        ("ret a\nend:", "2:1: no instruction follows the label 'end'"),
        ("a: jeq #1, a", "1:12: 'a' is -1 instructions behind the next one, a branch reaches 0 to 255"),
        ("ret a /* b", "1:7: the comment that begins here has no end"),
        ("ret a : b", "1:7: found ':', expected a mnemonic or a label"),
    ])
    func bpfAsm(text: String, message: String) {
        #expect(ClassicForm.bpfAsm.complaint(about: text) == message)
    }

    @Test(arguments: [
        ("", "1:1: found the end of the text, expected '{', BPF_STMT or BPF_JUMP"),
        ("struct sock_filter f[] { }", "1:24: found '{', expected '='"),
        ("struct sock_filter f[] = x", "1:26: found 'x', expected '{'"),
        ("f[] = { { 6 }", "1:14: found the end of the text, expected '}'"),
        ("{ 6 }; x", "1:6: found ';', expected ','"),
        ("{ { 6 } }; x", "1:12: found 'x', expected the end of the text"),
        ("{ 6 } { 6 }", "1:7: found '{', expected ','"),
        ("{ 6, 0, 0, 0, 0 }", "1:15: found '0', expected '}'"),
        ("{ 6, 0; }", "1:7: found ';', expected ',' or '}'"),
        ("{ .jump = 3 }", "1:4: found 'jump', expected code, jt, jf or k"),
        ("{ .k 3 }", "1:6: found '3', expected '='"),
        ("BPF_STMT(BPF_RET)", "1:17: found ')', expected ','"),
        ("BPF_STMT(BPF_RET, 1, 2)", "1:20: found ',', expected ')'"),
        ("BPF_JUMP(5, 1, 2)", "1:17: found ')', expected ','"),
        ("BPF_STMT(ETH_P_IP, 0)", "1:10: 'ETH_P_IP' is no constant of linux/filter.h or linux/bpf_common.h"),
        ("BPF_STMT(, 0)", "1:10: found ',', expected code"),
        ("{ 0x }", "1:3: '0x' is no number; decimal, 0x…, 0b… or octal with a leading 0 could stand here"),
        ("{ 12a }", "1:3: '12a' is no number; decimal, 0x…, 0b… or octal with a leading 0 could stand here"),
        ("{ 65535 + 1 }", "1:3: 65536 is out of range for code, it must be 0 to 65535"),
        ("{ 6, -1 }", "1:6: -1 is out of range for jt, it must be 0 to 255"),
        ("{ .k = 4294967295 + 1 }", "1:8: 4294967296 is out of range for k, it must be -2147483648 to 4294967295"),
        (
            "{ .k = 99999999999999999999 }",
            "1:8: 99999999999999999999 is out of range for k, it must be -2147483648 to 4294967295"
        ),
        ("{ }", "1:3: found '}', expected code"),
        ("{ (6 }", "1:6: found '}', expected an operator or ')'"),
        ("{ (int 6 }", "1:8: found '6', expected ')'"),
        ("/* {6}", "1:1: the comment that begins here has no end"),
    ])
    func cArray(text: String, message: String) { #expect(ClassicForm.cArray.complaint(about: text) == message) }

    @Test func sockFilter() {
        let message = "the file has 7 bytes, it must have 8 for each of at least one instruction"
        #expect(ClassicForm.sockFilter.complaint(about: "1234567") == "byte 8: \(message)")
        #expect(ClassicForm.sockFilter.complaint(about: "") == "byte 1: \(message.replacing("7", with: "0"))")
    }

    /// Behind an error reading goes on, and what is right between errors is not found wrong.
    @Test func severalErrorsAreFoundInOneRun() {
        let texts: KeyValuePairs<ClassicForm, String> = [
            .tcpdumpD: "(000) foo\n(001) jeq #0 jt 2 jf 3\n(002) bar\n(003) ret",
            .tcpdumpDD: "{ 6, 0, 0, x },\n{ 6, 0, 0, 0 },\n{ 6, 0, 0, y }",
            .tcpdumpDDD: "3\n6 0 0 x\n6 0 0 0\n6 0 y 0\n",
            .bpfAsm: "jeq #1, two\nfoo\ntwo: ret b\nret a\njmp three",
            .cArray: "BPF_STMT(x, 0),\nBPF_STMT(6, 0),\n{ 6, 0, y, 0 },\n{ 6 }",
        ]
        let lines: KeyValuePairs<ClassicForm, [Int]> = [
            .tcpdumpD: [1, 3], .tcpdumpDD: [1, 3], .tcpdumpDDD: [2, 4], .bpfAsm: [2, 3, 5], .cArray: [1, 3],
        ]
        for ((form, text), (_, lines)) in zip(texts, lines) {
            let error = #expect(throws: AssemblyErrors.self) { try form.read(text) }
            #expect(error?.errors.map(\.line) == lines, "\(form): \(error.map { "\($0)" } ?? "")")
        }
    }

    @Test(arguments: ClassicForm.allCases.filter(\.isText))
    func twentyErrorsAreKept(form: ClassicForm) {
        let separator = form == .xtBPF ? "," : "\n"
        let text = [String](repeating: form == .cArray ? "{ z }," : "z:z", count: 1000).joined(separator: separator)
        let error = #expect(throws: AssemblyErrors.self) { try form.read(text) }
        #expect(error?.errors.count == 20 && error?.hasMore == true, "\(form)")
    }
}
