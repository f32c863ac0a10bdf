import BPFAssembly
import CPcap
import ClassicBPF
import TestSupport
import Testing

/// What tcpdump, libpcap, the C compiler, tc and iptables say of the forms that are theirs.
@Suite struct FormPeerTests {
    @Test(.enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"))
    func tcpdumpPrintsTheSameProgramInThreeForms() throws {
        for (index, expression) in Corpus.expressions.enumerated() where index % 5 == 0 {
            let outputs = try ["-d", "-dd", "-ddd"].map { option in
                try run("tcpdump", ["-y", expression.linkType, option, expression.text]).output
            }
            // libpcap leaves something in k here and there where it is not used.
            let all = tcpdumpInstructions(String(decoding: outputs[2], as: UTF8.self))
            for (form, output) in zip([ClassicForm.tcpdumpD, .tcpdumpDD, .tcpdumpDDD], outputs) {
                let expected = form == .tcpdumpD ? FormSamples.canonical(all) : all
                #expect(try form.read(output).instructions == expected, "\(expression), \(form)")
                #expect(try form.write(expected) == output, "\(expression), \(form)")
                #expect(try ClassicForm.guess(output) == form, "\(expression), \(form)")
            }
        }
    }

    /// All that libpcap's `bpf_image` prints, the lines of `tcpdump -d`, is read.
    @Test func libpcapsListingsAreRead() throws {
        var generator = SeededGenerator()
        let maker = RandomProgram(leftovers: false)
        var programs = (0..<1_000).map { _ in maker.next(using: &generator).instructions }
        programs.append(FormSamples.all)
        for program in programs {
            // libpcap cannot show this one.
            let shown = program.filter { $0.operation != .loadIndex(.length) }
            let lines = shown.enumerated().map { index, instruction in
                var raw = bpf_insn(code: instruction.code, jt: instruction.jt, jf: instruction.jf, k: instruction.k)
                return String(cString: bpf_image(&raw, Int32(index)))
            }
            try #require(try ClassicForm.tcpdumpD.read(lines.joined(separator: "\n")).instructions == shown)
        }
    }

    /// `unimp`, by which libpcap shows what it does not know, is no instruction.
    @Test func libpcapsUnknownCodesAreRefused() throws {
        var raw = bpf_insn(code: 0xff, jt: 0, jf: 0, k: 0)
        let line = String(cString: bpf_image(&raw, 0))
        #expect(line.contains("unimp"))
        #expect(ClassicForm.tcpdumpD.complaint(about: line) == "1:7: unimp stands for a code that is no instruction")
    }

    #if os(Linux)
        /// The array as the C compiler has it in memory.
        @Test(.enabled(if: Requirement.tool("cc").allowsRunning, "needs a C compiler"))
        func theCompilerMakesTheSameOfArrays() throws {
            var generator = SeededGenerator()
            for _ in 0..<6 {
                let source = (0..<200).map { _ in generator.cInitializer() }.joined(separator: ",\n\t")
                for array in [
                    "static struct sock_filter code[] = {\n\t\(source)\n};",
                    "const struct sock_filter code[200] = { // comment\n#define NOTHING\n\(source), /* last */ };\n",
                ] {
                    let theirs = try compiled(array)
                    #expect(
                        try ClassicForm.cArray.read(array).instructions
                            == ClassicForm.sockFilter.read(theirs).instructions)
                }
                #expect(try ClassicForm.cArray.read(source).instructions.count == 200)
            }
        }

        @Test(.enabled(if: Requirement.tool("cc").allowsRunning, "needs a C compiler"))
        func theCompilerTakesWhatIsWritten() throws {
            for form in [ClassicForm.cArray, .tcpdumpDD] {
                let text = String(decoding: try form.write(FormSamples.all), as: UTF8.self)
                let theirs = try compiled("struct sock_filter code[] = {\n\(text)};")
                #expect(theirs == (try ClassicForm.sockFilter.write(FormSamples.all)))
            }
        }

        private func compiled(_ array: String) throws -> [UInt8] {
            let folder = try TemporaryFolder()
            let source = """
                #include <linux/filter.h>
                #include <stdint.h>
                #include <stdio.h>
                #include <sys/types.h>
                \(array)
                int main(void) { return fwrite(code, sizeof code, 1, stdout) != 1; }

                """
            try folder.file("array.c", containing: Array(source.utf8))
            let compiling = try run("cc", ["-w", folder.path("array.c"), "-o", folder.path("array")])
            #expect(compiling.status == 0, "\(compiling.errors)")
            return try run(folder.path("array")).output
        }

