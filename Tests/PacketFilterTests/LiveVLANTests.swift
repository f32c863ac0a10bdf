#if os(Linux)
    import BPFKernel
    import Foundation
    import PacketFilter
    import TestSupport
    import Testing

    /// Tagged traffic over a veth pair: what a live tcpdump captures there is what our programs match on a packet socket
    /// and at tc ingress, and what libpcap in user space matches of the frames as they were sent.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct LiveVLANTests {
        private static let expressions = [
            "vlan", "vlan 5", "vlan 5 and icmp", "vlan 5 and vlan 7", "not vlan", "icmp or (vlan and icmp)",
            "vlan and tcp port 80", "tcp port 80 or (vlan and tcp port 80)", "vlan and ip6", "arp and not vlan",
            "vlan 6 and vlan 7 and udp port 53", "vlan 100 and vlan 5 and tcp", "vlan and ip[8] > 10",
            "vlan and (arp or udp port 53)",
        ]

        /// Frames that the kernel lets sockets see; it drops a tagged one that ends before the header behind its tag.
        private static let sent: [[UInt8]] = {
            let icmp = Frames.named("icmp echo").bytes
            let tags: [[UInt8]] = [
                [0x81, 0, 0, 5], [0x81, 0, 0xe0, 5], [0x88, 0xa8, 0, 5], [0x81, 0, 0, 5, 0x81, 0, 0, 7],
                [0x81, 0, 0, 7],
            ]
            let all = Frames.all.map(\.bytes).filter { frame in
                frame.count <= 1514 && (frame.count >= 20 || !isTagged(frame))
            }
            return all + tags.map { with($0, icmp) }
        }()

        private static func with(_ tag: [UInt8], _ frame: [UInt8]) -> [UInt8] {
            var bytes = frame
            bytes.insert(contentsOf: tag, at: 12)
            return bytes
        }

        private static func isTagged(_ frame: [UInt8]) -> Bool {
            frame[12...].starts(with: [0x81, 0]) || frame[12...].starts(with: [0x88, 0xa8])
        }

        /// A frame as it was on the wire.
        private static func onWire(_ received: PacketSocket.Received) -> [UInt8] {
            guard let vlan = received.vlan else { return received.bytes }
            return with([vlan.tpid, vlan.tci].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }, received.bytes)
        }

        @Test func programsMatchWhatALiveTcpdumpDoes() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let sender = try PacketSocket(at: veth.first)
                let tcpdump = try LiveTcpdump(Self.expressions, at: veth.second)
                let sockets = try Self.expressions.map { try socket($0, at: veth.second) }
                for frame in Self.sent { try sender.send(frame) }
                let received = try sockets.map { try $0.receiveAll().map(Self.onWire) }
                let live = try tcpdump.finish(expecting: received.map(\.count))
                for (place, expression) in Self.expressions.enumerated() {
                    #expect(received[place] == live[place], "\(expression) on a packet socket")
                    #expect(try offline(expression) == live[place], "\(expression) in user space")
                    #expect(!live[place].isEmpty && live[place].count < Self.sent.count, "\(expression)")
                }

                let drain = try mirrorOfIngress(at: veth.second)
                for (place, expression) in Self.expressions.enumerated() {
                    try attach(expression, at: veth.second)
                    for frame in Self.sent { try sender.send(frame) }
                    #expect(try drain.receiveAll().map(Self.onWire) == live[place], "\(expression) at tc ingress")
                }
            }
        }

        /// Where the two differ: to a live tcpdump all in front of the first `vlan` is about the bytes without the tag,
        /// `len` too; in the view it is about the frame as it was on the wire, as to a tcpdump that reads it from a file.
        @Test func inFrontOfTheWordTheViewIsTheWires() throws {
            let expression = "icmp or vlan 7"
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let sender = try PacketSocket(at: veth.first)
                let tcpdump = try LiveTcpdump([expression], at: veth.second)
                let ours = try socket(expression, at: veth.second)
                for frame in Self.sent { try sender.send(frame) }
                let received = try ours.receiveAll().map(Self.onWire)
                #expect(try received == offline(expression))
                let icmp = Frames.named("icmp echo").bytes
                let tagged = Self.with([0x81, 0, 0, 5], icmp)
                // The first of those with a tag is among what it has beyond ours.
                #expect(try tcpdump.finish(expecting: [received.count + 1])[0].contains(tagged))
                #expect(!received.contains(tagged))
            }
        }

        /// With the tag out of view a program at XDP lets through what it would without the tag.
        @Test(arguments: ["icmp", "tcp port 80", "udp port 53", "ip6", "arp", "not ip", "vlan 7"])
        func strippedMatchesAtXDPAsWithoutTag(expression: String) throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let filter = try PacketFilter(expression)
                let folder = try TemporaryFolder()
                let program = try filter.compile(for: .xdp(match: .pass, noMatch: .drop).showing(vlan: .stripped))
                try program.object().write(to: .init(folder.path("filter.o")))
                let sender = try PacketSocket(at: veth.first)
                let socket = try PacketSocket(at: veth.second)
                try ip("link", "set", "dev", veth.second, "xdp", "obj", folder.path("filter.o"), "sec", "xdp")
                for frame in Self.sent { try sender.send(frame) }
                let expected = try Self.sent.filter { frame in
                    var bytes = frame
                    if Self.isTagged(frame) { bytes.removeSubrange(12..<16) }
                    return try filter.run(on: Packet(ethernet: bytes)) != 0
                }
                #expect(try socket.receiveAll().map(Self.onWire) == expected)
                #expect(!expected.isEmpty)
            }
        }

        private func socket(_ expression: String, at interface: String) throws -> PacketSocket {
            let program = try PacketFilter(expression).compile(for: .socket)
            return try PacketSocket(at: interface) { descriptor in
                try SocketFilter.attach(program.load(), to: .init(rawValue: descriptor))
            }
        }

        /// The frames that tcpdump's own filter matches when it reads them from a file.
        private func offline(_ expression: String) throws -> [[UInt8]] {
            let folder = try TemporaryFolder()
            try folder.file("all.pcap", containing: captureFile(of: Self.sent))
            let result = try run(
                "tcpdump", ["-Z", "root", "-r", folder.path("all.pcap"), "-w", folder.path("some.pcap"), expression])
            try #require(result.status == 0, "\(result.errors)")
            return try frames(in: folder.path("some.pcap"))
        }

        // MARK: tc

        /// A socket that shows what every program at the ingress of `interface` lets pass.
        private func mirrorOfIngress(at interface: String) throws -> PacketSocket {
            let mirror = try VethPair("sink", "drain", mtu: 1500)
            try tc("qdisc", "add", "dev", interface, "clsact")
            // It matches whatever has an Ethernet header, whose second word is at −12.
            try tc(
                "filter", "add", "dev", interface, "ingress", "prio", "2", "protocol", "all", "u32", "match", "u32",
                "0",
                "0", "at", "-12", "action", "mirred", "egress", "mirror", "dev", mirror.first)
            return try PacketSocket(at: mirror.second)
        }

        /// Lets pass at the ingress of `interface` what matches, and nothing else.
        private func attach(_ expression: String, at interface: String) throws {
            let folder = try TemporaryFolder()
            let program = try PacketFilter(expression).compile(for: .tc(match: .unspec, noMatch: .shot))
            #expect(program.target.vlan == .wire)
            try program.object().write(to: .init(folder.path("filter.o")))
            _ = try run("tc", ["filter", "del", "dev", interface, "ingress", "prio", "1"])
            try tc(
                "filter", "add", "dev", interface, "ingress", "prio", "1", "protocol", "all", "bpf", "da", "obj",
                folder.path("filter.o"), "sec", "classifier")
        }

        private func tc(_ arguments: String...) throws {
            let result = try run("tc", arguments)
            try #require(result.status == 0, "tc \(arguments): \(result.errors)")
        }
    }

    /// tcpdumps that capture at an interface, one for each of some expressions.
    private final class LiveTcpdump {
        private let folder: TemporaryFolder
        private let count: Int
        private var isRunning = true

        init(_ expressions: [String], at interface: String) throws {
            folder = try TemporaryFolder()
            count = expressions.count
            // Its ring has a slot for each frame of the longest length: with tcpdump's own there are seven.
            let script = """
                cd "$0"; number=0
                while IFS= read -r expression; do
                    tcpdump -i \(interface) -Z root -s 2048 -B 8192 -U --immediate-mode -w $number.pcap "$expression" \
                        </dev/null >/dev/null 2>$number.log &
                    echo $! >>pids
                    number=$((number + 1))
                done
                """
            let text = expressions.map { $0 + "\n" }.joined()
            let result = try run("sh", ["-c", script, folder.path("")], input: Array(text.utf8))
            try #require(result.status == 0, "\(result.errors)")
            try wait(for: "listening on")
        }

        deinit { if isRunning { signal("KILL") } }

        /// The frames that each has captured, in order.
        ///
        /// What has arrived is in the kernel's ring, from where they write it when they come to it. So they are given
        /// half a minute to have written as many as they are expected to, and a moment for more.
        func finish(expecting counts: [Int]) throws -> [[[UInt8]]] {
            for _ in 0..<300 {
                let written = (0..<count).map { (try? frames(in: folder.path("\($0).pcap")))?.count ?? 0 }
                if zip(written, counts).allSatisfy(>=) { break }
                usleep(100_000)
            }
            usleep(500_000)
            signal("INT")
            isRunning = false
            try wait(for: "dropped by kernel")
            return try (0..<count).map { try frames(in: folder.path("\($0).pcap")) }
        }

        private func signal(_ name: String) {
            _ = try? run("sh", ["-c", "kill -\(name) $(cat '\(folder.path("pids"))')"])
        }

        private func wait(for text: String) throws {
            for _ in 0..<600 {
                let logs = (0..<count).map { (try? String(contentsOf: folder.url("\($0).log"), encoding: .utf8)) ?? "" }
                if logs.allSatisfy({ $0.contains(text) }) { return }
                usleep(50_000)
            }
            Issue.record("not every tcpdump has said '\(text)'")
        }
    }

    private func frames(in file: String) throws -> [[UInt8]] {
        var capture = try CaptureFile(path: file)
        var frames: [[UInt8]] = []
        while let packet = try capture.next() { frames.append(packet.bytes) }
        return frames
    }
#endif
