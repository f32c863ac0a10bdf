#if os(Linux)
    import Foundation
    import TestSupport
    import Testing

    /// `bench`: what it writes is well-formed, and none of its times are asserted.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct BenchTests {
        private static let capture = projectFolder.appending(path: "examples/sample.pcap").path(percentEncoded: false)

        /// The lines behind a command in README, up to an empty line and the table behind that.
        private static func shown(_ command: String) throws -> [String] {
            let readme = try String(contentsOf: projectFolder.appending(path: "README.md"), encoding: .utf8)
            let lines = readme.split(separator: "\n", omittingEmptySubsequences: false).map { String($0.dropFirst(4)) }
            let start = try #require(lines.firstIndex(of: command)) + 1
            return Array(lines[start..<(start + 16)])
        }

        /// As README has it, but for the numbers.
        @Test func theTableIsLikeREADMEs() throws {
            let shown = try Self.shown("$ cbpf2ebpf bench tcp port 80")
            let run = try ToolRun(["bench", "--rounds", "1", "tcp", "port", "80"])
            #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
            let lines = run.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            #expect(lines[0] == shown[0] && lines[3...5] == shown[3...5])
            #expect(lines[2] == "ns a packet, the median of 1 sample and the quartiles")
            #expect(lines[6].split(separator: " ") == shown[6].split(separator: " "))
            let row = /(\S+ +\S+) +[0-9]+ +(?:[0-9]+ +)?(-?[0-9]+\.[0-9] +-?[0-9.]+…-?[0-9.]+ *){2}/
            for (line, expected) in zip(lines[7...], shown[7...]).prefix(9) {
                let match = try #require(try row.wholeMatch(in: line), "\(line)")
                let other = try #require(try row.wholeMatch(in: expected), "\(expected)")
                #expect(match.output.1 == other.output.1)
            }
            #expect(lines.count == 17 && lines[16].isEmpty)
        }

        @Test func thePacketsAreTheFirstOfACapture() throws {
            let run = try ToolRun(
                ["bench", "--rounds", "1", "-r", Self.capture, "--hook", "xdp", "tcp", "port", "80"])
            let lines = run.text.split(separator: "\n").map(String.init)
            #expect(lines[3] == "match: packet 11 of \(Self.capture), IP 192.0.2.10.49152 > 192.0.2.80.80: tcp")
            #expect(lines[4] == "no match: packet 1 of \(Self.capture), ARP who-has 192.0.2.80 tell 192.0.2.10")
            // Which packets match is tcpdump's to say.
            let matching = try TestSupport.run("tcpdump", ["-n", "-r", Self.capture, "-c", "1", "tcp port 80"])
            #expect(matching.text.contains("IP 192.0.2.10.49152 > 192.0.2.80.80"), "\(matching.errors)")
        }

        /// Where there is no packet, no program or no privilege, the object says so in the place of the times.
        @Test(
            .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3 with jsonschema"),
            arguments: [
                "--hook socket,xdp tcp port 80", "--hook xdp --hook cgroup-ingress,netfilter,lwt-in udp",
                "--hook xdp,cgroup-egress arp", "--hook socket ip6 protochain 6", "--hook tc",
                "--hook socket,xdp-frags vlan",
            ])
        func theObjectIsAsTheSchemaSays(arguments: String) throws {
            let run = try ToolRun(
                ["bench", "--rounds", "1", "--json"] + arguments.split(separator: " ").map(String.init))
            #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
            try checkSchema(run.output)
        }

        private func checkSchema(_ text: [UInt8]) throws {
            let schema = projectFolder.appending(path: "Grammar/bench.schema.json").path(percentEncoded: false)
            let program = """
                import json, sys, jsonschema
                schema = json.load(open(sys.argv[1]))
                jsonschema.Draft202012Validator.check_schema(schema)
                jsonschema.validate(json.load(sys.stdin), schema, cls=jsonschema.Draft202012Validator)
                """
            let check = try run("/usr/bin/python3", ["-c", program, schema], input: text)
            #expect(check.status == 0, "\(check.errors)")
        }

        /// The classic filter is timed all the same, which takes no privilege; of the others the missing one is named.
        @Test func missingPrivilegesAreNamed() throws {
            let cases = [
                (
                    "-all",
                    "xdp -O1, xdp empty: bpf(BPF_PROG_LOAD) is not permitted: programs at xdp take CAP_BPF and "
                        + "CAP_NET_ADMIN; CAP_BPF and CAP_NET_ADMIN are missing"
                ),
                (
                    "+bpf,+net_admin",
                    "socket -O1: bpf(BPF_PROG_LOAD) is not permitted: programs at socket take CAP_BPF "
                        + "and CAP_PERFMON; CAP_PERFMON is missing"
                ),
            ]
            for (set, message) in cases {
                let result = try run(
                    "setpriv",
                    [
                        "--reuid", "65534", "--clear-groups", "--inh-caps", set, "--ambient-caps", set, builtTool,
                        "bench",
                        "--rounds", "1", "--hook", "socket,xdp", "icmp",
                    ])
                #expect(result.status == 1)
                #expect(
                    result.errors == "cbpf2ebpf: not all could be measured, the kernel wants privileges for it\n")
                let lines = result.text.split(separator: "\n").map(String.init)
                #expect(lines.contains(message), "\(result.text)")
                let classic = try #require(lines.first { $0.hasPrefix("socket  classic ") })
                #expect(classic.contains("…"))
            }
        }

        @Test func whatCannotBeMeasuredIsTold() throws {
            let all = try ToolRun(["bench", "--rounds", "1", "--hook", "xdp"])
            #expect(all.status == 0 && all.text.hasSuffix("\nnone of the sample packets fails to match\n"))
            let long = try ToolRun(
                ["bench", "--rounds", "1", "--hook", "socket", "--input", "-"],
                input: Array(("4096" + String(repeating: ",128 0 0 0", count: 4095) + ",6 0 0 1").utf8))
            #expect(
                long.text.contains(
                    "socket classic: 4096 classic instructions leave no room for an end behind them, a filter has at "
                        + "most 4096\n"), "\(long.text) \(long.errors)")
            let cooked = try TemporaryFolder()
            let header: [UInt8] =
                [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0] + [UInt8](repeating: 0, count: 8) + [0, 0, 1, 0, 113, 0, 0, 0]
            try cooked.file("cooked.pcap", containing: header)
            let file = cooked.path("cooked.pcap")
            let run = try ToolRun(["bench", "-r", file, "ip"])
            #expect(run.status == 1)
            #expect(
                run.errors
                    == "cbpf2ebpf: \(file) has packets of link type LINUX_SLL, programs are timed on EN10MB or RAW\n")
        }

        @Test func wrongUsageIsTold() throws {
            let cases: [([String], String)] = [
                (["--rounds", "0", "ip"], "Error: --rounds takes 1 to 10000."),
                (["--hook", "xdp,", "ip"], "Error: --hook: there is no hook ''"),
                (
                    ["--hook", "tp_btf:kfree_skb"],
                    "Error: --hook: the kernel has no test runs for programs of tp_btf:kfree_skb."
                ),
            ]
            for (arguments, message) in cases {
                let run = try ToolRun(["bench"] + arguments)
                #expect(run.status == 64 && run.output.isEmpty)
                #expect(run.errors.hasPrefix(message), "\(run.errors)")
            }
        }
    }
#endif
