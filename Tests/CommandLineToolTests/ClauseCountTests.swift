#if os(Linux)
    import Foundation
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// `count --by clause` of frames that tcpdump reads too.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct ClauseCountTests {
        private static func frames(for expression: String) -> [[UInt8]] {
            Frames.all.map(\.bytes).filter { frame in
                // The kernel drops what ends within its tag, and takes one tag out of two on a packet socket.
                (22...1514).contains(frame.count)
                    && (!expression.contains("len") || ![[0x81, 0], [0x88, 0xa8]].contains(Array(frame[12..<14])))
            }
        }

        private struct Line: Decodable {
            struct Numbers: Decodable, Equatable { var packets, bytes: Int }
            struct Clause: Decodable {
                var clause: String
                var joint: String?
                var depth: Int
                var alone, so_far: Numbers
            }
            struct Filter: Decodable {
                var name: String
                var packets: Int
                var clauses: [Clause]
            }
            var filters: [Filter]
        }

        @Test(
            .enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"),
            arguments: [
                ("xdp", "ip and udp and port 53 or 80 or (tcp and not (icmp or arp))"),
                ("xdp", "vlan and ip and (udp or tcp) and tcp port 80"), ("socket", "vlan 5 or mpls and ip6"),
                ("xdp-frags", "ip and ip6 or (arp or port 53)"),
                // What is read beyond a packet ends the clause that asks for it, and no other. Frames have no tags, which
                // these hooks have beside the bytes.
                ("tcx-ingress", "(udp[udp[8:4] & 0xffff] = 1 or ether[len] = 1) or udp or ip"),
                ("socket", "ether[len] = 1 or udp and ip[1500] = 0 or not ip6[2000:4] = 1"),
            ])
        func theCountsAreTcpdumps(hook: String, expression: String) throws {
            let folder = try TemporaryFolder()
            try folder.file("frames.pcap", containing: captureFile(of: Self.frames(for: expression)))
            let file = folder.path("frames.pcap")
            let line = try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let tool = try BackgroundTool(
                    ["count", "--hook", hook, "-i", veth.second, "--json", "--by", "clause", expression])
                let sender = try PacketSocket(at: veth.first)
                for frame in Self.frames(for: expression) { try sender.send(frame) }
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
                return try JSONDecoder().decode(
                    Line.self, from: Data(try #require(tool.output.split(separator: "\n").last).utf8))
            }
            func tcpdump(_ expression: String) throws -> Int { try tcpdumpCount(of: expression, in: file) }
            let filter = try #require(line.filters.first)
            #expect(filter.name == expression && filter.clauses.count > 2)
            #expect(try filter.packets == tcpdump(expression))
            for (counted, clause) in zip(filter.clauses, try FilterExpression(expression).clauses) {
                #expect(counted.clause == clause.text && counted.joint == clause.joint?.rawValue)
                #expect(try counted.alone.packets == tcpdump(clause.alone), "\(clause.alone)")
                #expect(try counted.so_far.packets == tcpdump(clause.soFar), "\(clause.soFar)")
            }
        }

        @Test(arguments: [
            (["--by", "word", "udp"], 64, "Error: 'word' is no value of --by, which takes clause."),
            (
                ["--by", "clause"], 64,
                "Error: --by clause takes one expression; one of several words stands in quotes."
            ),
            (["--by", "clause", "udp", "tcp"], 64, "Error: --by clause takes one expression"),
            (["--by", "clause", "--histogram", "length", "udp"], 64, "Error: --histogram is of whole filters"),
            (["--netmask", "1.2.3", "udp"], 64, "Error: The netmask '1.2.3' is not of the form 255.255.255.0."),
            (["--by", "clause", ""], 1, "cbpf2ebpf: the empty expression has no clauses"),
            (["--by", "clause", "ip and udp prot"], 1, "cbpf2ebpf: can't parse filter expression: syntax error"),
            (
                ["--by", "clause", (1...50).map { "port \($0)" }.joined(separator: " or ")], 1,
                "cbpf2ebpf: the expression has 50 clauses, one program holds the counts of some 40"
            ),
        ])
        func whatIsWrongIsSaid(arguments: [String], status: Int, message: String) throws {
            let result = try ToolRun(["count", "-i", "lo"] + arguments)
            #expect(result.status == status)
            #expect(result.errors.hasPrefix(message), "\(result.errors)")
        }
    }
#endif
