#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import ExtendedBPF
    import TestSupport
    import Testing

    /// What the interpreter finds for the extension `poff`, and what the running kernel does: by frames that carry the
    /// number expected, and a filter on a packet socket that compares.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct PayloadOffsetKernelTests {
        /// Keeps one byte of packets for which the kernel finds what bytes 6 to 9 say, and all of the others.
        private static let comparing = [
            Instruction(.load(.absolute(.word, 6))), Instruction(.transferAToX), Instruction(.load(.extension(.poff))),
            Instruction(.branch(.equal, .index, jt: 0, jf: 1)), Instruction(.result(.constant(1))),
            Instruction(.result(.constant(.max))),
        ]

        private static let finding = try! Program([Instruction(.load(.extension(.poff))), Instruction(.result(.a))])

        private func socket(at interface: String) throws -> PacketSocket {
            try PacketSocket(at: interface) { descriptor in
                try SocketFilter.attach(
                    classic: Self.comparing.flatMap { $0.bytes(.host) }, to: .init(rawValue: descriptor))
            }
        }

        @Test func theKernelFindsWhatTheInterpreterFinds() throws {
            var generator = LayeredFrames(SeededGenerator(for: "poff in layered frames"))
            try withNetworkNamespace {
                let veth = try VethPair()
                let (receiver, sender) = (try socket(at: veth.second), try PacketSocket(at: veth.first))
                var offsets: [UInt32: Int] = [:]
                for _ in 0..<50 {
                    var sent = 0
                    for _ in 0..<1000 {
                        let frame = generator.next()
                        guard let packet = Packet(receivedFromEthernet: frame) else { continue }
                        let found = try ClassicMachine().run(Self.finding, on: packet)
                        offsets[found, default: 0] += 1
                        try sender.send(frame.expecting(found))
                        sent += 1
                    }
                    try check(receiver, receives: sent)
                }
                #expect(offsets.count > 300)
                for offset: UInt32 in [0, 14, 34, 42, 54, 62, 74] { #expect(offsets[offset, default: 0] > 50) }
            }
        }

        /// Headers are also found outside the linear part of a packet, but for those of Fibre Channel.
        @Test func packetsInPartsAreTheSame() throws {
            var random = SeededGenerator(for: "poff in parts")
            var generator = LayeredFrames(random)
            try withNetworkNamespace {
                let veth = try VethPair()
                let (receiver, sender) = (try socket(at: veth.second), try PacketSocket(at: veth.first))
                for _ in 0..<20 {
                    var sent = 0
                    for number in 0..<100 {
                        // Frames of more than a page only can be in parts.
                        var frame = Array(generator.next().prefix(4000)) + [UInt8](repeating: 0, count: 4200)
                        if number % 10 == 0 { frame[12...13] = [0x89, 0x06] }
                        let linearLength = Int.random(in: 14...100, using: &random)
                        let packet = try #require(Packet(receivedFromEthernet: frame, linearLength: linearLength))
                        let found = try ClassicMachine().run(Self.finding, on: packet)
                        try sender.send(frame.expecting(found), linearLength: UInt16(linearLength))
                        sent += 1
                    }
                    try check(receiver, receives: sent)
                }
            }
        }

        /// Makes sure that so many packets arrive, all with what was expected in them. Others are shown whole.
        private func check(_ socket: PacketSocket, receives count: Int) throws {
            let received = try socket.receiveAll(quiet: 50).map(\.bytes)
            #expect(received.count == count)
            let differing = received.filter { $0.count > 1 }.map { frame in
                frame.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
            }
            #expect(differing.isEmpty, "\(differing.prefix(3))")
        }
    }

    extension [UInt8] {
        /// The frame with `number` in place of its sender's address.
        fileprivate func expecting(_ number: UInt32) -> [UInt8] {
            self[..<6] + [24, 16, 8, 0].map { UInt8(number >> $0 & 0xff) } + self[10...]
        }
    }

    extension Packet {
        /// The packet that a packet socket sees of a frame that comes in, or nil for one that the kernel drops.
        fileprivate init?(receivedFromEthernet frame: [UInt8], linearLength: Int? = nil) {
            let isTagged = [[0x81, 0], [0x88, 0xa8]].contains { frame[12...].starts(with: $0) }
            guard !isTagged || frame.count >= 20 else { return nil }
            let shown = isTagged ? Array(frame[..<12] + frame[16...]) : frame
            let whole = Packet(ethernet: shown)
            // What there is to see of the tag is made linear before it is taken out.
            self.init(
                shown, linearLength: linearLength.map { isTagged ? max($0, 20) - 4 : $0 }, networkHeaderOffset: 14,
                linkLayerHeaderOffset: 0, metadata: whole.metadata)
            func half(_ offset: Int) -> UInt16 { UInt16(frame[offset]) << 8 | UInt16(frame[offset + 1]) }
            if isTagged { metadata.vlan = Metadata.VLANTag(tci: half(14), tpid: half(12)) }
        }
    }
#endif
