#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import Glibc
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// Programs that read packets through the kernel's own buffer, on the running kernel.
    @Suite(
        .enabled(
            if: Requirement.root.allowsRunning && Requirement.kernel(6, 17).allowsRunning, "needs root and Linux 6.17"))
    struct KernelBufferTests {
        /// With the cast of pointers to the packet, and without it where the kernel can do without.
        static let kernels = [KernelVersion(6, 17), KernelVersion(6, 18)].filter { $0 <= KernelVersion.running! }

        private static func corpus() throws -> [(name: String, filter: PacketFilter)] {
            try Corpus.expressions.map { ($0.name, try PacketFilter($0.text, linkType: LinkType($0.linkType))) }
                + Corpus.programs.map { ($0.name, PacketFilter($0.program)) }
        }

        private func compile(
            _ filter: PacketFilter, for target: Target, _ kernel: KernelVersion
        ) throws -> CompiledProgram? {
            do {
                return try filter.compile(for: target, options: CompilerOptions(kernel: kernel))
            } catch let error as CompilerError {
                guard case .unavailableExtension = error.reason else { throw error }
                return nil
            }
        }

        /// On sockets, by test run; with the work of the verifier, which is to follow one way at each join.
        @Test(arguments: KernelBufferTests.kernels) func socketProgramsDecideAsTheClassicFilter(kernel: KernelVersion)
            throws
        {
            let frames = Frames.all.map(\.bytes).filter(isTakenByTestRuns)
            var (verified, instructions) = (0, 0)
            try withNetworkNamespace {
                for (name, filter) in try Self.corpus() {
                    guard let program = try compile(filter, for: .socket, kernel) else { continue }
                    let loaded = try program.load()
                    let information = try loaded.information()
                    // A search is a loop, of which the verifier walks through every round.
                    if !name.hasPrefix("extension-nla"), name != "extension-poff" {
                        verified += information.verifiedInstructions
                        instructions += program.program.linked().slotCount
                    }
                    let isSteady = !(0..<filter.classic.count).contains {
                        [.load(.extension(.cpu)), .load(.extension(.rand))].contains(filter.classic.operation(at: $0))
                    }
                    guard isSteady else { continue }
                    for frame in frames {
                        let packet = testRunPacket(frame, as: .socketFilter)
                        let expected = try ClassicMachine(byteOrder: .host).run(filter.classic, on: packet)
                        #expect(try loaded.run(on: frame).returnValue == expected, "\(name) \(frame)")
                    }
                }
            }
            // The aim is 1.2. The way for what is outside the linear part is followed from several places, since the
            // verifier keeps no state at its start.
            #expect(Double(verified) <= 1.65 * Double(instructions), "\(verified) of \(instructions)")
        }

        /// Datagrams of one local socket to another, most of whose bytes are outside the linear part: the kernel's own
        /// conversion on one pair, our program on another.
        @Test func bytesOutsideTheLinearPartAreFoundToo() throws {
            let datagram = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }
            func load(_ size: Operation.Size, at k: UInt32) throws -> PacketFilter {
                // What is loaded modulo 31, plus one, is how many bytes arrive.
                PacketFilter(
                    try ClassicProgram([
                        .init(.load(.absolute(size, k))), .init(.arithmetic(.modulo, .constant(31))),
                        .init(.arithmetic(.add, .constant(1))), .init(.result(.a)),
                    ]))
            }
            func load(_ size: Operation.Size, behind x: UInt32, at k: UInt32) throws -> PacketFilter {
                PacketFilter(
                    try ClassicProgram([
                        .init(.load(.absolute(.byte, 3))), .init(.arithmetic(.and, .constant(1))),
                        .init(.arithmetic(.add, .constant(x))), .init(.transferAToX),
                        .init(.load(.indirect(size, k))), .init(.arithmetic(.modulo, .constant(31))),
                        .init(.arithmetic(.add, .constant(1))), .init(.result(.a)),
                    ]))
            }
            let places: [UInt32] = [
                0, 60, 188, 1000, 4000, 8000, 20_000, 32_764, 32_768, 39_990, 39_996, 39_997, 50_000,
            ]
            let filters = try places.flatMap { place in
                try [Operation.Size.byte, .half, .word].flatMap { size in
                    [
                        try load(size, at: place), try load(size, behind: place, at: 0),
                        try load(size, behind: 7, at: place),
                    ]
                }
            }
            for filter in filters {
                let classic = filter.classic.instructions.flatMap { $0.bytes(.host) }
                let expected = try kept(of: datagram) {
                    try SocketFilter.attach(classic: classic, to: .init(rawValue: $0))
                }
                for kernel in Self.kernels {
                    let program = try #require(try compile(filter, for: .socket, kernel)).load()
                    let count = try kept(of: datagram) { try SocketFilter.attach(program, to: .init(rawValue: $0)) }
                    #expect(count == expected, "\(filter.listing)")
                }
            }
        }

        /// How many bytes of `datagram` arrive at a socket with a filter, −1 for none.
        private func kept(of datagram: [UInt8], attach: (CInt) throws -> Void) throws -> Int {
            var pair: [CInt] = [-1, -1]
            try #require(socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0)
            defer { for descriptor in pair { close(descriptor) } }
            try attach(pair[1])
            // Where the filter says no, sending fails.
            _ = send(pair[0], datagram, datagram.count, 0)
            var buffer = [UInt8](repeating: 0, count: datagram.count)
            return recv(pair[1], &buffer, buffer.count, CInt(MSG_DONTWAIT))
        }

        /// The verifier takes every filter, in netfilter and at a tracepoint, where it runs on real packets unseen.
        @Test(
            arguments: [Target.netfilter(match: .drop), Target.tpBTF("netif_receive_skb")], KernelBufferTests.kernels)
        func everyFilterLoads(target: Target, kernel: KernelVersion) throws {
            for (name, filter) in try Self.corpus() {
                guard let program = try compile(filter, for: target, kernel) else { continue }
                #expect(throws: Never.self, "\(name)") { _ = try program.load() }
            }
        }

        /// The hardware type of the device is in the kernel's own structures only.
        @Test(arguments: [
            Target.socket, .tc(match: .shot), .netfilter(match: .drop), .tpBTF("kfree_skb"),
            .cgroupIngress(match: .deny),
        ])
        func hardwareTypesLoad(target: Target) throws {
            let filter = PacketFilter(
                try ClassicProgram([
                    .init(.load(.extension(.hatype))), .init(.branch(.equal, .constant(772), jt: 0, jf: 1)),
                    .init(.result(.constant(1))), .init(.result(.constant(0))),
                ]))
            let program = try #require(try compile(filter, for: target, KernelVersion(6, 17))).load()
            // The others have no test run that could tell; that they load is what is asked of them.
            guard target.hook == .socket || target.hook == .tc else { return }
            // Test runs take place at the loopback interface.
            let frame = Frames.named("udp to 53").bytes
            #expect(try program.run(on: frame).returnValue == (target.hook == .tc ? 2 : 1))
        }
    }
#endif
