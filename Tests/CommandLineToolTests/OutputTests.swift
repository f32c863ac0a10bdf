@testable import CommandLineTool
import Foundation
import TestSupport
import Testing

/// What the tool writes, compared with what other tools say of it.
@Suite struct OutputTests {
    @Test func theDefaultIsAnObjectForASocket() throws {
        let run = try ToolRun(["icmp or udp"])
        #expect(run.status == 0)
        #expect(run.errors == "")
        #expect(run.output.starts(with: [0x7f, 0x45, 0x4c, 0x46]))
    }

    @Test func wordsAreJoinedAsInTcpdump() throws {
        #expect(try ToolRun(["icmp", "or", "udp"]).output == ToolRun(["icmp or udp"]).output)
    }

    /// As getopt lets users of tcpdump write.
    @Test func valuesMayFollowShortOptionsAtOnce() throws {
        let folder = try TemporaryFolder()
        try folder.file("filter", containing: Array("ip".utf8))
        let apart = try ToolRun(["-y", "RAW", "-s", "96", "-F", folder.path("filter")]).output
        #expect(try ToolRun(["-yRAW", "-s96", "-F\(folder.path("filter"))"]).output == apart)
        #expect(try ToolRun(["-yRAW", "-s96", "ip", "-o\(folder.path("prog.o"))"]).status == 0)
        #expect(try [UInt8](Data(contentsOf: folder.url("prog.o"))) == apart)
        #expect(try ToolRun(["-s0", "ip"]).output == ToolRun(["ip"]).output)
    }

    /// Every line in front of the first instruction is a comment, however the file ends its lines.
    @Test(arguments: ["\n", "\r\n", "\r"])
    func anExpressionOfSeveralLinesIsAllComment(end: String) throws {
        let folder = try TemporaryFolder()
        try folder.file("filter", containing: Array("ip\(end)or udp\(end)".utf8))
        let run = try ToolRun(["-F", folder.path("filter"), "-O0", "--emit", "asm"])
        #expect(run.status == 0)
        #expect(run.text.hasPrefix("; ip\n; or udp\n   0: (b4) w0 = 0\n"))
    }

    @Test func theSameInputGivesTheSameBytes() throws {
        let arguments = ["--hook", "tc", "--match", "ok", "--no-match", "shot", "tcp port 80"]
        #expect(try ToolRun(arguments).output == ToolRun(arguments).output)
    }

    @Test(
        .enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"),
        arguments: [
            ("", "EN10MB"), ("icmp or udp", "EN10MB"), ("tcp port 80", "RAW"), ("host 192.0.2.1", "LINUX_SLL2"),
            ("wlan type mgt", "IEEE802_11"),
        ])
    func classicIsWhatTcpdumpShows(expression: String, linkType: String) throws {
        let words = expression.isEmpty ? [] : [expression]
        let theirs = try run("tcpdump", ["-y", linkType, "-d"] + words)
        let ours = try ToolRun(["-y", linkType, "--emit", "classic"] + words)
        #expect(ours.status == 0)
        #expect(ours.text == theirs.text)
    }

