#if os(Linux)
    import BPFKernel
    import CPcap
    import ExtendedBPF
    import Glibc
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// A filter where packets pass an interface: the kernel's own on a packet socket, ours on another one, and ours as a
    /// classifier that either ends the row of classifiers there or leaves a packet to the next, with a counter in front of
    /// it and one behind.
    final class FilteredPlace {
        /// What the filter has said.
        private(set) var answers: Set<Bool> = []
        private let filter: PacketFilter
        private let name: String
        /// Whether packets that match are those that the counter behind sees.
        private let leavesMatches: Bool
        private let classic: PacketSocket
        private let ours: PacketSocket
        private let link: BPFKernel.Link
        private let (first, last): (PieceCounter, PieceCounter)
        /// How many packets the counters have to have seen.
        private var (arrived, left): (UInt64, UInt64) = (0, 0)

        /// - Parameter target: One of tcx, whose verdicts are to pass and to go on with the next.
        init(_ filter: PacketFilter, _ target: Target, at interface: String) throws {
            self.filter = filter
            name = "\(filter.expression!) on \(target.hook)"
            leavesMatches =
                if case .verdict(let match, _) = target.result { match == Verdict(TCXVerdict.next) } else { false }
            let code = filter.classic.instructions.flatMap { $0.bytes(.host) }
            classic = try PacketSocket(at: interface) { descriptor in
                try SocketFilter.attach(classic: code, to: .init(rawValue: descriptor))
            }
            // As for old kernels, or as for this one.
            let options = CompilerOptions(kernel: leavesMatches ? nil : .running)
            let program = try filter.compile(for: .socket, options: options)
            ours = try PacketSocket(at: interface) { descriptor in
                let loaded = try program.load()
                try SocketFilter.attach(loaded, to: .init(rawValue: descriptor))
            }
            let place = AttachPlace.interface(if_nametoindex(interface), target.hook.attachType!)
            first = try PieceCounter(target, at: place)
            let classifier = try filter.compile(for: target).load()
            link = try BPFKernel.Link(attaching: classifier, at: place)
            last = try PieceCounter(target, at: place)
        }

        /// Takes the classifier from its place even while a process that another test is just starting holds it: the next
        /// one's packets would end there.
        deinit { try? link.detach() }

        /// What has passed, by how the kernel held it.
        var counts: PieceCounter.Counts { get throws { try first.counts } }

        /// Compares what has become of `packets`, all that have passed since the last call.
        func check(_ packets: [[UInt8]], _ what: String) throws {
            arrived += UInt64(packets.count)
            // On the way in packet sockets come before classifiers; on the way out they come behind, but the packets
            // have been received by now.
            try first.wait(for: arrived, "\(name): \(what)")
            let matching = try receive(classic)
            #expect(matching == packets.filter(libpcapMatches), "\(name): \(what), the kernel and libpcap")
            #expect(try receive(ours) == matching, "\(name): \(what), on a socket")
            left += UInt64(leavesMatches ? matching.count : packets.count - matching.count)
            try last.wait(for: left, "\(name): \(what), behind the classifier")
            answers.formUnion(packets.map { matching.contains($0) })
        }

        private func receive(_ socket: PacketSocket) throws -> [[UInt8]] {
            var packets: [[UInt8]] = []
            while let packet = try socket.receive(timeout: 0) { packets.append(packet.bytes) }
            return packets
        }

        private func libpcapMatches(_ frame: [UInt8]) -> Bool {
            let code = filter.classic.instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
            return bpf_filter(code, frame, UInt32(frame.count), UInt32(frame.count)) != 0
        }
    }

    /// A classifier of tcx that counts packets by how the kernel holds them, and leaves them to the next.
    struct PieceCounter {
        /// All packets, those of which the first piece has less than 100 bytes and others the rest, and of these those
        /// that were put together of segments.
        typealias Counts = (all: UInt64, inPieces: UInt64, merged: UInt64)

        private let verdicts: CountedVerdicts

        init(_ target: Target, at place: AttachPlace) throws {
            var assembler = Assembler(functionNamed: "pieces")
            let end = assembler.makeLabel()
            assembler.append(.move32(.r0, 0))
            // struct __sk_buff: len, data, data_end
            assembler.append(.load(.word, .r2, .r1, 0))
            assembler.append(.load(.word, .r3, .r1, 76))
            assembler.append(.load(.word, .r4, .r1, 80))
            assembler.append(.alu64(.subtract, .r4, .r3))
            assembler.append(.jump64(if: .r4, .greaterOrEqual, .r2, 0), to: end)
            assembler.append(.jump64(if: .r4, .greaterOrEqual, 100, 0), to: end)
            // gso_segs
            assembler.append(.load(.word, .r5, .r1, 164))
            assembler.append(.move32(.r0, 1))
            assembler.append(.jump64(if: .r5, .lessOrEqual, 1, 0), to: end)
            assembler.append(.move32(.r0, 2))
            assembler.place(end)
            assembler.append(.exit)
            let program = CompiledProgram(
                filter: try PacketFilter(""), target: target,
                program: try ExtendedProgram(functions: [assembler.finish()]))
            verdicts = try CountedVerdicts(program, of: .all, answering: -1, at: place)
        }

        var counts: Counts {
            get throws {
                let counts = try verdicts.counts
                return (counts.reduce(0, +), counts[1] + counts[2], counts[2])
            }
        }

        /// Waits until `count` packets have come by; more are not to.
        func wait(for count: UInt64, _ what: String) throws {
            var seen = try counts.all
            for _ in 0..<2_000 where seen < count {
                usleep(1_000)
                seen = try counts.all
            }
            try #require(seen == count, "\(what): \(seen) packets instead of \(count)")
        }
    }
#endif
