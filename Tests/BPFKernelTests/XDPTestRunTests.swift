#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import TestSupport
    import Testing

    /// What a test run of an XDP program takes, with the limits that the documentation gives.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(
            if: Requirement.kernel(6, 18).allowsRunning, "needs Linux 6.18, for shortened first buffers in test runs"))
    struct XDPTestRunTests {
        /// `data_end - data`.
        private static let linearLength = program([
            .load(.word, .r2, .r1, 0), .load(.word, .r0, .r1, 4), .alu64(.subtract, .r0, .r2), .exit,
        ])
        /// `bpf_xdp_get_buff_len(ctx)`.
        private static let wholeLength = program([.call(helper: 188), .exit])
        /// `data - data_meta`.
        private static let metadataLength = program([
            .load(.word, .r2, .r1, 8), .load(.word, .r0, .r1, 0), .alu64(.subtract, .r0, .r2), .exit,
        ])

        private func run(
            _ program: ExtendedBPF.Program, on count: Int, _ context: XDPContext = XDPContext(), fragments: Bool = true
        ) throws -> UInt32 {
            try load(program, as: .xdp) { $0.flags = fragments ? .xdpFragments : [] }
                .run(on: [UInt8](repeating: 7, count: count), context: context).returnValue
        }

        @Test(arguments: [true, false])
        func theFirstBufferHoldsWhatFits(fragments: Bool) throws {
            for (count, linear) in [(14, 14), (3520, 3520), (3521, 3520), (60_000, 3520), (73_152, 3520)] {
                #expect(try run(Self.linearLength, on: count, fragments: fragments) == linear)
                #expect(try run(Self.wholeLength, on: count, fragments: fragments) == count)
            }
        }

        @Test func theFirstBufferCanBeShortened() throws {
            for linear: UInt32 in [0, 13, 14, 59, 60] {
                let context = XDPContext(linearLength: linear)
                #expect(try run(Self.linearLength, on: 60, context) == linear)
                #expect(try run(Self.wholeLength, on: 60, context) == 60)
            }
            let whole = try load(Self.wholeLength, as: .xdp) { $0.flags = .xdpFragments }
            let frame = Frames.named("tcp to 443").bytes
            #expect(try whole.run(on: frame, context: XDPContext(linearLength: 20)).packet == frame)
        }

        @Test func metadataLiesInFrontOfThePacket() throws {
            for metadata: UInt32 in [0, 4, 32, 216] {
                let context = XDPContext(metadataLength: metadata)
                #expect(try run(Self.metadataLength, on: 400, context) == metadata)
                #expect(try run(Self.linearLength, on: 400, context) == 400 - metadata)
                #expect(
                    try run(
                        Self.linearLength, on: 400, XDPContext(metadataLength: metadata, linearLength: 50)) == 50)
            }
        }

        @Test func refusesWhatTheKernelRefuses() throws {
            let refused: [(Int, XDPContext)] = [
                (13, XDPContext()), (60, XDPContext(linearLength: 61)), (400, XDPContext(metadataLength: 220)),
                (400, XDPContext(metadataLength: 6)), (60, XDPContext(rxQueueIndex: 1)),
            ]
            for (count, context) in refused {
                #expect(throws: KernelError(.refused(.invalidArgument), in: .testRun), "\(count) \(context)") {
                    try run(Self.wholeLength, on: count, context)
                }
            }
            #expect(throws: KernelError(.refused(.operationNotSupportedByDevice), in: .testRun)) {
                try run(Self.wholeLength, on: 60, XDPContext(ingressInterface: 0x7fff_0000))
            }
            #expect(throws: KernelError(.refused(.noMemory), in: .testRun)) {
                try run(Self.wholeLength, on: 73_153)
            }
        }

        @Test func tellsTheInterface() throws {
            try withNetworkNamespace {
                let pair = try VethPair()
                #expect(pair.first == "left")
                let index = program([.load(.word, .r0, .r1, 12), .exit])
                // The second of a pair is made first.
                #expect(
                    Set([2, 3]) == Set(try [2, 3].map { try run(index, on: 60, XDPContext(ingressInterface: $0)) }))
                #expect(try run(index, on: 60) == 1)
            }
        }
    }
#endif
