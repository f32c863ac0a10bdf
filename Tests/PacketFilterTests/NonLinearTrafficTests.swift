#if os(Linux)
    import BPFKernel
    import ClassicBPF
    import PacketFilter
    import TestSupport
    import Testing

    /// Packets that the kernel itself makes of several pieces, by referring to the memory of a sender or to a file, and by
    /// putting segments together: programs on their way decide as the kernel's classic filter does on the same packets.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"), .serialized)
    struct NonLinearTrafficTests {
        /// What looks at headers and at data, which lie in different pieces, or across the border of both; each matches
        /// some of the packets.
        private static let expressions = (
            datagrams: [
                "udp port 53", "greater 1500", "udp[8:4] = 0x5a5a5a5a", "udp[6:4] & 0xffff = 0x5a5a",
                "udp[8000:4] = 0x5a5a5a5a", "ip[ip[8] + 900] = 0x5a", "ip6[60:4] = 0x5a5a5a5a or ip[40:4] = 0x5a5a5a5a",
                "ether[len - 1] = 0x5a",
            ],
            segments: [
                "tcp port 80", "greater 1500", "tcp[20:4] = 0x5a5a5a5a", "tcp[18:4] & 0xffff = 0x5a5a",
                "tcp[1500:2] = 0x5a5a", "ip[ip[8] + 100] = 0x5a", "ip6[60:4] = 0x5a5a5a5a or ip[40:4] = 0x5a5a5a5a",
                "ether[len - 1] = 0x5a",
            ]
        )

        /// The two ways in which classifiers read what is not in the first piece: the kernel's instructions for classic
        /// loads, which can only return 0 where they fail, and copies.
        private static let verdicts: [(match: TCXVerdict, noMatch: TCXVerdict)] = [(.next, .pass), (.pass, .next)]

        // MARK: Datagrams

        @Test func datagramsWithoutACopyMatchAsOnASocket() throws {
            try withNetworkNamespace {
                let veth = try VethPair()
                try ip("addr", "add", "10.0.0.1/24", "dev", veth.first)
                let all = try PacketSocket(at: veth.second)
                let sockets = try [(5_000, 53), (5_002, 80)].map {
                    try DatagramSocket(from: $0, to: "10.0.0.2", port: $1)
                }
                let datagrams = try [12, 993, 8_900].flatMap { count in
                    try [0x5a, 0x5b].map { try Datagram([UInt8](repeating: $0, count: count)) }
                }
                for expression in Self.expressions.datagrams {
                    let filter = try PacketFilter(expression)
                    for (match, noMatch) in Self.verdicts {
                        let places = try [
                            FilteredPlace(filter, .tcxEgress(match: match, noMatch: noMatch), at: veth.first),
                            FilteredPlace(filter, .tcxIngress(match: match, noMatch: noMatch), at: veth.second),
                        ]
                        var sent: UInt64 = 0
                        for (way, datagram) in DatagramSocket.Way.allCases.flatMap({ way in datagrams.map { (way, $0) }
                        }) {
                            for socket in sockets {
                                try socket.send(datagram, by: way)
                                let bytes = try #require(try all.receive(timeout: 5_000)?.bytes)
                                for place in places { try place.check([bytes], "\(way) of \(datagram.bytes.count)") }
                                sent += 1
                            }
                        }
                        for place in places {
                            #expect(try place.counts.inPieces == sent, "\(expression): packets lay in one piece")
                            #expect(place.answers.count == 2, "\(expression)")
                        }
                    }
                }
            }
        }

        /// Filters that read from the headers on: `SKF_NET_OFF` and `SKF_LL_OFF`, at fixed places and behind an index.
        private static let areaFilters: [[ClassicBPF.Operation]] = [
            [.load(.absolute(.byte, 0xfff0_0000 + 60))], [.load(.absolute(.word, 0xffe0_0000 + 100))],
            [.load(.absolute(.half, 0xfff0_0000 + 27))],
            [.loadIndex(.headerLength(14)), .load(.indirect(.half, 0xfff0_0000 + 20))],
            // The last byte, and what would be behind it.
            [.loadIndex(.length), .load(.indirect(.byte, 0xffe0_0000 - 1))],
            [.loadIndex(.length), .load(.indirect(.byte, 0xfff0_0000))],
        ]

        /// In a program with others, where the kernel's instructions for it cannot be used.
        @Test(.enabled(if: Requirement.kernel(6, 16).allowsRunning, "needs Linux 6.16"))
        func areasAreCountedInPieces() throws {
            let filters = try Self.areaFilters.enumerated().map {
                let isOdd: [ClassicBPF.Operation] = [.arithmetic(.and, .constant(1)), .result(.a)]
                return CountedFilter(
                    "\($0)", PacketFilter(try ClassicProgram(($1 + isOdd).map { ClassicInstruction($0) })))
            }
            try withNetworkNamespace {
                let veth = try VethPair()
                try ip("addr", "add", "10.0.0.1/24", "dev", veth.first)
                let places: [(CountingPlace, String)] = [
                    (.interface(veth.first, .tcxEgress), veth.first),
                    (.interface(veth.second, .tcxIngress), veth.second),
                    (.packetSocket(interface: veth.second), veth.second),
                ]
                let counters = try places.map { (try PacketCounter(filters, at: $0.0), $0.1) }
                let classic = try places.map { place in
                    try filters.map { filter in
                        let code = filter.filter.classic.instructions.flatMap { $0.bytes(.host) }
                        return try PacketSocket(at: place.1) {
                            try SocketFilter.attach(classic: code, to: .init(rawValue: $0))
                        }
                    }
                }
                let sender = try DatagramSocket(from: 5_000, to: "10.0.0.2", port: 53)
                for (count, byte) in [(12, 0x5a), (993, 0x5b), (8_900, 0x5b), (8_901, 0x5a)] as [(Int, UInt8)] {
                    let datagram = try Datagram([UInt8](repeating: byte, count: count))
                    for way in DatagramSocket.Way.allCases { try sender.send(datagram, by: way) }
                }
                for (counter, sockets) in zip(counters, classic) {
                    // Classifiers come behind sockets, so they are looked at last.
                    let received = try sockets.map { try $0.receiveAll().count }
                    for (filter, expected) in zip(try counter.0.counts().filters, received) {
                        #expect(filter.packets == UInt64(expected), "\(counter.0.place): filter \(filter.name)")
                        // Four of eight have an odd number there, and none has what the last asks for.
                        #expect(expected == (filter.name == "5" ? 0 : 4), "filter \(filter.name)")
                    }
                }
            }
        }

        // MARK: Segments

        @Test func segmentsPutTogetherMatchAsOnASocket() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1_500)
                // So the kernel cuts what is sent before the pair has it, and puts together what comes in.
                try DeviceFeature.segmentation.set(false, at: veth.first)
                try DeviceFeature.receiveMerging.set(true, at: veth.second)
                let (all, sender) = (try PacketSocket(at: veth.second), try PacketSocket(at: veth.first))
                let frames = [false, true].flatMap { isIPv6 in
                    [(80, 0x5a), (443, 0x5b)].map { (port: UInt16, byte: UInt8) in
                        Self.segments(of: [UInt8](repeating: byte, count: 6_000), to: port, isIPv6: isIPv6)
                    }
                }
                for expression in Self.expressions.segments {
                    let filter = try PacketFilter(expression)
                    for (match, noMatch) in Self.verdicts {
                        let place = try FilteredPlace(
                            filter, .tcxIngress(match: match, noMatch: noMatch), at: veth.second)
                        for (number, frame) in frames.enumerated() {
                            let headers = frame.count - 6_000
                            try sender.send(frame, tcpHeaderAt: UInt16(headers - 20), segmentSize: 1_000)
                            var (received, length): ([[UInt8]], Int) = ([], 0)
                            while length < 6_000 {
                                received.append(try #require(try all.receive(timeout: 5_000)?.bytes))
                                length += received.last!.count - headers
                            }
                            try place.check(received, "\(frame.prefix(80))")
                            #expect(try place.counts.merged > number, "\(expression): nothing was put together")
                        }
                        #expect(place.answers.count == 2, "\(expression)")
                    }
                }
            }
        }

        /// A frame with a TCP packet, whose checksum is for the kernel to finish.
        private static func segments(of data: [UInt8], to port: UInt16, isIPv6: Bool) -> [UInt8] {
            func be16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }
            func sum(_ bytes: [UInt8]) -> Int {
                var sum = stride(from: 0, to: bytes.count, by: 2).reduce(0) {
                    $0 + Int(bytes[$1]) << 8 + Int(bytes[$1 + 1])
                }
                while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
                return sum
            }
            let count = 20 + data.count
            let addresses: [UInt8] =
                isIPv6
                ? (1...2).flatMap { [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [$0] }
                : [10, 0, 0, 1, 10, 0, 0, 2]
            var network: [UInt8]
            if isIPv6 {
                network = [0x60, 0, 0, 0] + be16(count) + [6, 64] + addresses
            } else {
                network = [0x45, 0] + be16(20 + count) + [0, 1, 0x40, 0, 64, 6, 0, 0] + addresses
                network.replaceSubrange(10..<12, with: be16(~sum(network) & 0xffff))
            }
            let tcp =
                be16(40_000) + be16(Int(port)) + [0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 2, 0]
                + be16(sum(addresses + [0, 6] + be16(count))) + [0, 0]
            return [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1] + (isIPv6 ? [0x86, 0xdd] : [8, 0]) + network + tcp + data
        }
    }
#endif
