import Foundation
import PacketFilter
import TestSupport
import Testing

/// `run` against tcpdump on the same file.
struct RunTests {
    private static let sample = projectFolder.appending(path: "examples/sample.pcap").path(percentEncoded: false)

    private static let expressions = [
        "icmp or udp", "tcp port 80", "arp", "ip6", "vlan", "greater 100", "not ip", "tcp[tcpflags] & tcp-syn != 0", "",
    ]

    @Test(arguments: expressions) func whatMatchesIsWhatTcpdumpPrints(_ expression: String) throws {
        let words = expression.isEmpty ? [] : [expression]
        let expected = try run("tcpdump", ["-n", "-tt", "--nano", "-r", Self.sample] + words).text.split(
            separator: "\n"
        )
        .compactMap { $0.split(separator: " ").first.map(String.init) }
        let output = try ToolRun(["run", "-r", Self.sample] + words)
        #expect(output.status == 0)
        let lines = output.text.split(separator: "\n")
        #expect(lines.map { String($0.split(separator: " ")[1]) } == expected)
        #expect(output.errors == "\(Self.sample): \(expected.count) of 33 packets match\n")
    }

    @Test(arguments: expressions) func whatIsWrittenIsWhatTcpdumpWrites(_ expression: String) throws {
        let folder = try TemporaryFolder()
        let words = expression.isEmpty ? [] : [expression]
        let theirs = try run("tcpdump", ["--nano", "-r", Self.sample, "-w", "-"] + words).output
        let ours = try ToolRun(["run", "-r", Self.sample, "-w", folder.path("out.pcap")] + words)
        #expect(ours.status == 0 && ours.output.isEmpty)
        #expect(try [UInt8](Data(contentsOf: folder.url("out.pcap"))).dropFirst(24) == theirs.dropFirst(24))
    }

    @Test(arguments: expressions) func allWaysAgree(_ expression: String) throws {
        for target in [[], ["--hook", "xdp", "--match", "drop"], ["--hook", "socket"]] {
            let words = ["run", "-r", Self.sample, "--compare"] + target + [expression]
            let output = try ToolRun(expression.isEmpty ? words.dropLast() : words)
            #expect(output.status == 0, "\(output.errors)")
        }
    }

    #if os(Linux)
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"), arguments: expressions)
        func theKernelAgrees(_ expression: String) throws {
            let words = expression.isEmpty ? [] : [expression]
            let interpreted = try ToolRun(["run", "-r", Self.sample] + words)
            for target in [[], ["--hook", "xdp", "--match", "drop"]] {
                let output = try ToolRun(["run", "-r", Self.sample, "--in", "kernel"] + target + words)
                #expect(output.status == 0, "\(output.errors)")
                #expect(output.text == interpreted.text)
                #expect(
                    try ToolRun(["run", "-r", Self.sample, "--in", "kernel", "--compare"] + target + words).status == 0)
            }
        }
    #endif

    @Test func itStopsWhereItIsTold() throws {
        let output = try ToolRun(["run", "-r", Self.sample, "-c", "2", "icmp"])
        #expect(output.text.split(separator: "\n").map { $0.prefix(3) } == ["3  ", "4  "])
    }

    @Test func packetsAreTold() throws {
        let lines = try ToolRun(["run", "-r", Self.sample]).text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "1  1700000000.000250000  60  ARP who-has 192.0.2.80 tell 192.0.2.10")
        #expect(lines[6] == "7  1700000000.006250000  75  IP 192.0.2.10.40053 > 192.0.2.53.53: udp")
        #expect(lines[24] == "25  1700000000.024250000  78  IP6 2001:db8::10.49155 > 2001:db8::80.80: tcp")
    }

    private static let refused: [([String], String)] = [
        (["-r", "/nonexistent.pcap"], "/nonexistent.pcap: No such file or directory"),
        (["-r", sample, "-w", "/nonexistent/out"], "/nonexistent/out: No such file or directory"),
        (
            ["-r", "/dev/null"],
            "/dev/null: no capture file: truncated dump file; tried to read 4 file header bytes, only got 0"
        ),
        (
            ["-r", sample, "tcp port"],
            """
            can't parse filter expression: syntax error
            cbpf2ebpf: column 9: found the end of the text, expected an address, a name, a number, 'not' or '('
                tcp port
                        ^
            """
        ),
    ]

    @Test(arguments: refused) func badInputIsAnError(_ arguments: [String], _ message: String) throws {
        let output = try ToolRun(["run"] + arguments)
        #expect(output.errors == "cbpf2ebpf: \(message)\n")
        #expect(output.status == 1 && output.output.isEmpty)
    }

    @Test func wrongUsageIsToldApart() throws {
        for arguments in [
            ["run"], ["run", "-r", Self.sample, "-c", "0"], ["run", "-r", Self.sample, "--in", "space"],
        ] {
            #expect(try ToolRun(arguments).status == 64, "\(arguments)")
        }
    }

    /// A file that ends in the middle of a packet: what is in front of it counts, then the error comes.
    @Test func aTruncatedFileIsAnErrorBehindWhatItHolds() throws {
        let folder = try TemporaryFolder()
        let bytes = try [UInt8](Data(contentsOf: URL(filePath: Self.sample)))
        try folder.file("cut.pcap", containing: Array(bytes.dropLast(7)))
        let output = try ToolRun(["run", "-r", folder.path("cut.pcap")])
        #expect(output.status == 1)
        #expect(output.text.split(separator: "\n").count == 32)
        #expect(output.errors.contains("packet 32"))
    }
}
