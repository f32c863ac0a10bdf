#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// The search for the payload in the running kernel: the classic filter on a socket and our program on another
    /// beside it, and our programs by test run.
    @Suite(
        .enabled(
            if: Requirement.root.allowsRunning && Requirement.kernel(6, 5).allowsRunning, "needs root and Linux 6.5"))
    struct PayloadSearchKernelTests {
        private static let finding: [ClassicBPF.Operation] = [.load(.extension(.poff)), .result(.a)]

        private static func filter(_ operations: [ClassicBPF.Operation]) throws -> PacketFilter {
            PacketFilter(try ClassicProgram(operations.map { ClassicInstruction($0) }))
        }

        private static func load(_ operations: [ClassicBPF.Operation], for target: Target) throws -> BPFKernel.Program {
            try filter(operations).compile(for: target, options: CompilerOptions(kernel: KernelVersion.running)).load()
        }

        // MARK: Sockets

        /// Two packet sockets, with the kernel's classic filter and our program.
        private struct Pair {
            let classic: PacketSocket
            let extended: PacketSocket

            init(at interface: String) throws {
                let bytes = try filter(finding).classic.instructions.flatMap { $0.bytes(.host) }
                classic = try PacketSocket(at: interface) { descriptor in
                    try SocketFilter.attach(classic: bytes, to: .init(rawValue: descriptor))
                }
                let loaded = try load(finding, for: .socket)
                extended = try PacketSocket(at: interface) { descriptor in
                    try SocketFilter.attach(loaded, to: .init(rawValue: descriptor))
                }
            }

            /// How many packets both kept as much of, which is as far as their payloads.
            func compare() throws -> Int {
                let expected = try classic.receiveAll(quiet: 50).map(\.bytes)
                let received = try extended.receiveAll(timeout: 0, quiet: 0).map(\.bytes)
                #expect(received.count == expected.count)
                let difference = zip(received, expected).first { $0 != $1 }
                #expect(difference == nil, "with ours and with the kernel's")
                return expected.count
            }
        }

        /// What comes in, and what goes out: there the tags of frames are in the bytes, and the kernel's network header
        /// is behind them.
        @Test func packetSocketsGetWhatTheClassicFilterGives() throws {
            var random = SeededGenerator(for: "poff on packet sockets")
            var frames = LayeredFrames(random)
            try withNetworkNamespace {
                let veth = try VethPair()
                let pairs = [try Pair(at: veth.second), try Pair(at: veth.first)]
                let sender = try PacketSocket(at: veth.first)
                var counts = [0, 0]
                for _ in 0..<10 {
                    for _ in 0..<1000 { try sender.send(frames.next()) }
                    for _ in 0..<50 {
                        let frame = Array(frames.next().prefix(4000)) + [UInt8](repeating: 0, count: 4200)
                        try sender.send(frame, linearLength: .random(in: 14...100, using: &random))
                    }
                    for (place, pair) in pairs.enumerated() { counts[place] += try pair.compare() }
                }
                #expect(counts.allSatisfy { $0 > 5_000 })
            }
        }

        /// To the filter of a UDP socket packets begin with their UDP header; those in front of it are still followed.
        @Test(arguments: [AF_INET, AF_INET6]) func headersInFrontOfThePacketAreFollowed(family: CInt) throws {
            // So many bytes of the datagram, counted from the UDP header.
            let keeping = Self.finding.dropLast() + [.arithmetic(.add, .constant(3)), .result(.a)]
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let bytes = try Self.filter(Array(keeping)).classic.instructions.flatMap { $0.bytes(.host) }
                let classic = try kept(family) { descriptor in
                    try SocketFilter.attach(classic: bytes, to: .init(rawValue: descriptor))
                }
                let loaded = try Self.load(Array(keeping), for: .socket)
                let extended = try kept(family) { descriptor in
                    try SocketFilter.attach(loaded, to: .init(rawValue: descriptor))
                }
                #expect(classic == 3 && extended == 3)
            }
        }

        /// How much arrives of a datagram to a UDP socket with a filter.
        private func kept(_ family: CInt, attach: (CInt) throws -> Void) throws -> Int {
            let sockets = (0..<2).map { _ in socket(family, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }
            defer { for socket in sockets { close(socket) } }
            try attach(sockets[0])
            var address = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            // Both kinds of addresses have the family and the port in front.
            address.sin6_family = sa_family_t(family)
            if family == AF_INET6 { address.sin6_addr = in6addr_loopback } else { length = 16 }
            return withUnsafeMutableBytes(of: &address) { address in
                if family == AF_INET {
                    address.storeBytes(of: UInt32(0x7f00_0001).bigEndian, toByteOffset: 4, as: UInt32.self)
                }
                let pointer = address.bindMemory(to: sockaddr.self).baseAddress!
                guard bind(sockets[0], pointer, length) == 0, getsockname(sockets[0], pointer, &length) == 0 else {
                    return -1
                }
                let datagram = [UInt8](repeating: 7, count: 100)
                guard sendto(sockets[1], datagram, datagram.count, 0, pointer, length) == 100 else { return -2 }
                var buffer = [UInt8](repeating: 0, count: 200)
                return recv(sockets[0], &buffer, buffer.count, CInt(MSG_DONTWAIT))
            }
        }

        // MARK: Test runs

        static let targets: [Target] = [
            .socket, .tc(match: .shot), .tcxIngress(match: .drop), .xdp(match: .drop), .xdpFrags(match: .drop),
            .cgroupIngress(match: .deny, noMatch: .allow), .lwtIn(match: .drop), .lwtXmit(match: .drop),
            .netfilter(match: .drop),
        ]

        /// A filter that compares the payload's offset with the number in the packet's last four bytes.
        private static let comparing: [ClassicBPF.Operation] = [
            .load(.length), .arithmetic(.subtract, .constant(4)), .transferAToX, .load(.indirect(.word, 0)),
            .transferAToX, .load(.extension(.poff)), .branch(.equal, .index, jt: 0, jf: 1),
            .result(.constant(1)), .result(.constant(0)),
        ]

        @Test(arguments: targets) func testRunsFindTheSamePayload(target: Target) throws {
            var random = SeededGenerator(for: "poff at \(target.hook)")
            var frames = LayeredFrames(random)
            let program = try Self.filter(Self.finding).classic
            try withNetworkNamespace {
                let loaded = try Self.load(Self.comparing, for: target)
                var (match, noMatch): (UInt32, UInt32) = (1, 0)
                if case .verdict(let first, let second) = target.result {
                    (match, noMatch) = (first.value, second.value)
                }
                var count = 0
                while count < 2000 {
                    // Payload that is no header, so that writing there changes nothing.
                    var frame = Array(frames.next().prefix(3400)) + [UInt8](repeating: 0, count: 100)
                    let linearLength =
                        target.hook == .xdpFrags ? Int.random(in: 14...frame.count, using: &random) : nil
                    guard let first = HookRun(target.hook, frame, linearLength: linearLength) else { continue }
                    if target.hook == .netfilter, Self.family(of: first) == nil { continue }
                    let found = try ClassicMachine().run(program, on: Self.packet(first))
                    frame[(frame.count - 2)...] = [UInt8(found >> 8), UInt8(found & 0xff)]
                    let run = HookRun(target.hook, frame, linearLength: linearLength)!
                    guard try ClassicMachine().run(program, on: Self.packet(run)) == found else { continue }
                    count += 1
                    #expect(try Self.result(of: loaded, run) == match, "\(found) in \(frame)")
                    guard count % 10 == 0 else { continue }
                    frame[frame.count - 1] ^= 1
                    let other = HookRun(target.hook, frame, linearLength: linearLength)!
                    #expect(try Self.result(of: loaded, other) == noMatch, "\(found) in \(frame)")
                }
            }
        }

        /// The family of the IP header behind the Ethernet header (`NFPROTO_…`).
        private static func family(of run: HookRun) -> UInt8? {
            [0x0800: 2, 0x86dd: 10][run.packet.metadata.protocol]
        }

        /// Test runs of netfilter take a `struct nf_hook_state`: the hook, here the first, the family, and pointers.
        private static func result(of program: borrowing BPFKernel.Program, _ run: HookRun) throws -> UInt32 {
            guard run.hook == .netfilter else { return try run.result(of: program) }
            let state = [0, family(of: run)!] + [UInt8](repeating: 0, count: 46)
            return try program.run(on: run.frame, contextBytes: state).returnValue
        }

        /// The packet of a run; at XDP, the one that the kernel will make of the frame.
        private static func packet(_ run: HookRun) -> Packet {
            run.hook.context == .xdp ? Packet(ethernet: run.frame) : run.packet
        }

        /// The hooks without test runs, or whose programs are others' too.
        @Test(arguments: [
            Target.tcxEgress(match: .drop), .netkitPrimary(match: .drop),
            .cgroupEgress(match: .deny), .lwtOut(match: .drop), .socket.showing(vlan: .wire),
            .tc(match: .shot).showing(vlan: .stripped), .xdp(match: .drop).showing(vlan: .stripped),
            .tpBTF("netif_receive_skb"), .tpBTF("kfree_skb"),
        ])
        func theVerifierTakesIt(target: Target) throws {
            #expect(throws: Never.self) { _ = try Self.load(Self.comparing, for: target) }
        }
    }
#endif
