import Foundation
import PacketFilter
import TestSupport
import Testing

/// `convert`, `asm`, `check`, and `--input` in any form.
@Suite struct FormTests {
    private static let source = "ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0\n"
    private static let listing = """
        (000) ldh      [12]
        (001) jeq      #0x806           jt 2\tjf 3
        (002) ret      #-1
        (003) ret      #0

        """

    @Test func everyFormBecomesEveryForm() throws {
        for from in ClassicForm.allCases {
            let bytes = try ToolRun(["convert", "--to", from.rawValue, "arp"]).output
            for to in ClassicForm.allCases {
                let run = try ToolRun(
                    ["convert", "--to", to.rawValue, "--input", "-", "--input-form", from.rawValue], input: bytes)
                #expect(run.status == 0 && run.errors.isEmpty, "\(from) to \(to)")
                let back = try ToolRun(["convert", "--to", from.rawValue, "--input", "-"], input: run.output).output
                // A savefile has the expression where it comes from one.
                #expect(back == bytes || (from == .savefile && to != .savefile), "\(from) to \(to)")
            }
        }
    }

    @Test func theMainCommandReadsEveryForm() throws {
        let expected = try ToolRun(["--emit", "classic", "arp"]).text
        for form in ClassicForm.allCases {
            let bytes = try ToolRun(["convert", "--to", form.rawValue, "arp"]).output
            let run = try ToolRun(["-v", "--input", "-", "--emit", "classic"], input: bytes)
            let guessed = form == .cArray ? "tcpdump-dd" : form.rawValue
            #expect(run.text == expected && run.errors == "cbpf2ebpf: standard input is read as \(guessed)\n")
            let told = try ToolRun(
                ["-v", "--input", "-", "--input-form", form.rawValue, "--emit", "classic"], input: bytes)
            #expect(told.text == expected && told.errors.isEmpty)
        }
    }