    @Test(.enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"))
    func optionsReachLibpcap() throws {
        let theirs = try run("tcpdump", ["-y", "EN10MB", "-s", "96", "-O", "-d", "ip and udp"])
        let ours = try ToolRun(["-s", "96", "--no-pcap-optimizer", "--emit", "classic", "ip and udp"])
        #expect(ours.text == theirs.text)
        // 0 is tcpdump's default.
        #expect(try ToolRun(["-s", "0", "ip"]).output == ToolRun(["ip"]).output)
    }

    /// 192.0.2.255 and 192.0.2.0 are the broadcast addresses of a network with a netmask of 24 bits.
    @Test func theNetmaskDecidesWhatBroadcastIs() throws {
        let run = try ToolRun(["--netmask", "255.255.255.0", "--emit", "classic", "ip broadcast"])
        #expect(run.status == 0)
        #expect(run.text.contains("#0xff\n") || run.text.contains("and      #0xff"))
        #expect(run.text.contains("jeq      #0xff "))
    }

    @Test(.enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"))
    func bytecodeIsReadFromAFileAndFromStandardInput() throws {
        let folder = try TemporaryFolder()
        let bytecode = try run("tcpdump", ["-y", "EN10MB", "-ddd", "icmp or udp"]).output
        try folder.file("filter.ddd", containing: bytecode)
        let fromFile = try ToolRun(["--input", folder.path("filter.ddd"), "--emit", "raw"])
        let fromInput = try ToolRun(["--input", "-", "--emit", "raw"], input: bytecode)
        let fromExpression = try ToolRun(["icmp or udp", "--emit", "raw"])
        #expect(fromFile.status == 0 && fromFile.output == fromExpression.output)
        #expect(fromInput.output == fromFile.output)
    }

    @Test func anExpressionIsReadFromAFileWithComments() throws {
        let folder = try TemporaryFolder()
        try folder.file("filter", containing: Array("# what we want\nicmp # ping\n or udp\n".utf8))
        #expect(
            try ToolRun(["-F", folder.path("filter"), "--emit", "raw"]).output
                == ToolRun(["icmp or udp", "--emit", "raw"]).output)
    }

    @Test func outputGoesToAFile() throws {
        let folder = try TemporaryFolder()
        let run = try ToolRun(["-o", folder.path("prog.o"), "ip"])
        #expect(run.status == 0 && run.output.isEmpty)
        #expect(try [UInt8](Data(contentsOf: folder.url("prog.o"))) == ToolRun(["ip"]).output)
    }

    @Test func rawBytesFollowTheEndianness() throws {
        let little = try ToolRun(["-O0", "--emit", "raw", "--endian", "little", "ip"]).output
        let big = try ToolRun(["-O0", "--emit", "raw", "--endian", "big", "ip"]).output
        #expect(little.count == big.count && little.count.isMultiple(of: 8))
        // w7 = 0 is `b4 07 …` with the registers' halves of the second byte exchanged.
        #expect(little[8..<16] == [0xb4, 0x07, 0, 0, 0, 0, 0, 0])
        #expect(big[8..<16] == [0xb4, 0x70, 0, 0, 0, 0, 0, 0])
        let host = try ToolRun(["-O0", "--emit", "raw", "--endian", "host", "ip"]).output
        #expect(host == (UInt16(1).littleEndian == 1 ? little : big))
    }

    /// The word with which EtherType 0x0800 is compared is the machine's that is to run the program.
    @Test func optimisedProgramsAreForTheOrderAskedFor() throws {
        let arguments = ["--hook", "xdp", "--match", "drop", "--emit", "asm", "ip", "--endian"]
        #expect(try ToolRun(arguments + ["little"]).text.contains("!= 0x8 goto"))
        #expect(try ToolRun(arguments + ["big"]).text.contains("!= 0x800 goto"))
    }

    @Test(
        .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3 with jsonschema"),
        arguments: [
            ["ip"], ["--hook", "tc", "--match", "shot", "tcp port 80"],
            ["--hook", "tcx-egress", "--match", "drop", "ip"],
            ["--kernel-form", "udp"],
            ["--input", "-"],
            ["vlan 5 and icmp"], ["--hook", "xdp", "--match", "drop", "--vlan", "stripped", "ip"],
            ["--hook", "tc", "--match", "shot", OutputTests.longList],
        ])
    func jsonIsAsTheSchemaSays(arguments: [String]) throws {
        let json = try ToolRun(arguments + ["--emit", "json"], input: Array("1\n6 0 0 262144\n".utf8))
        #expect(json.status == 0)
        let schema = projectFolder.appending(path: "Grammar/program.schema.json").path(percentEncoded: false)
        // jsonschema is Debian's, for the system's own interpreter.
        let check = try run(
            "/usr/bin/python3",
            [
                "-c",
                """
                import json, sys, jsonschema
                schema = json.load(open(sys.argv[1]))
                jsonschema.Draft202012Validator.check_schema(schema)
                jsonschema.validate(json.load(sys.stdin), schema, cls=jsonschema.Draft202012Validator)
                """, schema,
            ], input: json.output)
        #expect(check.status == 0, "\(check.errors)")
    }

    /// One that is looked up in a table.
    static let longList = (1...20).map { "port \($0 * $0 * 101)" }.joined(separator: " or ")

    /// Instructions alone have no tables beside them; an object has, and a listing that says what is in them.
    @Test func longListsAreInTablesWhereTheseHaveAPlace() throws {
        let listing = try ToolRun([Self.longList, "--emit", "asm"])
        #expect(listing.text.hasPrefix(".table filter_set1: u16 "))
        #expect(listing.text.contains("= filter_set1[0]+0"))
        let folder = try TemporaryFolder()
        try folder.file("filter.txt", containing: listing.output)
        let read = try ToolRun(["asm", folder.path("filter.txt"), "--to", "asm"])
        #expect(read.status == 0, "\(read.errors)")
        #expect(read.text.split(separator: "\n")[0] == listing.text.split(separator: "\n")[0])
        for (arguments, has) in [(["--kernel", "5.2"], true), (["--kernel", "5.1"], false)] {
            let run = try ToolRun([Self.longList, "--emit", "asm"] + arguments)
            #expect(run.text.contains(".table") == has)
        }
        let needs = try ToolRun(["requires", Self.longList])
        #expect(needs.text.contains("5.2   constant tables (.rodata)"))

        let raw = try ToolRun([Self.longList, "--emit", "raw"])
        #expect(raw.status == 0 && raw.output.count > 8 * 100)
        // No wide instruction is for a place in a table.
        #expect(!stride(from: 0, to: raw.output.count, by: 8).contains { raw.output[$0] == 0x18 })

        let graph = try ToolRun([Self.longList, "--emit", "ir", "--hook", "tc", "--match", "shot", "--explain-passes"])
        #expect(graph.text.hasPrefix("; set1: 20 numbers in "))
        #expect(graph.text.contains(" = set1.numbers[%"))
        #expect(graph.errors.contains("cbpf2ebpf: made sets of "))
    }

    /// The default depends on the expression and the hook; bytes are not mentioned.
    @Test(
        arguments: [
            (["vlan 5 and icmp"], "wire"), (["--hook", "tc", "--match", "shot", "not vlan"], "wire"),
            (["--vlan", "bytes", "vlan"], nil), (["-O0", "vlan"], nil), (["icmp"], nil),
            (["--hook", "xdp", "--match", "drop", "vlan"], nil), (["--vlan", "stripped", "vlan"], "stripped"),
            (["-y", "RAW", "ip"], nil), (["--input", "-"], nil),
        ] as [([String], String?)])
    func jsonNamesTheView(arguments: [String], view: String?) throws {
        let run = try ToolRun(arguments + ["--emit", "json"], input: Array("1\n6 0 0 262144\n".utf8))
        let object = try JSONSerialization.jsonObject(with: Data(run.output)) as? [String: Any]
        #expect(object?["vlan"] as? String == view)
    }

    @Test func programsAreOptimisedUnlessToldOtherwise() throws {
        let plain = try ToolRun(["--emit", "raw", "ip"])
        for option in ["-O", "-O1"] {
            let run = try ToolRun([option, "--emit", "raw", "ip"])
            #expect(run.output == plain.output && run.errors == "")
        }
        let none = try ToolRun(["-O0", "--emit", "raw", "ip"])
        #expect(none.status == 0 && none.output != plain.output && none.errors == "")
    }

    /// As people who know the kernel's header write them.
    @Test(arguments: ["shot", "SHOT", "TC_ACT_SHOT", "2"]) func verdictsHaveSeveralNames(verdict: String) throws {
        let arguments = ["--hook", "tc", "--emit", "raw", "ip", "--match"]
        #expect(try ToolRun(arguments + [verdict]).output == ToolRun(arguments + ["shot"]).output)
    }

    @Test(arguments: [
        ("tcx-ingress", "TCX_DROP"), ("netkit-peer", "NETKIT_DROP"), ("tcx-egress", "2"),
    ]) func aClassifierIsOneWhereverItIsAttached(hook: String, verdict: String) throws {
        let program = try ToolRun(["--hook", hook, "--match", verdict, "--emit", "raw", "tcp"])
        let classifier = ["--hook", "tc", "--match", "shot", "--no-match", "unspec", "--emit", "raw", "tcp"]
        #expect(try program.output == ToolRun(classifier).output)
        #expect(program.status == 0)
    }

    /// What packets begin with is the hook's unless -y says otherwise.
    @Test(arguments: [
        "cgroup-ingress", "cgroup-egress", "lwt-in", "lwt-out", "lwt-xmit", "netfilter", "function:netfilter",
    ]) func expressionsAreForWhatTheHookShows(hook: String) throws {
        let classic = ["--emit", "classic", "tcp port 80"]
        let raw = try ToolRun(["-y", "RAW"] + classic).output
        let ethernet = try ToolRun(classic).output
        #expect(raw != ethernet)
        #expect(try ToolRun(["--hook", hook] + classic).output == raw)
        #expect(try ToolRun(["--hook", hook, "-y", "EN10MB"] + classic).output == ethernet)
        #expect(try ToolRun(["--hook", "xdp"] + classic).output == ethernet)
    }

    /// No program is made, so there is no verdict to be given.
    @Test func whatIsNoProgramNeedsNoVerdict() throws {
        let arguments = ["--emit", "classic", "ip"]
        #expect(try ToolRun(["--hook", "tc"] + arguments).output == ToolRun(arguments).output)
    }

    @Test func theGraphAndItsPassesAreShown() throws {
        let run = try ToolRun(["--emit", "ir", "--explain-passes", "ip"])
        #expect(run.status == 0)
        #expect(
            run.text == """
                b0:
                  require half packet[12]
                  %0 = half packet[12]
                  if %0 == 0x800 goto b1 else b2
                b1:
                  return 0x40000
                b2:
                  return 0

                """)
        #expect(run.errors.contains("cbpf2ebpf: blocks: joined 1 blocks to those in front of them\n"))
        let bare = try ToolRun(["--emit", "ir", "--passes", "", "ip"])
        #expect(bare.status == 0 && bare.errors == "" && bare.text.hasPrefix("b0:\n  goto b1\nb1:\n"))
    }

