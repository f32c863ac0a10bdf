#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import BPFCompiler
    import ClassicBPF
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// Ways to the same answer: the kernel's classic filter on a packet socket, our optimised program and the mirror on
    /// others beside it, and both interpreters; every filter of the corpus on every frame of the catalogue, sent through
    /// a veth pair.
    ///
    /// What is seen of an answer is whether a frame arrives and how many bytes of it, which is the filter's number up
    /// to the length of the frame.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct RealSocketTests {
        /// A filter in its forms, each at a socket of its own.
        private final class Candidate {
            let name: String
            let filter: PacketFilter
            /// The optimised program.
            let program: CompiledProgram?
            /// The program that is like the kernel's own.
            let mirror: CompiledProgram?
            var classicSocket: PacketSocket?
            var extendedSocket: PacketSocket?
            var mirrorSocket: PacketSocket?
            /// The bytes of each frame that arrived at the sockets, nil for one that did not.
            private(set) var classic: [[UInt8]?] = []
            private(set) var extended: [[UInt8]?] = []
            private(set) var mirrored: [[UInt8]?] = []

            init(_ name: String, _ filter: PacketFilter) throws {
                self.name = name
                self.filter = filter
                program = try Self.program(of: filter, .optimized)
                mirror = try Self.program(of: filter, .mirror)
            }

            private static func program(
                of filter: PacketFilter, _ level: OptimizationLevel
            ) throws -> CompiledProgram? {
                // What SO_ATTACH_FILTER shows.
                let target = Target.socket.showing(vlan: .bytes)
                var options = CompilerOptions(level: level)
                do {
                    return try filter.compile(for: target, options: options)
                } catch let error as CompilerError {
                    switch error.reason {
                    case .unavailableExtension: return nil
                    case .needsKernel: options.kernel = .running
                    default: throw error
                    }
                }
                return try filter.compile(for: target, options: options)
            }

            /// Takes what has arrived of one frame.
            func receive() throws {
                classic.append(try classicSocket!.receive(timeout: 0)?.bytes)
                extended.append(try extendedSocket?.receive(timeout: 0)?.bytes)
                mirrored.append(try mirrorSocket?.receive(timeout: 0)?.bytes)
            }
        }

        @Test func everyFilterOnEveryFrame() throws {
            let candidates = try Self.candidates()
            #expect(candidates.count >= 250)
            #expect(candidates.allSatisfy { $0.program != nil })
            #expect(candidates.count { $0.mirror == nil } < 15)
            try withNetworkNamespace {
                let veth = try VethPair()
                let index = if_nametoindex(veth.second)
                // In whichever order the kernel shows a frame to its sockets: when it has been shown to the one opened
                // before all others and to the one opened after them, it has been shown to all.
                let before = try PacketSocket(at: veth.second)
                for candidate in candidates { try attach(candidate, to: veth.second) }
                let after = try PacketSocket(at: veth.second)
                let sender = try PacketSocket(at: veth.first)

                // One at a time: no queue fills up, and none overtakes another.
                var seen: [(name: String, packet: Packet)] = []
                for frame in Frames.all {
                    try sender.send(frame.bytes)
                    guard Self.isSeen(frame.bytes) else { continue }
                    let received = try #require(try before.receive(timeout: 10_000), "\(frame.name)")
                    #expect(try after.receive(timeout: 10_000) == received)
                    seen.append((frame.name, packet(received, interface: index)))
                    for candidate in candidates { try candidate.receive() }
                }
                #expect(try before.receive(timeout: 200) == nil, "a frame more than the kernel is known to let through")
                for candidate in candidates {
                    try compare(candidate, seen)
                    try candidate.receive()
                    let last = [candidate.classic, candidate.extended, candidate.mirrored].map { $0.last! }
                    #expect(last == [nil, nil, nil], "\(candidate.name)")
                }
            }
        }

        /// The kernel drops a tagged frame that ends before the header behind the tag does; no socket sees it.
        private static func isSeen(_ frame: [UInt8]) -> Bool {
            frame.count >= 20 || !frame[12...].starts(with: [0x81, 0])
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
                for socket in [filters[0].classicSocket, filters[0].extendedSocket, filters[0].mirrorSocket] {
                    #expect(try socket?.receive(timeout: 100) == nil)
                }
                for socket in [filters[1].classicSocket, filters[1].extendedSocket, filters[1].mirrorSocket] {
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
            candidate.extendedSocket = try candidate.program.map { try socket(filteredBy: $0, at: interface) }
            candidate.mirrorSocket = try candidate.mirror.map { try socket(filteredBy: $0, at: interface) }
        }

        private func socket(filteredBy program: CompiledProgram, at interface: String) throws -> PacketSocket {
            try PacketSocket(at: interface) { descriptor in
                let loaded = try program.load()
                try SocketFilter.attach(loaded, to: .init(rawValue: descriptor))
            }
        }

        private func compare(_ candidate: Candidate, _ seen: [(name: String, packet: Packet)]) throws {
            /// The frames on whose bytes two ways disagree.
            func differences(_ these: [[UInt8]?], _ those: [[UInt8]?]) -> [String] {
                seen.indices.filter { these[$0] != those[$0] }.map { seen[$0].name }
            }
            let (name, classic) = (candidate.name, candidate.classic)
            if let program = candidate.program?.program {
                let byProgram = differences(candidate.extended, classic)
                #expect(byProgram.isEmpty, "\(name): the kernel's classic filter and our program")
                let interpreted = try seen.map { kept($0.packet, try ExtendedMachine().run(program, on: $0.packet)) }
                let byInterpreter = differences(interpreted, classic)
                #expect(byInterpreter.isEmpty, "\(name): the kernel and the eBPF interpreter")
            }
            if candidate.mirror != nil {
                let byMirror = differences(candidate.mirrored, classic)
                #expect(byMirror.isEmpty, "\(name): the kernel's classic filter and the mirror")
            }
            let filter = candidate.filter.classic
            let interpreted = try seen.map { kept($0.packet, try ClassicMachine().run(filter, on: $0.packet)) }
            let byInterpreter = differences(interpreted, classic)
            #expect(byInterpreter.isEmpty, "\(name): the kernel and the classic interpreter")
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