    @Test func assemblingWritesWhatIsAskedFor() throws {
        let source = Array(Self.source.utf8)
        #expect(
            try ToolRun(["asm"], input: source).text == "4,40 0 0 12,21 0 1 2054,6 0 0 4294967295,6 0 0 0\n")
        #expect(try ToolRun(["asm", "-c", "-"], input: source).text.hasPrefix("{ 0x28,  0,  0, 0x0000000c },\n"))
        #expect(try ToolRun(["asm", "--to", "tcpdump-d"], input: source).text == Self.listing)
        let folder = try TemporaryFolder()
        try folder.file("source", containing: source)
        let run = try ToolRun(["asm", "--to", "sock-filter", "-o", folder.path("raw"), folder.path("source")])
        #expect(run.status == 0 && run.output.isEmpty)
        #expect(try Data(contentsOf: folder.url("raw")).count == 32)
    }

    @Test func aSavefileSaysWhereItComesFrom() throws {
        let arguments = [
            "convert", "--to", "cbpf-savefile", "-y", "RAW", "-s", "100", "--netmask", "255.0.0.0", "icmp",
        ]
        let file = try Savefile(ToolRun(arguments).output)
        #expect(file.filter == "icmp" && file.linkTypeName == "RAW" && file.snapshotLength == 100)
        #expect(file.netmask == 0xff00_0000 && file.isOptimizationRequested == true && file.isTerminated)
    }

    @Test func allErrorsOfATextAreTold() throws {
        let run = try ToolRun(["asm"], input: Array("ld x\nret #0\njmp there\n".utf8))
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(
            run.errors == """
                cbpf2ebpf: 1:4: found 'x', expected '[', 'M[', '#' or the name of an extension
                cbpf2ebpf: 3:5: there is no label 'there'

                """)
    }

    @Test func checkingTellsWhoAccepts() throws {
        let good = try ToolRun(["check"], input: Array(Self.source.utf8))
        #expect(good.status == 0)
        #expect(
            good.text == """
                4 instructions as bpf-asm, accepted by kernel and libpcap
                socket   Linux 2.6.12 and later
                xt-bpf   Linux 3.9 and later
                tc       Linux 3.13 and later
                seccomp  no: a load of 2 bytes at 12, seccomp has words at multiples of 4 up to 60 (instruction 0)
                libpcap  yes
                freebsd  yes

                """)
        let newer = try ToolRun(["check"], input: Array("4,32 0 0 4294963260,148 0 0 3,22 0 0 0,6 0 0 0".utf8))
        #expect(newer.text.contains("\nxt-bpf   Linux 4.1 and later: the extension vlan_tpid (instruction 0)\n"))
        #expect(newer.text.hasSuffix("\nlibpcap  yes\nfreebsd  no: freebsd does not have mod (instruction 1)\n"))
        let folder = try TemporaryFolder()
        try folder.file("filter", containing: Array("ld M[3]\nlsh #40\njmp far\nfar: ret a\n".utf8))
        let run = try ToolRun(["check", folder.path("filter")])
        #expect(run.status == 1 && run.errors.isEmpty)
        #expect(
            run.text == """
                \(folder.path("filter")):1: instruction 0: M[3] is read but not written on every path to here (kernel)
                \(folder.path("filter")):2: instruction 1: shift by 40, at most 31 is allowed (kernel)
                4 instructions as bpf-asm, accepted by libpcap
                socket   no: shift by 40, at most 31 is allowed (instruction 1)
                xt-bpf   no: shift by 40, at most 31 is allowed (instruction 1)
                tc       no: shift by 40, at most 31 is allowed (instruction 1)
                seccomp  no: shift by 40, at most 31 is allowed (instruction 1)
                libpcap  yes
                freebsd  yes

                """)
        let bad = try ToolRun(["check"], input: Array("(000) foo\n".utf8))
        #expect(bad.status == 1)
        #expect(
            bad.text == """
                standard input:1:7: found 'foo', expected a mnemonic
                no program could be read as tcpdump-d

                """)
        let unclear = try ToolRun(["check"], input: Array("5".utf8))
        #expect(unclear.text.hasSuffix(": this could be tcpdump-ddd or xt-bpf, say which\nno program could be read\n"))
    }

    @Test(
        .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3 with jsonschema"),
        arguments: [
            "1,6 0 0 0", "1,255 0 0 0", "5", "(000) foo", "{ 21, 3, 3, 0 }", "\0\0\0\0", "1,0 0 0 0", "ld x\nld y",
            "2,148 0 0 3,6 0 0 0", "2,32 0 0 4294963260,6 0 0 0",
        ])
    func findingsAreAsTheSchemaSays(text: String) throws {
        let run = try ToolRun(["check", "--json"], input: Array(text.utf8))
        #expect(run.status == (text.hasSuffix("6 0 0 0") ? 0 : 1) && run.errors.isEmpty)
        let schema = projectFolder.appending(path: "Grammar/check.schema.json").path(percentEncoded: false)
        let program = """
            import json, sys, jsonschema
            schema = json.load(open(sys.argv[1]))
            jsonschema.Draft202012Validator.check_schema(schema)
            jsonschema.validate(json.load(sys.stdin), schema, cls=jsonschema.Draft202012Validator)
            """
        let check = try TestSupport.run("/usr/bin/python3", ["-c", program, schema], input: run.output)
        #expect(check.status == 0, "\(check.errors)")
    }

    @Test func wrongUsageIsTold() throws {
        let cases: [([String], String)] = [
            (["convert", "arp"], "Error: Missing expected argument '--to <form>'"),
            (["convert", "--to", "elf", "arp"], "Error: 'elf' is no value of --to, which takes \(names)."),
            (["asm", "--to", "elf"], "Error: 'elf' is no value of --to, which takes \(names)."),
            (["asm", "-c", "--to", "xt-bpf"], "Error: -c and --to exclude each other."),
            (["check", "--input-form", "elf"], "Error: 'elf' is no value of --input-form, which takes \(names)."),
            (["--input-form", "xt-bpf", "arp"], "Error: --input-form needs --input beside it."),
            (
                ["--input", "-", "--input-form", "elf"],
                "Error: 'elf' is no value of --input-form, which takes \(names)."
            ),
        ]
        for (arguments, message) in cases {
            let run = try ToolRun(arguments)
            #expect(run.status == 64 && run.output.isEmpty)
            #expect(run.errors.split(separator: "\n").first.map(String.init) == message)
        }
    }

    private let names = ClassicForm.allCases.map(\.rawValue).joined(separator: ", ")

    @Test func inputThatIsNotClearIsRefused() throws {
        let run = try ToolRun(["--input", "-"], input: Array("5\n".utf8))
        #expect(run.status == 1 && run.errors == "cbpf2ebpf: 1:1: this could be tcpdump-ddd or xt-bpf, say which\n")
    }
}