    /// For a hook the graph has its verdicts and each way in which packets are read.
    @Test func theGraphForAHookIsShown() throws {
        let run = try ToolRun(["--hook", "tc", "--match", "shot", "--emit", "ir", "ip"])
        #expect(run.status == 0)
        let parts = run.text.split(separator: "; ").map(String.init)
        try #require(parts.count == 2)
        #expect(parts[0].hasPrefix("packets through pointers\nb0:\n"))
        #expect(parts[1].hasPrefix("where they do not reach, packets through instructions\nb0:\n"))
        for part in parts { #expect(part.contains("return 2\n") && part.contains("return 0\n")) }
        // Nothing is out of the reach of programs for packets in one buffer.
        let xdp = try ToolRun(["--hook", "xdp", "--match", "drop", "--emit", "ir", "ip"])
        #expect(xdp.text.hasPrefix("b0:\n") && !xdp.text.contains(";"))
    }

    @Test func passesOfProgramsAreChosenAndExplained() throws {
        let arguments = ["--hook", "xdp", "--match", "drop", "--emit", "asm", "--no-pcap-optimizer", "tcp port 80"]
        let all = try ToolRun(arguments + ["--explain-passes"])
        #expect(try all.status == 0 && all.output == ToolRun(arguments).output)
        #expect(all.errors.contains("cbpf2ebpf: blocks: joined "))
        let none = try ToolRun(arguments + ["--explain-passes", "--passes", ""])
        #expect(none.status == 0 && none.output != all.output && !none.errors.contains("cbpf2ebpf: blocks: "))
    }

    @Test func helpAndVersionGoToStandardOutput() throws {
        let help = try ToolRun(["--help"])
        #expect(help.status == 0 && help.errors == "")
        for option in ["--hook", "--match", "--no-match", "--emit", "-F", "--input", "-y", "-s", "--kernel-form"] {
            #expect(help.text.contains(option))
        }
        for command in CommandLineTool.subcommands { #expect(help.text.contains(command.name), "\(command)") }
        let version = try ToolRun(["--version"])
        #expect(version.status == 0)
        #expect(version.text.contains(/^cbpf2ebpf \d+\.\d+\.\d+ \(libpcap version .*\)\n$/))
    }
}

/// The folder of Package.swift.
let projectFolder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
