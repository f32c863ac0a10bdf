#if os(Linux)
    import Foundation
    import PacketFilter
    import TestSupport
    import Testing

    /// `count` as a process, with real traffic.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct CountTests {
        /// Sends datagrams of 100 bytes to a port that is closed at each interval; ICMP says so each time.
        private static let traffic = """
            import socket, sys
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for number in range(int(sys.argv[1])):
                sender.sendto(bytes(100), ('127.0.0.1', 9))
            """

        /// In a namespace with a loopback interface: starts the tool, waits until it counts, does `work`, waits for its end.
        private func count(_ arguments: String, _ work: String = "send 500", before: String = "") throws -> ToolResult {
            let folder = try TemporaryFolder()
            let script = """
                cd "$1"; tool="$0"
                ip link set lo up
                traffic() { python3 -c "$traffic" $1; }
                \(before)
                env --default-signal=INT,TERM,HUP "$tool" count \(arguments) 2>errors & pid=$!
                until grep -q '^counting at' errors 2>/dev/null; do kill -0 $pid || break; sleep 0.02; done
                \(work.replacingOccurrences(of: "send", with: "traffic"))
                wait $pid; status=$?
                cat errors >&2; exit $status
                """
            return try run(
                "unshare", ["-n", "bash", "-c", script, builtTool, folder.path("")],
                environment: ["traffic": Self.traffic, "folder": folder.path("")])
        }

        private struct Line: Decodable, Equatable {
            struct Filter: Decodable, Equatable {
                var name: String
                var packets, bytes: UInt64
            }
            var time: Double
            var filters: [Filter]
        }

        @Test func jsonHasALineASecondAndALastOne() throws {
            let start = Date().timeIntervalSince1970
            let result = try count("-i lo udp 'ether proto \\ip' 'web=tcp port 80' 'len=142' --json --for 2300ms")
            #expect(result.status == 0 && result.errors == "counting at lo, Ctrl-C ends it\n", "\(result.errors)")
            let texts = result.text.split(separator: "\n")
            let lines = try texts.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            #expect(lines.count == 3)
            #expect(lines.map(\.time) == lines.map(\.time).sorted())
            #expect(try #require(lines.first).time >= start + 1 && lines.last!.time - lines[0].time >= 1.2)
            #expect(
                lines.last?.filters == [
                    .init(name: "udp", packets: 500, bytes: 71_000),
                    .init(name: "ether proto \\ip", packets: 1000, bytes: 156_000),
                    .init(name: "web", packets: 0, bytes: 0), .init(name: "len=142", packets: 500, bytes: 71_000),
                ])
            let form = /\{"time": [0-9.]+, "filters": \[\{"name": "udp", "packets": 500, "bytes": 71000\}, .*\]\}/
            #expect(try form.wholeMatch(in: try #require(texts.last)) != nil, "\(texts)")
        }

        /// The last byte is at len - 1, so no packet has the one that is asked for.
        @Test func aFilterThatReadsBeyondPacketsLeavesTheOthers() throws {
            let result = try count("-i lo udp 'ether[len] = 1' ip --json --for 1300ms")
            #expect(result.status == 0, "\(result.errors)")
            let last = try #require(result.text.split(separator: "\n").last)
            let line = try JSONDecoder().decode(Line.self, from: Data(last.utf8))
            #expect(line.filters.map(\.packets) == [500, 0, 1000])
        }

        /// tcpdump at the same interface at the same time, and README's numbers.
        @Test(.enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"))
        func theTotalsAreREADMEsAndTcpdumps() throws {
            let readme = try String(contentsOf: projectFolder.appending(path: "README.md"), encoding: .utf8)
            let code = readme.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            let command = "$ cbpf2ebpf count -i lo tcp udp icmp --for 2s"
            let place = try #require(code.firstIndex(of: command))
            let shown = code[(place + 1)...].prefix(5)
            let folder = try TemporaryFolder()
            let file = folder.path("all.pcap")
            let result = try count(
                String(command.dropFirst("$ cbpf2ebpf count ".count)),
                "send 500; sleep 0.7; kill -INT $dump; wait $dump",
                before: """
                    tcpdump -Z root -s 256 -B 8192 --immediate-mode -i lo -w '\(file)' 2>dump & dump=$!
                    until grep -q 'listening on' dump; do kill -0 $dump || exit 1; sleep 0.05; done
                    """)
            #expect(result.status == 0, "\(result.errors)")
            func totals(_ lines: some Sequence<String>) -> [String] {
                lines.map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
            }
            let lines = result.text.split(separator: "\n").map(String.init)
            #expect(lines.first == shown.first)
            #expect(totals(lines.suffix(4)) == totals(shown.suffix(4)))
            for line in lines.suffix(3) {
                let fields = line.split(separator: " ").map(String.init)
                let filter = try PacketFilter(fields[0])
                var capture = try CaptureFile(path: file)
                var (packets, bytes) = (0, 0)
                while let packet = try capture.next() {
                    guard try filter.run(on: Packet(ethernet: packet.bytes)) != 0 else { continue }
                    packets += 1
                    bytes += Int(packet.wireLength)
                }
                #expect(fields[1...2] == ["\(packets)", "\(bytes)"], "\(line)")
            }
        }

        /// README's table of clauses, and a program in another form beside it.
        @Test func clausesAndProgramsAreCountedAsREADMESays() throws {
            let readme = try String(contentsOf: projectFolder.appending(path: "README.md"), encoding: .utf8)
            let code = readme.split(separator: "\n").map { String($0.dropFirst(4)) }
            let place = try #require(code.firstIndex { $0.hasPrefix("$ cbpf2ebpf count -i lo --by clause") })
            let shown = code[(place + 1)...].prefix(7)
            let command = code[place].dropFirst("$ cbpf2ebpf count ".count)
            let lines = try count(String(command), "send 500").text.split(separator: "\n").map(String.init)
            func totals(_ lines: some Sequence<String>) -> [String] {
                lines.map { $0.split(separator: " ").dropLast().joined(separator: " ") }
            }
            #expect(lines.first == shown.first && totals(lines) == totals(shown))
            let programs = try count(
                "-i lo --input dns=dns.asm --input 9.asm 'ip broadcast' --netmask 255.255.255.0 --json",
                "send 20; kill -INT $pid",
                before: """
                    "$tool" convert --to bpf-asm udp port 53 >dns.asm; "$tool" convert --to xt-bpf udp port 9 >9.asm
                    """)
            #expect(programs.text.contains(#"{"name": "ip broadcast", "packets": 0, "bytes": 0}, "#), "\(programs)")
            #expect(
                programs.text.contains(
                    #"{"name": "dns", "packets": 0, "bytes": 0}, {"name": "9.asm", "packets": 20, "bytes": 2840}]"#))
        }

        /// The numbers of the programs a process has, into the file `ids`.
        private static let noteIDs = "sed -n 's/^prog_id:[^0-9]*//p' /proc/$pid/fdinfo/* | sort -u > ids; cat ids"
        /// What bpftool knows of these.
        private static let showIDs =
            "for id in $(cat ids); do bpftool prog show id $id >/dev/null 2>&1 && echo still $id; done; true"

        /// Totals are told whenever it is interrupted, and nothing stays in the kernel.
        @Test(
            .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"), arguments: ["INT", "TERM", "HUP"])
        func aSignalEndsItWithTheTotals(signal: String) throws {
            let result = try count(
                "-i lo --hook tcx-egress udp tcp",
                "\(Self.noteIDs); \(Self.showIDs); send 70; kill -\(signal) $pid; wait $pid; status=$?; \(Self.showIDs); "
                    + "cat errors >&2; exit $status")
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.text.split(separator: "\n").map {
                $0.split(separator: " ").prefix(3).joined(separator: " ")
            }
            try #require(lines.count == 5, "\(lines)")
            #expect(UInt32(lines[0]) != nil && lines[1] == "still \(lines[0])")
            #expect(lines[2...] == ["filter packets bytes", "udp 70 9940", "tcp 0 0"])
        }

        /// The process cannot do anything about this one, the kernel does.
        @Test(
            .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"),
            arguments: ["socket", "xdp", "tcx-ingress"])
        func theKernelCleansUpAfterAKill(hook: String) throws {
            let result = try count(
                "-i lo --hook \(hook) udp",
                "\(Self.noteIDs); kill -KILL $pid; wait $pid; sleep 0.3; \(Self.showIDs); ip link show lo; exit")
            let lines = result.text.split(separator: "\n")
            #expect(lines.first.flatMap { UInt32($0) } != nil, "\(result.errors)")
            #expect(!result.text.contains("still") && !result.text.contains("xdp"), "\(result.text)")
        }

        @Test func aTerminalGetsATableThatStaysInPlace() throws {
            let result = try run("script", ["-qec", "'\(builtTool)' count -i lo tcp udp --for 1200ms", "/dev/null"])
            #expect(result.status == 0)
            #expect(result.text.contains("filter  packets") && result.text.contains("\u{1b}[3A"))
        }

        @Test func histogramsAreDrawn() throws {
            let result = try count("-i lo udp tcp --histogram length --for 1s", "send 30")
            let expected = """

                udp
                    bytes      : packets distribution
                    128 -> 255 : 30      |****************************************|

                tcp
                    no packets

                """
            #expect(result.text.split(separator: " ").joined().hasSuffix(expected.split(separator: " ").joined()))
            let intervals = try count("-i lo udp --histogram interarrival --for 1s", "send 30").text
            let packets = intervals.matches(of: /[0-9] +: ([0-9]+) +\|/).compactMap { Int($0.output.1) }
            #expect(packets.reduce(0, +) == 29, "\(intervals)")
        }

        @Test func anInterfaceThatGoesEndsIt() throws {
            let result = try count(
                "-i left 'every='",
                // Under another name it is still the same one.
                "ip link set left name other; sleep 1.2; kill -0 $pid || exit 7; ip link delete other",
                before: "ip link add left type veth peer name right")
            #expect(result.status == 1)
            #expect(
                result.errors.hasSuffix(
                    "cbpf2ebpf: the interface 'left' is gone, or somebody has detached the program\n"))
            #expect(result.text.contains("every "))
        }

        @Test(arguments: [
            ("udp", "The socket hook needs -i."),
            ("--hook xdp udp", "The xdp hook needs -i."),
            ("--hook cgroup-egress udp", "The cgroup-egress hook needs --cgroup."),
            ("--hook tc -i lo udp", "The tc hook needs --direction."),
            ("--hook xdp -i lo --clsact udp", "--direction and --clsact are for tc."),
            ("--hook lwt-in udp", "Programs for lwt-in are not attached from here; socket, xdp"),
            ("--hook netfilter -i lo udp", "-i is for hooks of interfaces, netfilter is none."),
            ("-i lo --hook-point input udp", "--hook-point is for netfilter."),
            (
                "--hook netfilter --hook-point somewhere udp",
                "'somewhere' is no value of --hook-point, which takes prerouting"
            ),
            ("-i lo --cgroup /sys udp", "--cgroup is for the hooks cgroup-ingress and cgroup-egress."),
            ("-i lo --for 3x udp", "'3x' is no duration for --for, which takes 10s, 500ms, 2m or 1h."),
            ("-i lo --for 0 udp", "'0' is no duration for --for"),
            ("-i lo --json --histogram length udp", "--histogram is for people, --json for scripts: one of them."),
            ("-i lo --histogram size udp", "'size' is no value of --histogram, which takes length, interarrival."),
            ("-i lo udp udp", "Two filters have the name 'udp'; give them others with NAME=EXPRESSION."),
        ])
        func wrongUsageIsSaid(arguments: String, message: String) throws {
            let result = try ToolRun(["count"] + arguments.split(separator: " ").map(String.init))
            #expect(result.status == 64)
            #expect(result.errors.hasPrefix("Error: " + message), "\(result.errors)")
        }

        @Test(arguments: [
            (["-i", "nothing", "udp"], "there is no interface 'nothing'"),
            (["-i", "lo", "udp prot 5"], "syntax error"),
            (["--hook", "cgroup-egress", "--cgroup", "/nowhere", "udp"], "there is no control group '/nowhere'"),
        ])
        func whatIsRefusedIsSaid(arguments: [String], message: String) throws {
            let result = try ToolRun(["count"] + arguments)
            #expect(result.status == 1)
            #expect(result.errors.contains(message), "\(result.errors)")
        }
    }
#endif
