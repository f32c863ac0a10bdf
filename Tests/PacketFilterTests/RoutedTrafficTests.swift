#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import Glibc
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// Programs that packets meet on their way through the network layer, on live traffic: what they drop is what the
    /// kernel's classic filter, on a packet socket, lets through of the same packets.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct RoutedTrafficTests {
        // MARK: Netfilter

        private static let expressions = [
            "", "ip", "ip6", "udp", "tcp port 80", "udp port 53", "host 10.0.0.1", "net 10.0.0.0/8", "not udp",
            "portrange 1-100", "ip[2:2] > 60", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "icmp[icmptype] = icmp-echo",
            "ip6 proto 17 or ip proto 17", "udp[5000] > 100 or ip[2:2] = 48",
            "ip[20 + (ip[3] & 15)] = 0 or ip6[50] = 0",
        ]

        /// Without what is behind the IP packet, which the kernel takes off before it asks anyone.
        private static let packets = Frames.all.compactMap { frame -> Frame? in
            let isIP = [[8, 0], [0x86, 0xdd]].contains { frame.bytes[12...].starts(with: $0) }
            guard isIP, frame.bytes.count > 14, frame.name != "udp with padding" else { return nil }
            var packet = frame
            packet.bytes.removeFirst(14)
            return packet
        }

        /// The program is asked first, and another one behind it counts what it lets pass.
        @Test(
            .enabled(if: Requirement.kernel(6, 17).allowsRunning, "needs Linux 6.17"),
            arguments: [KernelVersion(6, 17), KernelVersion.running!])
        func netfilterDropsWhatTheClassicFilterLetsThrough(kernel: KernelVersion) throws {
            try withNetworkNamespace {
                let tunnel = try Tunnel(hasIPv6: true)
                let all = try PacketSocket(at: tunnel.name)
                for family in NetfilterPlace.Family.allCases {
                    let everything = try PacketFilter("", linkType: .rawIP).compile(for: .netfilter(match: .accept))
                    let before = try CountedVerdicts(
                        everything, of: .all, at: .netfilter(NetfilterPlace(family, .prerouting, priority: -10)))
                    let behind = try CountedVerdicts(
                        everything, of: .all, at: .netfilter(NetfilterPlace(family, .prerouting, priority: 10)))
                    for expression in Self.expressions {
                        let filter = try PacketFilter(expression, linkType: .rawIP)
                        let filtered = try classicSocket(filter, at: tunnel.name)
                        let program = try filter.compile(
                            for: .netfilter(match: .drop), options: CompilerOptions(kernel: kernel)
                        ).load()
                        let link = try BPFKernel.Link(
                            attaching: program, at: .netfilter(NetfilterPlace(family, .prerouting)))
                        var arrived = 0
                        for packet in Self.packets {
                            let counts = (try before.counts[1], try behind.counts[1])
                            try tunnel.receive(packet.bytes)
                            // Others are what the kernel sends out of its own accord.
                            while try #require(try all.receive(timeout: 5_000)).packetType == 4 {}
                            let isWanted = try arrives(at: filtered)
                            // A packet that is none in the kernel's eyes gets no further than to the sockets.
                            guard try before.counts[1] > counts.0 else { continue }
                            arrived += 1
                            let isDropped = try behind.counts[1] == counts.1
                            #expect(isDropped == isWanted, "\(family) \(expression) on \(packet)")
                        }
                        #expect(arrived >= (family == .ipv4 ? 25 : 10), "\(arrived)")
                        _ = consume link
                    }
                }
            }
        }

        // MARK: Routes

        /// Packets that the kernel forwards, by a route with a program: it drops what would be forwarded else.
        @Test(arguments: [("in", "lwt-in"), ("out", "lwt-out"), ("xmit", "lwt-xmit")], expressions)
        func routesDropWhatTheClassicFilterLetsThrough(place: (name: String, hook: String), expression: String) throws {
            let hook = try #require(Hook(place.hook))
            let folder = try TemporaryFolder()
            let drop = try #require(hook.verdicts.first { $0.name == "drop" })
            let program = try PacketFilter(expression, linkType: .rawIP).compile(for: Target(hook: hook, match: drop))
            try program.object().write(to: .init(folder.path("drop.o")))
            try withNetworkNamespace {
                let veth = try VethPair()
                let tunnel = try Tunnel()
                // The hosts that frames are for; others would be dropped before there is a route.
                try ip("link", "set", veth.second, "address", "02:00:00:00:00:02")
                try write("1", to: "ipv4/ip_forward")
                for name in ["all", veth.second, tunnel.name] { try write("0", to: "ipv4/conf/\(name)/rp_filter") }
                let (sender, arriving) = (try PacketSocket(at: veth.first), try PacketSocket(at: veth.second))
                let filtered = try classicSocket(PacketFilter(expression), at: veth.second)
                let leaving = try PacketSocket(at: tunnel.name)
                /// Which frames are forwarded, and of those that come in which ones the classic filter lets through.
                func forwarded() throws -> (leave: [Bool], match: [Bool]) {
                    var (leave, match): ([Bool], [Bool]) = ([], [])
                    for frame in Self.forwardedFrames {
                        // The kernel pulls headers together that do not lie in the first piece.
                        try sender.send(frame.bytes, linearLength: 20)
                        _ = try #require(try arriving.receive(timeout: 5_000))
                        match.append(try filtered.receive(timeout: 0) != nil)
                        leave.append(try leaving.receive(timeout: 10) != nil)
                    }
                    return (leave, match)
                }
                try ip("route", "add", "10.0.0.0/8", "dev", tunnel.name)
                let before = try forwarded()
                #expect(
                    before.leave.count { $0 } >= 20, "\(zip(Self.forwardedFrames, before.leave).filter(\.1).map(\.0))")
                try ip(
                    "route", "replace", "10.0.0.0/8", "encap", "bpf", place.name, "obj", folder.path("drop.o"),
                    "section", hook.section, "dev", tunnel.name)
                let after = try forwarded()
                #expect(after.match == before.match)
                for (index, frame) in Self.forwardedFrames.enumerated() {
                    #expect(
                        after.leave[index] == (before.leave[index] && !before.match[index]),
                        "\(place.name) \(expression) on \(frame)")
                }
            }
        }

        /// For one host; without what is behind the IP packet, which the kernel takes off.
        private static let forwardedFrames = (Frames.ipv4 + Frames.fragments).filter {
            $0.bytes[0] & 1 == 0 && $0.name != "udp with padding"
        }

        private func write(_ text: String, to setting: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "/proc/sys/net/\(setting)"))
        }

        // MARK: Sockets

        private func classicSocket(_ filter: PacketFilter, at interface: String) throws -> PacketSocket {
            try PacketSocket(at: interface) { descriptor in
                let classic = filter.classic.instructions.flatMap { $0.bytes(.host) }
                try SocketFilter.attach(classic: classic, to: .init(rawValue: descriptor))
            }
        }

        /// Whether a packet that came in has arrived.
        private func arrives(at socket: PacketSocket) throws -> Bool {
            while let packet = try socket.receive(timeout: 0) {
                if packet.packetType != 4 { return true }
            }
            return false
        }
    }
#endif
