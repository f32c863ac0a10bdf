#if os(Linux)
    import BPFKernel
    import Foundation
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// Objects at tc and XDP, loaded by iproute2, on frames that do not lie in one piece: what is dropped there is what
    /// the kernel's classic filter, on a packet socket, lets through.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct RealTrafficTests {
        /// What looks at headers, behind them, and far into the data.
        private static let expressions = [
            "ip", "udp", "tcp port 80", "udp port 53", "host 10.0.0.1", "net 10.0.0.0/8", "portrange 1000-2000",
            "udp[5000:4] = 0x5a5a5a5a", "udp[4090:4] = 0x5a5a5a5a", "ether[6000] = 0x5a", "ip[ip[8] + 4000] = 0x5a",
            "greater 5000", "less 5000", "not ip6", "ip6 and udp", "vlan", "ether host 02:00:00:00:00:01",
            "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "ether[6200:4] = 1",
        ]

        /// Large frames of several kinds, and how much of each lies in the linear part.
        private static let frames: [(bytes: [UInt8], linearLength: UInt16)] =
            ["udp to 53", "tcp syn to 80", "ipv6 udp to 53", "arp request"].flatMap { name in
                [14, 20, 24, 34, 38, 60, 2_000].map { linear in
                    (large(Frames.named(name).bytes, 6_200), UInt16(linear))
                }
            }

        private static func large(_ frame: [UInt8], _ count: Int) -> [UInt8] {
            frame + [UInt8](repeating: 0x5a, count: count - frame.count)
        }

        @Test(arguments: expressions) func tcDropsWhatTheClassicFilterLetsThrough(expression: String) throws {
            let filter = try PacketFilter(expression)
            let folder = try TemporaryFolder()
            let object = folder.path("drop.o")
            try filter.compile(for: .tc(match: .shot)).object().write(to: .init(object))
            try withNetworkNamespace {
                let veth = try VethPair()
                let wanted = try verdicts(of: filter, at: veth)
                try command("tc", "qdisc", "add", "dev", veth.first, "clsact")
                try command(
                    "tc", "filter", "add", "dev", veth.first, "egress", "bpf", "da", "obj", object, "sec", "classifier")
                let receiver = try PacketSocket(at: veth.second)
                let sender = try PacketSocket(at: veth.first)
                for (frame, matches) in zip(Self.frames, wanted) {
                    // A sender is told of a drop on its own side.
                    let passes = (try? sender.send(frame.bytes, linearLength: frame.linearLength)) != nil
                    #expect(passes == !matches, "\(frame.bytes.prefix(64)), \(frame.linearLength) of them linear")
                    if passes { #expect(try receiver.receive(timeout: 5_000)?.bytes == frame.bytes) }
                }
            }
        }

        /// A frame of several buffers; the veth pair makes them as the frame is too large for a page.
        @Test(arguments: expressions) func xdpDropsWhatTheClassicFilterLetsThrough(expression: String) throws {
            let filter = try PacketFilter(expression)
            let folder = try TemporaryFolder()
            let object = folder.path("drop.o")
            try filter.compile(for: .xdpFrags(match: .drop)).object().write(to: .init(object))
            try withNetworkNamespace {
                let veth = try VethPair()
                let wanted = try verdicts(of: filter, at: veth)
                try command("ip", "link", "set", "dev", veth.second, "xdp", "obj", object, "sec", "xdp.frags")
                let receiver = try PacketSocket(at: veth.second)
                let sender = try PacketSocket(at: veth.first)
                for (frame, matches) in zip(Self.frames, wanted) {
                    try sender.send(frame.bytes, linearLength: frame.linearLength)
                    let received = try receiver.receive(timeout: matches ? 200 : 5_000)
                    #expect(
                        (received == nil) == matches, "\(frame.bytes.prefix(64)), \(frame.linearLength) of them linear")
                    if let received { #expect(received.bytes == frame.bytes) }
                }
            }
        }

        /// Which frames the kernel's own conversion of the filter lets through, on a socket of the receiving side.
        private func verdicts(of filter: PacketFilter, at veth: VethPair) throws -> [Bool] {
            let classic = filter.classic.instructions.flatMap { $0.bytes(.host) }
            let filtered = try PacketSocket(at: veth.second) { descriptor in
                try SocketFilter.attach(classic: classic, to: .init(rawValue: descriptor))
            }
            let all = try PacketSocket(at: veth.second)
            let sender = try PacketSocket(at: veth.first)
            return try Self.frames.map { frame in
                try sender.send(frame.bytes, linearLength: frame.linearLength)
                _ = try #require(try all.receive(timeout: 5_000))
                return try filtered.receive(timeout: 50) != nil
            }
        }

        private func command(_ name: String, _ arguments: String...) throws {
            let result = try run(name, arguments)
            try #require(result.status == 0, "\(name) \(arguments.joined(separator: " ")): \(result.errors)")
        }
    }
#endif
