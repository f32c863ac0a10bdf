#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ExtendedBPF
    import TestSupport
    import Testing

    /// The extended machine with `struct xdp_md` against the running kernel's test runs.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root, to run eBPF programs"),
        .enabled(
            if: Requirement.kernel(6, 18).allowsRunning, "needs Linux 6.18, for shortened first buffers in test runs"))
    struct XDPKernelTests {
        private func load(_ program: ExtendedBPF.Program) throws -> BPFKernel.Program {
            var request = LoadRequest(program, type: .xdp)
            request.flags = .xdpFragments
            return try BPFKernel.Program(loading: request)
        }

        /// The packet as a test run makes it: at the loopback interface, a first buffer of 3,520 bytes at most.
        private func packet(_ bytes: [UInt8], linearLength: Int? = nil) -> Packet {
            var packet = Packet(bytes, linearLength: min(linearLength ?? bytes.count, bytes.count, 3520))
            packet.metadata.interface = .init(index: 1)
            return packet
        }

        private func expectAgreement(
            _ loaded: borrowing BPFKernel.Program, _ program: ExtendedBPF.Program, on bytes: [UInt8],
            linearLength: Int? = nil, _ comment: String
        ) throws -> UInt32 {
            let context = XDPContext(linearLength: linearLength.map(UInt32.init))
            let result = try loaded.run(on: bytes, context: context).returnValue
            let ours = try ExtendedMachine(byteOrder: .host).run(
                program, on: packet(bytes, linearLength: linearLength), context: .xdp)
            #expect(ours == result, "\(comment)")
            return result
        }

        @Test(arguments: [40, 200, 6000])
        func randomProgramsReturnTheSame(reach: Int) throws {
            var generator = SeededGenerator()
            var results: Set<UInt32> = []
            try withNetworkNamespace {
                for number in 0..<300 {
                    let program = try RandomReader(.xdp, reach: reach, seed: generator.next()).program()
                    let loaded = try load(program)
                    for _ in 0..<8 {
                        let bytes = generator.bytes(Int.random(in: 14...reach + 20, using: &generator))
                        let linear = generator.chance(50) ? Int.random(in: 0...bytes.count, using: &generator) : nil
                        results.insert(
                            try expectAgreement(
                                loaded, program, on: bytes, linearLength: linear,
                                "program \(number), \(bytes.count) bytes, linear \(linear ?? -1)"))
                    }
                }
            }
            // Most programs read something of the packet.
            #expect(results.count > 1000)
        }

        /// What the helper function says, and what a buffer of eight bytes that held 0xaa holds then.
        @Test func loadingBytesAtEveryEdge() throws {
            let long = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }
            let offsets: [UInt32] = [
                0, 42, 52, 53, 59, 60, 3516, 3519, 3520, 0xfff8, 0xffff, 0x1_0000, 0x7fff_ffff, 0xffff_fff8, .max,
            ]
            for (length, linear) in [(60, nil), (60, 45), (60, 0), (70_000, nil), (0xffff, 14), (0x1_0000, 14)] {
                for offset in offsets {
                    for count: Int32 in [1, 5, 8] {
                        for showsBuffer in [false, true] {
                            let program = program(
                                [
                                    .move64(.r6, .r1), .loadWide(.r0, 0xaaaa_aaaa_aaaa_aaaa),
                                    .store(.doubleword, .r10, -8, .r0), .move32(.r2, offset), .move64(.r3, .r10),
                                    .alu64(.add, .r3, -8), .move64(.r4, count), .call(helper: 189),
                                ] + (showsBuffer ? [.load(.doubleword, .r0, .r10, -8)] + Instruction.foldR0 : []) + [
                                    .exit
                                ])
                            _ = try expectAgreement(
                                load(program), program, on: Array(long.prefix(length)), linearLength: linear,
                                "\(count) bytes at \(offset) of \(length)")
                        }
                    }
                }
            }
        }

        @Test func fieldsOfTheContext() throws {
            try withNetworkNamespace {
                try ip("link", "add", "many", "numrxqueues", "4", "type", "veth", "peer", "name", "other")
                let frame = Frames.named("tcp to 443").bytes
                for offset: Int16 in [12, 16] {
                    let program = program([.load(.word, .r0, .r1, offset), .exit])
                    let loaded = try load(program)
                    for (interface, queue) in [(1, 0), (2, 0), (3, 0), (3, 3)] as [(UInt32, UInt32)] {
                        var packet = packet(frame)
                        packet.metadata.interface?.index = interface
                        packet.metadata.rxQueueIndex = queue
                        let context = XDPContext(ingressInterface: interface, rxQueueIndex: queue)
                        #expect(
                            try ExtendedMachine(byteOrder: .host).run(program, on: packet, context: .xdp)
                                == loaded.run(on: frame, context: context).returnValue)
                    }
                }
            }
        }

        /// Ends, lengths and distances; without metadata `data_meta` is `data`.
        @Test func pointersOfTheContext() throws {
            let difference = { (left: Int16, right: Int16) in
                program([
                    .load(.word, .r0, .r1, left), .load(.word, .r2, .r1, right), .alu64(.subtract, .r0, .r2), .exit,
                ])
            }
            let length = program([.call(helper: 188), .exit])
            for program in [difference(4, 0), difference(0, 8), difference(4, 8), length] {
                let loaded = try load(program)
                for (count, linear) in [(14, nil), (60, nil), (60, 0), (60, 59), (3520, nil), (3521, nil), (9000, 100)]
                {
                    _ = try expectAgreement(
                        loaded, program, on: [UInt8](repeating: 1, count: count), linearLength: linear,
                        "\(count) bytes, linear \(linear ?? -1)")
                }
            }
        }

        /// Where the machine traps, the verifier refuses.
        @Test(
            arguments: [
                [.load(.halfword, .r0, .r1, 12), .exit],
                [.load(.byte, .r0, .r1, 16), .exit],
                [.load(.word, .r0, .r1, 20), .exit],
                [.load(.word, .r0, .r1, 24), .exit],
                [.load(.doubleword, .r0, .r1, 0), .exit],
                [.move64(.r0, 0), .store(.word, .r1, 16, .r0), .exit],
                [.move64(.r6, .r1), .loadPacket(.byte, at: 0), .exit],
                Instruction.loadBytes(0, toStackBelow: 8, count: 4).dropFirst() + [.exit],
                [.load(.word, .r2, .r1, 0), .load(.byte, .r0, .r2, 3600), .exit],
            ] as [[Instruction]])
        func trapsWhereTheVerifierRefuses(_ code: [Instruction]) {
            let program = program(code)
            #expect(throws: Trap.self) {
                try ExtendedMachine(byteOrder: .host).run(
                    program, on: packet([UInt8](repeating: 0, count: 60)), context: .xdp)
            }
            let error = #expect(throws: KernelError.self) { _ = try load(program) }
            #expect(error?.errno == .permissionDenied || error?.errno == .invalidArgument)
        }
    }
#endif
