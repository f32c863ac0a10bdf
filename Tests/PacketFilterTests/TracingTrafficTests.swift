#if os(Linux)
    import BPFKernel
    import CPcap
    import ExtendedBPF
    import Glibc
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// Programs at tracepoints that packets pass, in every way of reading them: what matches is what the kernel's classic
    /// filter, on a packet socket, lets through of the same frames.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.kernel(6, 17).allowsRunning, "needs Linux 6.17"), .serialized)
    struct TracingTrafficTests {
        private static let expressions = [
            "", "ip", "ip6", "arp", "udp", "tcp port 80", "udp port 53", "host 10.0.0.1", "net 10.0.0.0/8", "not ip",
            "portrange 1-100", "len > 60", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "ip[ip[8]] = 0 or ip6[50] = 0",
            "icmp[icmptype] = icmp-echo or icmp6", "ip6 proto 17 or ip proto 17",
        ]

        /// The ways: typed and untyped arguments, through the kernel's own pointers and through copies.
        private static func ways(_ tracepoint: String) -> [(hook: Hook, place: AttachPlace, kernel: KernelVersion)] {
            kernels.flatMap { kernel in
                [
                    (.tpBTF(tracepoint), .loadedFor, kernel),
                    (.rawTP(tracepoint), .rawTracepoint(tracepoint), kernel),
                ]
            }
        }

        /// Without loads from the kernel's memory, with them, and without casts to it.
        private static let kernels = [KernelVersion(5, 15), KernelVersion(6, 17), KernelVersion.running!]

        /// A program in one of the ways.
        private struct Candidate {
            var name: String
            var reachesWholePackets: Bool
            var verdicts: CountedVerdicts
        }

        private static func candidates(
            _ filter: PacketFilter, at tracepoint: String, of packets: CountedVerdicts.Packets
        ) throws -> [Candidate] {
            try ways(tracepoint).map { way in
                let isWithTags = filter.expression?.contains("vlan") == true
                let program = try filter.compile(
                    for: Target(hook: way.hook)!,
                    options: CompilerOptions(kernel: isWithTags ? max(way.kernel, KernelVersion(6, 2)) : way.kernel))
                return Candidate(
                    name: "\(way.hook) for \(way.kernel): \(filter.expression ?? "")",
                    reachesWholePackets: program.reachesWholePackets,
                    verdicts: try CountedVerdicts(program, of: packets, at: way.place))
            }
        }

        /// What one packet made each candidate answer, nil where the packet did not come by.
        private static func answers(
            _ candidates: [Candidate], to send: () throws -> Void
        ) throws -> [(candidate: Candidate, matches: Bool?)] {
            let before = try candidates.map { try $0.verdicts.counts }
            try send()
            return try zip(candidates, before).map { candidate, before in
                let counted = zip(try candidate.verdicts.counts, before).map { $0 - $1 }
                #expect(counted.count { $0 > 0 } <= 1 && counted[2...] == [0, 0], "\(candidate.name): \(counted)")
                return (candidate, counted[1] > 0 ? true : counted[0] > 0 ? false : nil)
            }
        }

        private static let mark: UInt32 = 0x7e57_ab1e

        // MARK: Ethernet

        /// Frames whose bytes arrive as they were sent, which a tag would not, and that lie in one piece.
        private static let frames = Frames.all.filter { frame in
            frame.bytes.count < 4_000
                && ![[0x81, 0], [0x88, 0xa8]].contains { frame.bytes[12...].starts(with: $0) }
        }

        /// Frames are dropped at the other end, where no one wants them: also there, when the kernel has gone past their
        /// headers.
        @Test(arguments: ["net_dev_queue", "netif_receive_skb", "kfree_skb", "consume_skb"])
        func ethernetFramesMatchAsOnASocket(tracepoint: String) throws {
            try withNetworkNamespace {
                let veth = try VethPair()
                let (all, sender) = (try PacketSocket(at: veth.second), try PacketSocket(at: veth.first))
                try sender.mark(with: Self.mark)
                for expression in Self.expressions {
                    let filter = try PacketFilter(expression)
                    let filtered = try classicSocket(filter, at: veth.second)
                    let candidates = try Self.candidates(filter, at: tracepoint, of: .marked(Self.mark))
                    try compare(candidates, Self.frames, atLeast: 60) { frame in
                        try sender.send(frame.bytes)
                        _ = try #require(try all.receive(timeout: 5_000))
                        return try filtered.receive(timeout: 0) != nil
                    }
                }
            }
        }

        /// Of frames in several pieces a program sees all where the kernel trusts its argument, else the linear part: it
        /// answers as libpcap does about a capture that was cut short there.
        @Test(arguments: ["net_dev_queue", "netif_receive_skb"])
        func piecesCountWhereTheArgumentIsTrusted(tracepoint: String) throws {
            let expressions =
                Self.expressions + [
                    "udp[5000:4] = 0x5a5a5a5a", "ether[6000] = 0x5a", "ip[ip[8] + 4000] = 0x5a", "greater 5000",
                    "ether[6200:4] = 1", "ip[2:2] = 0 or ether[40] = 0x5a",
                ]
            let frames = ["udp to 53", "tcp syn to 80", "ipv6 udp to 53", "arp request"].flatMap { name in
                [14, 20, 24, 34, 38, 60, 2_000].map { linear in
                    let bytes = Frames.named(name).bytes
                    return (bytes + [UInt8](repeating: 0x5a, count: 6_200 - bytes.count), UInt16(linear))
                }
            }
            try withNetworkNamespace {
                let veth = try VethPair()
                let (all, sender) = (try PacketSocket(at: veth.second), try PacketSocket(at: veth.first))
                try sender.mark(with: Self.mark)
                for expression in expressions {
                    let filter = try PacketFilter(expression)
                    let filtered = try classicSocket(filter, at: veth.second)
                    let candidates = try Self.candidates(filter, at: tracepoint, of: .marked(Self.mark))
                    for (bytes, linear) in frames {
                        var isWanted = false
                        let isWantedInLinearPart = libpcapMatches(filter, bytes, upTo: Int(linear))
                        let answers = try Self.answers(candidates) {
                            try sender.send(bytes, linearLength: linear)
                            _ = try #require(try all.receive(timeout: 5_000))
                            isWanted = try filtered.receive(timeout: 0) != nil
                        }
                        for (candidate, matches) in answers {
                            #expect(
                                matches == (candidate.reachesWholePackets ? isWanted : isWantedInLinearPart),
                                "\(candidate.name) on \(bytes.prefix(60)), \(linear) of them linear")
                        }
                    }
                }
            }
        }

        /// A tag is among the bytes where a frame comes in, and beside them where a socket is done with it; the filter is
        /// shown the frame as it was sent. (Where a frame is dropped the kernel has thrown its tag away before.)
        @Test(arguments: ["net_dev_queue", "netif_receive_skb", "consume_skb"])
        func tagsAreFoundWhereverTheyAre(tracepoint: String) throws {
            let expressions = [
                "vlan", "vlan 5", "vlan 5 and udp port 53", "not vlan", "vlan and tcp port 80", "vlan and ip6",
                "vlan 6 and vlan 7 and udp", "vlan and arp",
            ]
            // The kernel drops what ends within the header behind a tag, and gives frames of VLAN 0 to itself untagged.
            let frames = Frames.all.filter { (20..<4_000).contains($0.bytes.count) && $0.name != "vlan 0 arp" }
            try withNetworkNamespace {
                let veth = try VethPair()
                let (all, sender) = (try PacketSocket(at: veth.second), try PacketSocket(at: veth.first))
                try sender.mark(with: Self.mark)
                for expression in expressions {
                    let filter = try PacketFilter(expression)
                    let candidates = try Self.candidates(filter, at: tracepoint, of: .marked(Self.mark))
                    try compare(candidates, frames, atLeast: 60) { frame in
                        try sender.send(frame.bytes)
                        _ = try #require(try all.receive(timeout: 5_000))
                        return libpcapMatches(filter, frame.bytes, upTo: frame.bytes.count)
                    }
                }
            }
        }

        // MARK: Raw IP

        private static let packets = Frames.all.filter { $0.bytes.count < 4_000 }.compactMap { frame -> Frame? in
            let isIP = [[8, 0], [0x86, 0xdd]].contains { frame.bytes[12...].starts(with: $0) }
            guard isIP, frame.bytes.count > 14 else { return nil }
            var packet = frame
            packet.bytes.removeFirst(14)
            return packet
        }

        /// Expressions that mean something without a link-layer header.
        private static let ipExpressions = expressions.filter { $0 != "arp" }

        /// Packets of a device that has no link-layer header, on their way in.
        @Test(arguments: ["netif_receive_skb", "kfree_skb"])
        func incomingIPPacketsMatchAsOnASocket(tracepoint: String) throws {
            // Programs see every device of the machine, of which no other has this number.
            let index: CInt = 1_357_911
            try withNetworkNamespace {
                let tunnel = try Tunnel(index: index)
                let all = try PacketSocket(at: tunnel.name)
                for expression in Self.ipExpressions {
                    let filtered = try classicSocket(PacketFilter(expression, linkType: .rawIP), at: tunnel.name)
                    let candidates = try Self.candidates(
                        PacketFilter(expression), at: tracepoint, of: .device(UInt32(index)))
                    try compare(candidates, Self.packets, atLeast: tracepoint == "kfree_skb" ? 20 : 45) { packet in
                        try tunnel.receive(packet.bytes)
                        _ = try #require(try all.receive(timeout: 5_000))
                        return try filtered.receive(timeout: 0) != nil
                    }
                }
            }
        }

        /// And on their way out.
        @Test(arguments: ["net_dev_start_xmit"])
        func outgoingIPPacketsMatchAsOnASocket(tracepoint: String) throws {
            try withNetworkNamespace {
                let tunnel = try Tunnel()
                let (all, sender) = (try PacketSocket(at: tunnel.name), try PacketSocket(at: tunnel.name))
                try sender.mark(with: Self.mark)
                for expression in Self.ipExpressions {
                    let filtered = try classicSocket(PacketFilter(expression, linkType: .rawIP), at: tunnel.name)
                    let candidates = try Self.candidates(
                        PacketFilter(expression), at: tracepoint, of: .marked(Self.mark))
                    try compare(candidates, Self.packets, atLeast: 45) { packet in
                        try sender.send(packet.bytes)
                        _ = try #require(try all.receive(timeout: 5_000))
                        return try filtered.receive(timeout: 0) != nil
                    }
                }
            }
        }

        // MARK: Comparing

        private func classicSocket(_ filter: PacketFilter, at interface: String) throws -> PacketSocket {
            let classic = filter.classic.instructions.flatMap { $0.bytes(.host) }
            return try PacketSocket(at: interface) { descriptor in
                try SocketFilter.attach(classic: classic, to: .init(rawValue: descriptor))
            }
        }

        /// Whether libpcap's own machine lets `frame` through when it has the first `count` bytes of it.
        private func libpcapMatches(_ filter: PacketFilter, _ frame: [UInt8], upTo count: Int) -> Bool {
            let code = filter.classic.instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
            return bpf_filter(code, frame, UInt32(frame.count), UInt32(count)) != 0
        }

        /// Every candidate's answer to each of `frames` that comes by its tracepoint is what `send` says.
        ///
        /// - Parameter minimum: How many frames do come by, at least, for the comparison to mean something.
        private func compare(
            _ candidates: [Candidate], _ frames: [Frame], atLeast minimum: Int, _ send: (Frame) throws -> Bool
        ) throws {
            var passed = [Int](repeating: 0, count: candidates.count)
            for frame in frames {
                var isWanted = false
                let answers = try Self.answers(candidates) { isWanted = try send(frame) }
                for (place, answer) in answers.enumerated() {
                    guard let matches = answer.matches else { continue }
                    passed[place] += 1
                    #expect(matches == isWanted, "\(answer.candidate.name) on \(frame)")
                }
            }
            #expect(passed.allSatisfy { $0 >= minimum }, "\(candidates[0].name): \(passed) of \(frames.count)")
        }
    }
#endif
