import Foundation
import TestSupport
import Testing

/// Bad input gets one message on standard error, the right exit code, nothing on standard output and no file.
@Suite struct BadInputTests {
    /// An output file is asked for, so that one left behind is seen.
    private func refused(
        _ arguments: [String], input: [UInt8] = [], status: Int32 = 1, _ message: String,
        beneath: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let folder = try TemporaryFolder()
        let run = try ToolRun(arguments + ["-o", folder.path("prog.o")], input: input)
        #expect(run.status == status, sourceLocation: sourceLocation)
        #expect(run.output.isEmpty, sourceLocation: sourceLocation)
        #expect(!FileManager.default.fileExists(atPath: folder.path("prog.o")), sourceLocation: sourceLocation)
        let first = run.errors.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init)
        #expect(first == message, sourceLocation: sourceLocation)
        if status == 1 {
            let lines = [message] + beneath
            #expect(run.errors == lines.map { $0 + "\n" }.joined(), sourceLocation: sourceLocation)
        }
    }

    @Test func whatLibpcapRefusesIsPassedOnWhole() throws {
        try refused(
            ["foo"], "cbpf2ebpf: can't parse filter expression: syntax error",
            beneath: ["cbpf2ebpf: column 1: found 'foo', expected a primitive, 'not' or '('", "    foo", "    ^"])
        try refused(
            ["(icmp"], "cbpf2ebpf: can't parse filter expression: syntax error",
            beneath: [
                "cbpf2ebpf: column 6: found the end of the text, expected 'and', 'or' or ')'", "    (icmp",
                "         ^",
            ])
        try refused(
            ["icmp and and udp"], "cbpf2ebpf: can't parse filter expression: syntax error",
            beneath: [
                "cbpf2ebpf: column 10: found 'and', expected a primitive, 'not' or '('", "    icmp and and udp",
                "             ^",
            ])
        try refused(["ip host 300.1.2.3"], "cbpf2ebpf: invalid IPv4 address '300.1.2.3'")
    }

    @Test func whatLibpcapAsksForIsNamed() throws {
        try refused(
            ["ip broadcast"],
            "cbpf2ebpf: netmask not known, so 'ip broadcast' not supported; give it with --netmask")
    }

    @Test func namesThatDoNotResolveAreNamed() throws {
        try refused(["host no-such-name.invalid"], "cbpf2ebpf: unknown host 'no-such-name.invalid'")
        try refused(["port nosuchservice"], "cbpf2ebpf: unknown port 'nosuchservice'")
        try refused(["ip proto nosuchproto"], "cbpf2ebpf: unknown ip proto 'nosuchproto'")
    }

    @Test func anUnknownLinkTypeIsNamed() throws {
        try refused(
            ["-y", "NOSUCH", "ip"],
            "cbpf2ebpf: unknown link type \"NOSUCH\", it must be a name of libpcap's such as EN10MB or RAW, or its number"
        )
    }

    @Test func bytecodeIsReadStrictly() throws {
        let cases: [(String, String)] = [
            ("", "1:1: found the end of the text, expected a classic program"),
            ("2\n6 0 0 1\n", "1:1: the first line says 2 instructions, 1 follow"),
            ("1\n6 0 0 -1\n", "2:7: -1 is out of range for k, it must be 0 to 4294967295"),
            ("1\n6 0 0 99999999999\n", "2:7: 99999999999 is out of range for k, it must be 0 to 4294967295"),
            ("2\n21 5 0 0\n6 0 0 0\n", "instruction 0: jump to instruction 6, the last is 1"),
            ("1\n0 0 0 0\n", "instruction 0: the last instruction must be a ret of a constant or of A"),
            (
                "4097\n" + String(repeating: "6 0 0 0\n", count: 4097),
                "the program has 4097 instructions, at most 4096 are allowed"
            ),
        ]
        for (text, message) in cases {
            try refused(["--input", "-"], input: Array(text.utf8), "cbpf2ebpf: \(message)")
        }
    }

    @Test func whatCannotBeReadIsSaid() throws {
        let folder = try TemporaryFolder()
        try refused(
            ["--input", folder.path("missing")],
            "cbpf2ebpf: cannot read \(folder.path("missing")): No such file or directory")
        try refused(
            ["-F", folder.path("missing")],
            "cbpf2ebpf: cannot read \(folder.path("missing")): No such file or directory")
        try refused(["--input", folder.path("")], "cbpf2ebpf: cannot read \(folder.path("")): Is a directory")
    }

    @Test func messagesAreOneLineWhateverTheyQuote() throws {
        try refused(
            ["-y", "a\nb\u{1b}[31m", "ip"],
            #"cbpf2ebpf: unknown link type "a\nb\u{1B}[31m", it must be a name of libpcap's such as EN10MB or RAW, or its number"#
        )
        try refused(
            ["--input", "-", "--input-form", "tcpdump-ddd"], input: Array("1\n6 0 0 \r\0\n".utf8),
            #"cbpf2ebpf: 2:7: '\r\0' is no decimal number, k must stand here"#)
    }

    #if os(Linux)
        /// A device that never ends.
        @Test func inputWithoutEndIsRefused() throws {
            for option in ["-F", "--input"] {
                try refused(
                    [option, "/dev/zero"], "cbpf2ebpf: cannot read /dev/zero: it has more than 16777216 bytes")
            }
        }
    #endif

    @Test func inputOfTheLongestLengthIsRead() throws {
        let program = Array("1\n6 0 0 1\n".utf8)
        let longest = program + [UInt8](repeating: UInt8(ascii: "\n"), count: 16_777_216 - program.count)
        #expect(try ToolRun(["--input", "-", "--emit", "classic"], input: longest).text == "(000) ret      #1\n")
        try refused(
            ["--input", "-"], input: longest + [UInt8(ascii: "\n")],
            "cbpf2ebpf: cannot read standard input: it has more than 16777216 bytes")
    }

    @Test func anExpressionWithANulByteIsRefused() throws {
        let folder = try TemporaryFolder()
        try folder.file("filter", containing: Array("icmp\0 or udp".utf8))
        let run = try ToolRun(["-F", folder.path("filter")])
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(run.errors.contains("NUL"))
    }

    @Test func tenMegabytesOfExpressionAreRefusedAtOnce() throws {
        let folder = try TemporaryFolder()
        let expression = "host 192.0.2.1" + String(repeating: " or host 192.0.2.1", count: 10_000_000 / 18)
        try folder.file("filter", containing: Array(expression.utf8))
        // Not the trait for time limits: that counts from when the test is ready to run, and all tests are at once.
        let start = ContinuousClock.now
        let run = try ToolRun(["-F", folder.path("filter")])
        #expect(ContinuousClock.now - start < .seconds(60))
        #expect(run.status == 1 && run.output.isEmpty)
        #expect(run.errors.split(separator: "\n").count == 1)
    }

    @Test func whatTheTargetCannotRunIsNamed() throws {
        try refused(
            ["--input", "-"], input: Array("2\n32 0 0 4294963252\n22 0 0 0\n".utf8),
            "cbpf2ebpf: instruction 0: the extension poff needs Linux 6.5, the program is to run on 5.15 too")
        try refused(
            ["-O0", "--input", "-"], input: Array("2\n32 0 0 4294963252\n22 0 0 0\n".utf8),
            "cbpf2ebpf: instruction 0: the extension poff is not available to a program on the socket hook")
        let loop = try ToolRun(["-O0", "ip6 protochain 6"])
        #expect(loop.status == 1 && loop.output.isEmpty)
        #expect(
            loop.errors.contains(/^cbpf2ebpf: instruction \d+: jump back to instruction \d+, only forward is allowed/))
    }

    /// libpcap's message stands whole; the hint is there where it can be of help.
    @Test(arguments: [
        (
            ["arp"],
            "expression rejects all packets; the expression is one for Ethernet, and packets on the netfilter "
                + "hook begin with their IP header"
        ),
        (
            ["vlan 5"],
            "no VLAN support for Raw IP; the expression is one for Ethernet, and packets on the netfilter "
                + "hook begin with their IP header"
        ),
        (
            ["ether src 1:2:3:4:5:6"],
            "ethernet addresses supported only on ethernet/FDDI/token ring/802.11/ATM LANE/Fibre "
                + "Channel; the expression is one for Ethernet, and packets on the netfilter hook begin with their IP header"
        ),
        (["-y", "RAW", "arp"], "expression rejects all packets"),
        (["tcp port 70000"], "illegal port number 70000 > 65535"),
        (["ip broadcast"], "netmask not known, so 'ip broadcast' not supported; give it with --netmask"),
    ]) func whatCannotApplyToIPPacketsIsSaid(arguments: [String], message: String) throws {
        try refused(["--hook", "netfilter", "--match", "drop"] + arguments, input: [], "cbpf2ebpf: \(message)")
    }

    @Test func hooksWithoutPacketLoadsHaveNoMirror() throws {
        try refused(
            ["-O0", "--hook", "xdp", "--match", "drop", "ip"], input: [],
            "cbpf2ebpf: -O0 makes no program for the xdp hook, its packet loads exist on socket, tc, tcx and netkit "
                + "hooks only")
    }

    @Test func outputThatCannotBeWrittenIsSaid() throws {
        let folder = try TemporaryFolder()
        let missing = folder.path("no/such/folder")
        var run = try ToolRun(["-o", missing, "ip"])
        #expect(run.status == 1)
        #expect(run.errors == "cbpf2ebpf: cannot write \(missing): No such file or directory\n")
        run = try ToolRun(["-o", folder.path(""), "ip"])
        #expect(run.status == 1)
        #expect(run.errors == "cbpf2ebpf: cannot write \(folder.path("").dropLast()): Is a directory\n")
    }

    #if os(Linux)
        @Test func aFullDiskLeavesNoFile() throws {
            let run = try ToolRun(["-o", "/dev/full", "ip"])
            #expect(run.status == 1)
            #expect(run.errors == "cbpf2ebpf: cannot write /dev/full: No space left on device\n")
            #expect(FileManager.default.fileExists(atPath: "/dev/full"))
        }
    #endif

    @Test(arguments: [
        (
            ["--hook", "tc", "ip"],
            "Error: The tc hook needs --match, what to do with matches: ok, shot, unspec, pipe, reclassify, stolen, queued, repeat, redirect, trap."
        ),
        (["--no-match", "1", "ip"], "Error: --no-match needs --match beside it."),
        (
            ["--match", "drop", "ip"],
            "Error: 'drop' is no verdict for --match on the socket hook, which takes a decimal 32-bit number."
        ),
        (
            ["--match", "4294967296", "ip"],
            "Error: '4294967296' is no verdict for --match on the socket hook, which takes a decimal 32-bit number."
        ),
        (
            ["--emit", "elf", "ip"],
            "Error: 'elf' is no value of --emit, which takes object, asm, raw, json, classic, ir, header, c."
        ),
        (
            ["--hook", "eth0", "--emit", "classic", "ip"],
            "Error: --hook: there is no hook 'eth0', the hooks are socket, tc, tcx-ingress, tcx-egress, netkit-primary, netkit-peer, xdp, xdp-frags, cgroup-ingress, cgroup-egress, lwt-in, lwt-out, lwt-xmit, netfilter, tp_btf:TRACEPOINT, raw_tp:TRACEPOINT, fentry:FUNCTION, kprobe:FUNCTION, function:HOOK."
        ),
        (
            ["--hook", "xdp", "ip"],
            "Error: The xdp hook needs --match, what to do with matches: pass, drop, aborted, tx, redirect."
        ),
        (
            ["--hook", "tcx-ingress", "--match", "shot", "ip"],
            "Error: 'shot' is no verdict for --match on the tcx-ingress hook, which takes next, pass, drop, redirect or a decimal 32-bit number."
        ),
        (
            ["--hook", "netfilter", "--match", "drop", "--no-match", "2", "ip"],
            "Error: '2' is no verdict for --no-match on the netfilter hook, which takes accept, drop or a number of 0 to 1."
        ),
        (
            ["--hook", "tp_btf:kfree_skb", "--match", "1", "ip"],
            "Error: The tp_btf:kfree_skb hook takes no verdicts, a program there only looks at packets: leave out --match and --no-match."
        ),
        (
            ["--hook", "kprobe:ip_rcv", "--skb-argument", "0", "ip"],
            "Error: '0' is no number of 1 to 12 for --skb-argument."
        ),
        (
            ["--hook", "kprobe:ip_rcv", "--arch", "pdp11", "ip"],
            "Error: 'pdp11' is no value of --arch, which takes x86_64, arm64, riscv64."
        ),
        (
            ["--hook", "function:xdp", "--no-match", "1", "ip"],
            "Error: The function:xdp hook takes no verdicts, a function returns 1 or 0: leave out --match and --no-match."
        ),
        (["--endian", "middle", "ip"], "Error: 'middle' is no value of --endian, which takes little, big, host."),
        (["-O0", "-O1", "ip"], "Error: -O0 and -O1 exclude each other."),
        (["--no-such-option"], "Error: Unknown option '--no-such-option'"),
        (["-s", "-5", "ip"], "Error: The snapshot length '-5' is not a number of 0 to 2147483647."),
        (["-s", "4294967296", "ip"], "Error: The snapshot length '4294967296' is not a number of 0 to 2147483647."),
        (["--netmask", "+1.2.3.4", "ip"], "Error: The netmask '+1.2.3.4' is not of the form 255.255.255.0."),
        (["--netmask", "255.255", "ip"], "Error: The netmask '255.255' is not of the form 255.255.255.0."),
        (["--program-name", "a-b", "ip"], "Error: The program name 'a-b' is no C identifier."),
        (
            ["--kernel-form", "--emit", "object", "ip"],
            "Error: No kernel loads the kernel's own form from an object: use --emit asm or raw."
        ),
        (
            ["--input", "-", "-s", "100"],
            "Error: -y, -s, --netmask and --no-pcap-optimizer are for expressions, --input has none."
        ),
        (
            ["--kernel-form", "--hook", "tc", "--match", "shot", "ip"],
            "Error: The kernel's own form is for no hook: leave out --hook, --match, --no-match and --vlan."
        ),
        (
            ["--explain-passes", "-O0", "ip"],
            "Error: --passes and --explain-passes are for what the optimiser makes, this it does not."
        ),
        (
            ["-O0", "--vlan", "wire", "ip"],
            "Error: -O0 shows the bytes as they are: leave out --vlan wire, or -O0."
        ),
        (["--vlan", "on", "ip"], "Error: 'on' is no value of --vlan, which takes bytes, wire, stripped."),
        (
            ["--emit", "ir", "--passes", "dead,foo", "ip"],
            "Error: There is no pass 'foo', the passes are parameters, constants, numbering, facts, "
                + "threading, redundant, blocks, dead."
        ),
        (["--input", "-", "ip"], "Error: The filter comes from an expression, from -F or from --input, one of them."),
    ])
    func wrongUsageIsExplained(arguments: [String], message: String) throws {
        try refused(arguments, status: 64, message)
    }
}
