import Foundation
import TestSupport
import Testing

/// `cbpf2ebpf requires`.
@Suite struct RequiresTests {
    @Test func aProgramsNeedsAreListed() throws {
        let run = try ToolRun(["requires", "--hook", "tc", "--match", "shot", "icmp"])
        #expect(run.status == 0 && run.errors == "")
        #expect(
            run.text == """
                4.4   programs on tc
                4.7   direct access to packets    instruction 1
                5.1   jumps that compare 32 bits  instruction 6
                filter: Linux 5.1 and later

                """)
        let old = try ToolRun(["requires", "--cpu", "v1", "--hook", "tc", "--match", "shot", "icmp"])
        #expect(old.text.hasSuffix("\nfilter: Linux 4.7 and later\n"))
        #expect(
            try ToolRun(["requires", "--hook", "xdp-frags", "--match", "drop", "ip"]).text.contains(
                "5.18  programs on xdp-frags\n"))
    }

    /// An object has what the program has that it was made of, in either byte order.
    @Test(arguments: [
        ["--hook", "xdp", "--match", "drop", "tcp port 80"], ["--endian", "big", "udp"],
        ["--hook", "tc", "--match", "ok", "--no-match", "shot", "ip6 protochain 6"],
        ["--hook", "tc", "--match", "ok", "--no-match", "shot", "-O0", "ip"],
        ["--hook", "tc", "--match", "shot", "--kernel", "5.17", "ip protochain 17 or ip6 protochain 6"],
    ])
    func objectsAreReadToo(arguments: [String]) throws {
        let folder = try TemporaryFolder()
        #expect(try ToolRun(arguments + ["-o", folder.path("prog.o")]).status == 0)
        let read = try ToolRun(["requires", folder.path("prog.o")])
        #expect(read.status == 0 && read.errors == "")
        #expect(try read.text == ToolRun(["requires"] + arguments).text)
    }

    @Test func objectsOfFunctionsNeedTheirHook() throws {
        let folder = try TemporaryFolder()
        let arguments = ["--hook", "function:tc", "tcp port 80"]
        #expect(try ToolRun(arguments + ["-o", folder.path("f.o")]).status == 0)
        let unsaid = try ToolRun(["requires", folder.path("f.o")])
        #expect(unsaid.status == 1 && unsaid.output.isEmpty)
        #expect(
            unsaid.errors
                == "cbpf2ebpf: the object has functions only, for what they are must be said (function:HOOK)\n")
        let said = try ToolRun(["requires", "--hook", "function:tc", folder.path("f.o")])
        #expect(try said.text == ToolRun(["requires"] + arguments).text)
        #expect(said.text.contains("4.5   bpf_skb_load_bytes          instruction "))
        // A search for a netlink attribute is a function; the filter beside it has a load of its own.
        let search = "6\n40 0 0 12\n21 0 2 2048\n32 0 0 4294963212\n22 0 0 0\n6 0 0 1\n6 0 0 0\n"
        let beside = try ToolRun(
            ["requires", "--hook", "tc", "--match", "shot", "--input", "-"], input: Array(search.utf8))
        #expect(beside.text.contains("5.10  packet loads (LD_ABS, LD_IND) beside functions  instruction "))
    }

    /// Each of clang's instruction sets, by an object with two programs.
    @Test(arguments: [("v1", "4.8", "4.8"), ("v2", "4.14", "4.8"), ("v3", "5.1", "5.1"), ("v4", "6.6", "5.1")])
    func clangsObjectsAreRead(cpu: String, signed: String, equal: String) throws {
        if cpu == "v4", try !run(llvm("clang"), ["-target", "bpf", "-mcpu=v4", "-E", "-"]).errors.isEmpty { return }
        let folder = try TemporaryFolder()
        let source = """
            struct xdp_md { unsigned data, data_end; };
            __attribute__((section("xdp"), used)) int less(struct xdp_md *c) {
                signed char *p = (void *)(long)c->data, *end = (void *)(long)c->data_end;
                return p + 1 <= end && *p < 5 ? 1 : 2;
            }
            __attribute__((section("xdp"), used)) int equal(struct xdp_md *c) {
                int *p = (void *)(long)c->data, *end = (void *)(long)c->data_end;
                return p + 1 <= end && *p == 5 ? 1 : 2;
            }
            """
        try folder.file("p.c", containing: Array(source.utf8))
        let compiled = try run(
            llvm("clang"),
            ["-target", "bpf", "-mcpu=\(cpu)", "-O2", "-g", "-c", "-o", folder.path("p.o"), folder.path("p.c")])
        try #require(compiled.status == 0, "\(compiled.errors)")
        let text = try ToolRun(["requires", folder.path("p.o")]).text
        #expect(text.contains("\nless: Linux \(signed) and later\n"), "\(text)")
        #expect(text.hasSuffix("\nequal: Linux \(equal) and later\n"), "\(text)")
    }

    @Test func theWordIsOneOnlyInFront() throws {
        let help = try ToolRun(["requires", "--help"])
        #expect(help.status == 0 && help.text.contains("USAGE: cbpf2ebpf requires [<options>]"))
        let asExpression = try ToolRun(["--", "requires"])
        #expect(asExpression.status == 1 && asExpression.errors.hasPrefix("cbpf2ebpf: "))
        let wrong = try ToolRun(["requires", "--nonsense"])
        #expect(wrong.status == 64 && wrong.errors.contains("cbpf2ebpf requires --help"))
        let mistaken = try ToolRun(["requires", "--hook", "tc", "ip"])
        #expect(mistaken.status == 64 && mistaken.errors.contains("The tc hook needs --match"))
    }
}
