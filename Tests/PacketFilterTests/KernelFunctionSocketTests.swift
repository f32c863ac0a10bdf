#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ExtendedBPF
    import Glibc
    @testable import PacketFilter
    import SystemPackage
    import TestSupport
    import Testing

    /// The same on real sockets, where packets have what test runs cannot give them: VLAN tags in the metadata, bytes
    /// outside the linear part. What is seen of a result is how many bytes of a packet arrive.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.kernel(6, 18).allowsRunning, "needs Linux 6.18, for casts to plain memory"))
    struct KernelFunctionSocketTests {
        private func attach(_ program: ExtendedProgram, to socket: CInt) throws {
            let loaded = try LoadedProgram(loading: LoadRequest(KernelLayout.loadable(program), type: .socketFilter))
            try SocketFilter.attach(loaded, to: FileDescriptor(rawValue: socket))
        }

        /// Each member modulo 31, plus one, is how many bytes are kept.
        @Test func vlanTagsDevicesAndTypes() throws {
            let members: [(String, Size, String?)] = [
                ("vlan_all", .word, nil), ("vlan_tci", .halfword, nil), ("vlan_proto", .halfword, nil),
                ("protocol", .halfword, nil), ("__pkt_type_offset", .byte, nil), ("ifindex", .word, "net_device"),
                ("type", .halfword, "net_device"), ("len", .word, nil), ("skb_iif", .word, nil),
            ]
            try withNetworkNamespace {
                let pair = try VethPair()
                let sender = try PacketSocket(at: pair.first)
                let index = if_nametoindex(pair.second)
                let control = try PacketSocket(at: pair.second)
                var receivers: [(ExtendedProgram, PacketSocket)] = []
                for (member, size, structure) in members {
                    let program = socketBufferProgram {
                        if structure != nil { $0.load(.doubleword, .r6, .r6, "sk_buff", "dev") }
                        $0.load(size, .r0, .r6, structure ?? "sk_buff", member)
                        if size == .byte { $0.append(.alu64(.and, .r0, 7)) }
                        $0.append(.alu64(.modulo, .r0, 31))
                        $0.append(.alu64(.add, .r0, 1))
                    }
                    receivers.append((program, try PacketSocket(at: pair.second) { try attach(program, to: $0) }))
                }
                let frames = Frames.all.map(\.bytes).filter { $0.count >= 64 }
                for frame in frames { try sender.send(frame) }
                let seen = try control.receiveAll()
                #expect(seen.count > 20 && seen.contains { $0.vlan != nil } && seen.contains { $0.vlan == nil })
                for (program, socket) in receivers {
                    let kept = try socket.receiveAll().map(\.bytes.count)
                    let expected = try seen.map { frame in
                        var packet = Packet(ethernet: frame.bytes)
                        packet.metadata.interface = .init(index: index)
                        packet.metadata.ingressInterface = index
                        packet.metadata.protocol = frame.proto
                        packet.metadata.packetType = frame.packetType
                        packet.metadata.vlan = frame.vlan.map { .init(tci: $0.tci, tpid: $0.tpid) }
                        return Int(try ExtendedMachine(byteOrder: .host).run(program, on: packet))
                    }
                    #expect(kept == expected)
                }
            }
        }

        /// A datagram of 40,000 bytes has some of them outside its linear part.
        @Test func bytesOutsideTheLinearPart() throws {
            let datagram = (0..<40_000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }
            let linear = socketBufferProgram { $0.linearPart(data: .r7, length: .r0) }
            let linearLength = try kept(of: datagram, by: linear)
            #expect((1000..<39_000).contains(linearLength))
            let outside = socketBufferProgram { $0.load(.word, .r0, .r6, "sk_buff", "data_len") }
            let last = socketBufferProgram {
                $0.linearPart(data: .r7, length: .r8)
                $0.append(.alu64(.add, .r7, .r8))
                $0.append(.load(.byte, .r0, .r7, -1))
                $0.append(.alu64(.add, .r0, 1))
            }
            let copiedLast = socketBufferProgram {
                $0.linearPart(data: .r7, length: .r8)
                $0.append(.move64(.r3, .r7))
                $0.append(.alu64(.add, .r3, .r8))
                $0.append(.alu64(.add, .r3, -1))
                $0.append(.move64(.r1, .r10))
                $0.append(.alu64(.add, .r1, -8))
                $0.append(.move64(.r2, 1))
                $0.append(.call(helper: 113))
                $0.append(.load(.byte, .r1, .r10, -8))
                $0.append(.alu64(.add, .r0, .r1))
                $0.append(.alu64(.add, .r0, 1))
            }
            let length = socketBufferProgram { $0.load(.word, .r0, .r6, "sk_buff", "len") }
            let packet = Packet(datagram, linearLength: linearLength)
            for program in [linear, outside, last, copiedLast, length] {
                let ours = try ExtendedMachine(byteOrder: .host).run(program, on: packet)
                #expect(try kept(of: datagram, by: program) == Int(ours))
            }
        }

        /// How many bytes of `datagram` the program lets through a pair of local sockets.
        private func kept(of datagram: [UInt8], by program: ExtendedProgram) throws -> Int {
            var pair: [CInt] = [-1, -1]
            try #require(socketpair(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &pair) == 0)
            defer { for descriptor in pair { close(descriptor) } }
            try attach(program, to: pair[1])
            try #require(send(pair[0], datagram, datagram.count, 0) == datagram.count)
            var buffer = [UInt8](repeating: 0, count: datagram.count)
            return recv(pair[1], &buffer, buffer.count, CInt(MSG_DONTWAIT))
        }
    }
#endif
