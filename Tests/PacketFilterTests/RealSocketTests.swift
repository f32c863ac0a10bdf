#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import BPFCompiler
    import ClassicBPF
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// Three ways to the same answer: the kernel's classic filter on a packet socket, our program on another beside it,
    /// and both interpreters; every filter of the corpus on every frame of the catalogue, sent through a veth pair.
    ///
    /// What is seen of an answer is whether a frame arrives and how many bytes of it, which is the filter's number up
    /// to the length of the frame.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct RealSocketTests {
        /// A filter in both forms, each at a socket of its own.
        private final class Candidate {
            let name: String
            let filter: PacketFilter
            let program: CompiledProgram?
            var classicSocket: PacketSocket?
            var extendedSocket: PacketSocket?

            init(_ name: String, _ filter: PacketFilter) throws {
                self.name = name
                self.filter = filter
                do {
                    program = try filter.compile(for: .socket)
                } catch let error as CompilerError {
                    guard case .unavailableExtension = error.reason else { throw error }
                    program = nil
                }
            }

            /// Whether the interpreter can run it: it does not know how the kernel follows headers to the payload.
            var isInterpreted: Bool {
                !(0..<filter.classic.count).contains { filter.classic.operation(at: $0) == .load(.extension(.poff)) }
            }
        }

        @Test(.timeLimit(.minutes(3))) func everyFilterOnEveryFrame() throws {
            let candidates = try Self.candidates()
            #expect(candidates.count >= 250)
            // Without a program are those that load hatype, nla, nlan or poff, and nothing else.
            #expect(candidates.count { $0.program == nil } < 15)
            #expect(candidates.count { !$0.isInterpreted } < 5, "only poff is not")
            try withNetworkNamespace {
                let veth = try VethPair()
                let control = try PacketSocket(at: veth.second)
                let index = if_nametoindex(veth.second)
                for candidate in candidates { try attach(candidate, to: veth.second) }
                let sender = try PacketSocket(at: veth.first)
                for frame in Frames.all { try sender.send(frame.bytes) }

                let frames = try control.receiveAll(quiet: 200)
                // The kernel drops a tagged frame that ends before the header behind the tag does; no socket sees it.
                let isSeen = { (frame: [UInt8]) in frame.count >= 20 || !frame[12...].starts(with: [0x81, 0]) }
                #expect(frames.count == Frames.all.count { isSeen($0.bytes) })
                for candidate in candidates {
                    try compare(candidate, frames.map { packet($0, interface: index) })
                }
            }
        }

        /// What the hook forces: the kernel takes the outer VLAN tag out of the bytes before a packet socket sees the
        /// frame, so that libpcap's `vlan`, which looks at the bytes, matches nothing, and `udp` matches tagged frames.
        @Test func aTagIsNotAmongTheBytes() throws {
            try withNetworkNamespace {
                let veth = try VethPair()
                let filters = try ["vlan", "udp"].map { try Candidate($0, PacketFilter($0)) }
                for filter in filters { try attach(filter, to: veth.second) }
                let control = try PacketSocket(at: veth.second)
                try PacketSocket(at: veth.first).send(Frames.named("vlan 5 udp to 53").bytes)
                let received = try #require(try control.receive())
                #expect(received.vlan == PacketSocket.VLAN(tci: 5))
                #expect(received.bytes == Frames.named("udp to 53").bytes)
                for socket in [filters[0].classicSocket, filters[0].extendedSocket] {
                    #expect(try socket?.receive(timeout: 100) == nil)
                }
                for socket in [filters[1].classicSocket, filters[1].extendedSocket] {
                    #expect(try socket?.receive()?.bytes == received.bytes)
                }
            }
        }

        private static func candidates() throws -> [Candidate] {
            let expressions = try Corpus.expressions.map {
                try Candidate($0.name, PacketFilter($0.text, linkType: LinkType($0.linkType)))
            }
            // The result of these differs from one run to the next.
            let changing: [ClassicBPF.Extension] = [.cpu, .rand]
            let programs = Corpus.programs.filter { entry in
                !(0..<entry.program.count).contains { index in
                    changing.contains { entry.program.operation(at: index) == .load(.extension($0)) }
                }
            }
            return try expressions + programs.map { try Candidate($0.name, PacketFilter($0.program)) }
        }

        private func attach(_ candidate: Candidate, to interface: String) throws {
            let classic = candidate.filter.classic.instructions.flatMap { $0.bytes(.host) }
            candidate.classicSocket = try PacketSocket(at: interface) { descriptor in
                try SocketFilter.attach(classic: classic, to: .init(rawValue: descriptor))
            }
            guard let program = candidate.program else { return }
            candidate.extendedSocket = try PacketSocket(at: interface) { descriptor in
                let loaded = try program.load()
                try SocketFilter.attach(loaded, to: .init(rawValue: descriptor))
            }
        }

        private func compare(_ candidate: Candidate, _ packets: [Packet]) throws {
            let classic = try candidate.classicSocket!.receiveAll(timeout: 0, quiet: 0).map(\.bytes)
            if let socket = candidate.extendedSocket {
                let extended = try socket.receiveAll(timeout: 0, quiet: 0).map(\.bytes)
                #expect(extended == classic, "\(candidate.name): the kernel's classic filter and our program")
                let interpreted = try packets.compactMap { packet in
                    kept(packet, try ExtendedMachine().run(candidate.program!.program, on: packet))
                }
                #expect(interpreted == classic, "\(candidate.name): the kernel and the eBPF interpreter")
            }
            guard candidate.isInterpreted else { return }
            let interpreted = try packets.compactMap {
                kept($0, try ClassicMachine().run(candidate.filter.classic, on: $0))
            }
            #expect(interpreted == classic, "\(candidate.name): the kernel and the classic interpreter")
        }

        /// What a packet socket delivers of a packet for which its filter gave `number`.
        private func kept(_ packet: Packet, _ number: UInt32) -> [UInt8]? {
            number == 0 ? nil : Array(packet.bytes.prefix(Int(number)))
        }

        private func packet(_ received: PacketSocket.Received, interface: UInt32) -> Packet {
            var packet = Packet(ethernet: received.bytes)
            packet.metadata.protocol = received.proto
            packet.metadata.packetType = received.packetType
            packet.metadata.interface = .init(index: interface)
            packet.metadata.ingressInterface = interface
            packet.metadata.vlan = received.vlan.map { .init(tci: $0.tci, tpid: $0.tpid) }
            return packet
        }
    }
#endif
