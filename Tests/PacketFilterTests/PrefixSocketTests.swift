#if os(Linux)
    import BPFKernel
    import ClassicBPF
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// Programs that copy the first bytes of packets, on real packet sockets beside the kernel's own conversion.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct PrefixSocketTests {
        /// Aligned and not, at fixed places and behind indexes, within the copy, across its end and behind it.
        static let expressions = [
            "tcp port 80", "udp port 53", "host 10.0.0.2", "tcp[tcpflags] & tcp-syn != 0", "portrange 50-90",
            "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "ether host 02:00:00:00:00:02", "dst port 80 and len > 60",
            "tcp port 80 and ether[58:4] != 0 or ether[70] = 0", "tcp[13] = 2 and ip[ip[8] & 31:2] > 7",
            "ether[1:4] + ether[6:4] + ether[3:2] + ether[15:4] > ether[17:4]",
            "ip[0] & 0xf > 5 and udp[ip[2:2] & 7:4] + ip[len & 3:4] > 0x3000", "ip6[40:4] + ip6[43:2] + ip6[50:4] > 7",
            "tcp port 80 and ether[5000:4] != 0x01020304 and ether[12:2] = 0x800",
        ]

        /// The frames cut to every length there is on Ethernet up to behind the copies; then some that do not fit one
        /// page, with few of their bytes in the linear part.
        private static func send(from socket: PacketSocket, _ sent: ([UInt8]) throws -> Void) throws {
            let names = [
                "tcp syn to 80", "tcp behind IP options", "udp behind 40 bytes of IP options", "ipv6 tcp syn to 80",
                "tcp data to 80",
            ]
            for frame in names.map({ Frames.named($0).bytes }) {
                for count in 14...min(frame.count, 80) {
                    let bytes = Array(frame[..<count])
                    try socket.send(bytes)
                    try sent(bytes)
                }
                let bytes = frame + (frame.count..<6000).map { UInt8(truncatingIfNeeded: $0 * 7) }
                for linearLength: UInt16 in [14, 20, 34, 41, 54, 58, 100] {
                    try socket.send(bytes, linearLength: linearLength)
                    try sent(bytes)
                }
            }
        }

        @Test(arguments: [InstructionSet.v1, .v3]) func everyLengthDecidesAsTheClassicFilter(_ isa: InstructionSet)
            throws
        {
            try withNetworkNamespace {
                let veth = try VethPair()
                for name in [veth.first, veth.second] { try run("ip", ["link", "set", name, "mtu", "9000"]) }
                let before = try PacketSocket(at: veth.second)
                var (verified, instructions) = (0, 0)
                let pairs = try Self.expressions.map { expression in
                    let filter = try PacketFilter(expression)
                    // Bit for bit what a classic filter is shown.
                    let program = try filter.compile(
                        for: .socket.showing(vlan: .bytes), options: CompilerOptions(isa: isa))
                    #expect(program.listing.contains("bpf_skb_load_bytes"), "\(expression)")
                    let loaded = try program.load()
                    verified += try loaded.information().verifiedInstructions
                    instructions += program.program.linked().slotCount
                    let classic = filter.classic.instructions.flatMap { $0.bytes(.host) }
                    return (
                        expression,
                        try PacketSocket(at: veth.second) {
                            try SocketFilter.attach(classic: classic, to: .init(rawValue: $0))
                        },
                        try PacketSocket(at: veth.second) { try SocketFilter.attach(loaded, to: .init(rawValue: $0)) }
                    )
                }
                // The way for packets that lead out of the copy is followed from several places, short packets only up to
                // the copy.
                #expect(Double(verified) <= 2 * Double(instructions), "\(verified) of \(instructions)")
                let after = try PacketSocket(at: veth.second)
                var matches = [Int](repeating: 0, count: pairs.count)
                try Self.send(from: PacketSocket(at: veth.first)) { frame in
                    for control in [before, after] { #expect(try control.receive(timeout: 10_000)?.bytes == frame) }
                    for (number, (expression, classic, ours)) in pairs.enumerated() {
                        let expected = try classic.receive(timeout: 0)?.bytes
                        #expect(
                            try ours.receive(timeout: 0)?.bytes == expected, "\(expression) \(frame.count) \(frame)")
                        matches[number] += expected == nil ? 0 : 1
                    }
                }
                for (pair, count) in zip(pairs, matches) { #expect(count > 0, "\(pair.0)") }
            }
        }
    }
#endif