        /// tc takes the line, and shows it as it is.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
        func tcTakesTheLine() throws {
            try withNetworkNamespace {
                try ip("link", "add", "left", "type", "veth", "peer", "name", "right")
                try #require(try run("tc", ["qdisc", "add", "dev", "left", "clsact"]).status == 0)
                for program in try lines() {
                    let adding = try run(
                        "tc", ["filter", "add", "dev", "left", "ingress", "pref", "1", "bpf", "bytecode", program.line])
                    try #require(adding.status == 0, "\(program.line): \(adding.errors)")
                    let shown = try run("tc", ["filter", "show", "dev", "left", "ingress"]).text
                    let bytecode = try #require(shown.split(separator: "'").dropFirst().first)
                    #expect(try ClassicForm.xtBPF.read(String(bytecode)).instructions == program.instructions)
                    try #require(try run("tc", ["filter", "del", "dev", "left", "ingress", "pref", "1"]).status == 0)
                }
            }
        }

        /// iptables takes the line, and saves it as it is; its match takes 64 instructions.
        @Test(
            .enabled(
                if: Requirement.root.allowsRunning && Requirement.tool("iptables").allowsRunning,
                "needs root and iptables"))
        func iptablesTakesTheLine() throws {
            try withNetworkNamespace {
                for program in try lines() where program.instructions.count <= 64 {
                    let adding = try run("iptables", ["-A", "INPUT", "-m", "bpf", "--bytecode", program.line])
                    try #require(adding.status == 0, "\(program.line): \(adding.errors)")
                    let saved = try run("iptables-save", []).text
                    let rule = try #require(saved.split(separator: "\n").first { $0.contains("--bytecode") })
                    let bytecode = rule.split(separator: "\"")[1]
                    #expect(try ClassicForm.xtBPF.read(String(bytecode)).instructions == program.instructions)
                    try #require(try run("iptables", ["-F", "INPUT"]).status == 0)
                }
            }
        }

        /// Some programs of the corpus with their lines.
        private func lines() throws -> [(instructions: [Instruction], line: String)] {
            try Corpus.programs.map(\.program.instructions).enumerated().filter { $0.offset % 5 == 0 }.map {
                _, instructions in
                let line = String(decoding: try ClassicForm.xtBPF.write(instructions), as: UTF8.self)
                return (instructions, String(line.dropLast()))
            }
        }
    #endif
}

extension SeededGenerator {
    /// An initialiser for one instruction as people write it in C.
    fileprivate mutating func cInitializer() -> String {
        let code = pick([
            "BPF_LD | BPF_W | BPF_ABS", "BPF_LD+BPF_H+BPF_IND", "(BPF_LDX | BPF_B) + BPF_MSH", "BPF_ALU|BPF_AND|BPF_K",
            "BPF_ALU | BPF_RSH | BPF_X", "BPF_ST", "BPF_MISC|BPF_TAX", "BPF_MISC | BPF_TXA", "BPF_RET + BPF_A",
            "BPF_RET | BPF_K", "0x28", "(unsigned short)21", "((BPF_LD) | (BPF_IMM))", "BPF_LD | BPF_MEM", "0x06u",
            "BPF_ALU+BPF_NEG", "BPF_LD | BPF_LEN | BPF_W", "026",
        ])
        let k = pick([
            "12", "0x800", "0", "-1", "0xffffffff", "(__u32)-1", "SKF_AD_OFF + SKF_AD_PROTOCOL", "SKF_NET_OFF + 9",
            "SKF_LL_OFF | 12", "SKF_AD_OFF+SKF_AD_VLAN_TAG_PRESENT", "0x7fff0000U", "262144UL", "~0U", "010",
            "~(1 + 2)",
            "-(BPF_MEMWORDS - 1)", "BPF_MAXINSNS", "1 | 2 + 4", "(uint32_t) 0xC0A80001", "- -5", "~-7", "0b101",
        ])
        let (jt, jf) = (pick(["0", "1", "0xff", "3 + 2"]), pick(["0", "7", "010", "(u_char)2"]))
        switch Int.random(in: 0..<6, using: &self) {
        case 0: return "BPF_STMT(\(code), \(k))"
        case 1: return "BPF_JUMP( \(code),\n\t\t\(k), \(jt), \(jf) )"
        case 2: return "{ \(code), \(jt), \(jf), \(k) }"
        case 3: return "{.code=\(code),.k=\(k)}"
        case 4: return "{ .k = \(k), .code = \(code), /* the jumps */ \(jt), .jf = \(jf), }"
        default: return "{ \(code) }"
        }
    }
}
