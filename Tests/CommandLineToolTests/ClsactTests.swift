#if os(Linux)
    import Foundation
    import Glibc
    import TestSupport
    import Testing

    /// Programs of the hook tc, by links and at clsact, as tc shows them.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("tc").allowsRunning, "needs tc"), .serialized)
    struct ClsactTests {
        private func tc(_ words: String) throws -> String {
            let result = try run("tc", words.split(separator: " ").map(String.init))
            #expect(result.status == 0, "\(words): \(result.errors)")
            return result.text
        }

        /// Has tc drop everything, behind what there is.
        private func dropAll(_ veth: VethPair, _ direction: String) throws {
            let folder = try TemporaryFolder()
            let object = folder.path("drop.o")
            #expect(
                try ToolRun(["--hook", "tc", "--match", "shot", "--program-name", "all", "-o", object]).status == 0)
            _ = try tc("filter add dev \(veth.second) \(direction) prio 50000 bpf da obj \(object) sec classifier")
        }

        private func attach(_ veth: VethPair, _ words: String, _ expression: String) throws -> BackgroundTool {
            try BackgroundTool(
                ["attach", "--hook", "tc", "-i", veth.second] + words.split(separator: " ").map(String.init)
                    + [expression])
        }

        /// A datagram of IPv4 for everybody.
        private static let datagram =
            [UInt8](repeating: 0xff, count: 6)
            + Frames.all.first {
                $0.bytes.count > 60 && $0.bytes[12...].starts(with: [8, 0, 0x45]) && $0.bytes[23] == 17
            }!.bytes.dropFirst(6)

        /// Whether it arrives at IP.
        private func passes(_ veth: VethPair) throws -> Bool {
            // A packet socket would see it before traffic control does.
            func received() throws -> Int {
                let counters = try String(contentsOfFile: "/proc/thread-self/net/snmp", encoding: .utf8)
                let lines = counters.split(separator: "\n").filter { $0.hasPrefix("Ip:") }.map {
                    $0.split(separator: " ")
                }
                let column = try #require(lines.first?.firstIndex(of: "InReceives"))
                return try #require(Int(lines[1][column]))
            }
            let before = try received()
            try PacketSocket(at: veth.first).send(Self.datagram)
            return try received() > before
        }

        @Test func whatMatchesIsDroppedAndClsactGoes() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                #expect(try passes(veth))
                let first = try attach(veth, "--match shot --direction ingress --clsact", "udp")
                #expect(try !passes(veth))
                let shown = try tc("filter show dev \(veth.second) ingress")
                #expect(shown.contains("cbpf2ebpf+clsact direct-action") && shown.contains("id \(first.program) "))
                let second = try attach(veth, "--match shot --direction egress --clsact --priority 7", "tcp")
                #expect(try tc("filter show dev \(veth.second) egress").contains("pref 7 bpf"))
                first.signal(SIGQUIT)
                #expect(try first.status() == 0)
                #expect(try passes(veth))
                // The other one uses clsact still.
                #expect(try tc("qdisc show dev \(veth.second)").contains("clsact"))
                second.signal(SIGKILL)
                _ = try second.status()
                let attached = try ToolRun(["attached"]).text
                let name = "tc:\(veth.second):egress:7"
                #expect(
                    attached.contains(
                        "filter \(name): tc egress at clsact, priority 7, program \(second.program) filter: tcp\n"))
                #expect(try ToolRun(["detach", name]).status == 0)
                #expect(try !tc("qdisc show dev \(veth.second)").contains("clsact"))
                #expect(try ToolRun(["detach", name]).errors.contains("there is no such filter any more"))
            }
        }

        /// Others' clsact and filters stay.
        @Test func whatOthersMadeStays() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                _ = try tc("qdisc add dev \(veth.second) clsact")
                let one = try attach(veth, "--match shot --direction ingress --clsact", "udp")
                one.signal(SIGTERM)
                #expect(try one.status() == 0)
                #expect(try tc("qdisc show dev \(veth.second)").contains("clsact"))
                _ = try tc("qdisc del dev \(veth.second) clsact")
                let other = try attach(veth, "--match shot --direction ingress --clsact", "udp")
                try dropAll(veth, "egress")
                other.signal(SIGINT)
                #expect(try other.status() == 0)
                #expect(try tc("filter show dev \(veth.second) egress").contains("name all"))
            }
        }

        /// Where the kernel has tcx, it is a link; what says something else there is not.
        @Test(.enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"))
        func theWayIsALinkWhereThatIsTheSame() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let link = try attach(veth, "--match shot --direction ingress", "udp")
                #expect(link.messages.contains(" at tc ingress of \(veth.second), link "))
                #expect(try !passes(veth))
                link.signal(SIGKILL)
                _ = try link.status()
                let filter = try attach(veth, "--match stolen --direction ingress", "udp")
                #expect(filter.messages.contains(", filter tc:\(veth.second):ingress:49152; "))
                // An interface that goes takes it along.
                try ip("link", "del", veth.first)
                #expect(try filter.status() == 1)
                #expect(filter.messages.hasSuffix("the program was detached, or what it was attached to is gone\n"))
            }
        }

        @Test(arguments: [["--clsact"], []])
        func packetsAreCountedAndLeftAlone(_ way: [String]) throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                // A filter behind it decides.
                _ = try tc("qdisc add dev \(veth.second) clsact")
                try dropAll(veth, "ingress")
                let tool = try BackgroundTool(
                    ["count", "--hook", "tc", "-i", veth.second, "--direction", "ingress", "--json", "udp"] + way)
                for _ in 0..<3 { #expect(try !passes(veth)) }
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
                #expect(tool.output.contains(#""name": "udp", "packets": 3"#), "\(tool.output)")
                #expect(try tc("filter show dev \(veth.second) ingress").contains("name all"))
            }
        }

        @Test func egressNeedsMoreThanIngress() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                _ = try tc("qdisc add dev \(veth.second) ingress")
                let error = #expect(throws: BackgroundTool.Failure.self) {
                    _ = try attach(veth, "--match shot --direction egress --clsact", "udp")
                }
                #expect(error?.text.contains("has the queueing discipline ingress, for egress replace it") == true)
                let fits = try attach(veth, "--match shot --direction ingress --clsact", "udp")
                fits.signal(SIGINT)
                #expect(try fits.status() == 0)
                #expect(try tc("qdisc show dev \(veth.second)").contains("qdisc ingress"))
            }
        }

        @Test(arguments: [
            ([], "The tc hook needs -i, the interface, and --direction, ingress or egress."),
            (["-i", "lo", "--direction", "up"], "'up' is no value of --direction, which takes ingress, egress."),
            (
                ["-i", "lo", "--direction", "ingress", "--priority", "1"],
                "The tc hook takes --priority beside --clsact only."
            ),
            (
                ["-i", "lo", "--direction", "ingress", "--clsact", "--priority", "0"],
                "'0' is no priority of 1 to 65535."
            ),
            (
                ["-i", "lo", "--direction", "ingress", "--clsact", "--pin", "/sys/fs/bpf/x"],
                "A program at clsact has no link for --pin;"
            ),
        ])
        func wrongUsageIsSaid(arguments: [String], message: String) throws {
            let result = try ToolRun(["attach", "--hook", "tc", "--match", "shot"] + arguments + ["udp"])
            #expect(result.status == 64)
            #expect(result.errors.hasPrefix("Error: " + message), "\(result.errors)")
        }
    }
#endif
