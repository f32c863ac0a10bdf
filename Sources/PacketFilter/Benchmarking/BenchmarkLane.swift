#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import ExtendedBPF

    /// A program at a hook that takes its turns, and the times so far.
    struct BenchmarkLane {
        private let hook: Hook
        private let program: BenchmarkRow.Program
        private let instructions: Int?
        private let way: Result<Way, TimingGap>
        private var match: Side
        private var other: Side

        /// A packet and the times for it, or why there are none.
        private struct Side {
            var matches: Bool
            var packet: Result<BenchmarkPacket, TimingGap>
            var samples: [Double] = []

            var times: Result<TimeDistribution, TimingGap> { packet.map { _ in TimeDistribution(samples) } }
        }

        /// The programs of `filter` at `hook`, from the kernel's own to the empty one.
        ///
        /// - Throws: `Errno` where there are no sockets to be had.
        static func lanes(
            for filter: Result<PacketFilter, TimingGap>, at hook: Hook, on packets: BenchmarkPair
        ) throws -> [BenchmarkLane] {
            let pairs = hook == .socket ? (try DatagramPair(), try DatagramPair()) : nil
            let lane = { (program: BenchmarkRow.Program, make: (PacketFilter) throws -> (Int, SocketProgram.Form)) in
                let form = filter.flatMap { filter in Result { try make(filter) }.mapError { gap($0, at: hook) } }
                return BenchmarkLane(program, form.map(\.1), size: try? form.get().0, at: hook, on: packets, pairs)
            }
            var lanes: [BenchmarkLane] = []
            if hook == .socket { lanes.append(lane(.classic) { ($0.classic.count, .classic($0.classic)) }) }
            // There is no translation for hooks without the kernel's own packet loads.
            if hook.hasPacketLoads {
                lanes.append(lane(.mirror) { try extended($0, at: hook, CompilerOptions(level: .mirror)) })
            }
            lanes.append(lane(.optimized) { try extended($0, at: hook, CompilerOptions(kernel: .running)) })
            let empty = ExtendedBPF.Program(
                functions: [Function(name: "empty", instructions: [.move32(.r0, 1), .exit])])
            lanes.append(
                BenchmarkLane(.empty, .success(.extended(empty)), size: 2, at: hook, on: packets, pairs))
            return lanes
        }

        private static func extended(
            _ filter: PacketFilter, at hook: Hook, _ options: CompilerOptions
        ) throws -> (Int, SocketProgram.Form) {
            let target =
                Target(hook: hook).flatMap { $0.result == .number ? $0 : nil }
                ?? Target(hook: hook, match: Verdict(value: 1), noMatch: Verdict(value: 0))
            let program = try filter.compile(for: target, options: options)
            return (program.program.linked().slotCount, .extended(try program.resolved()))
        }

        private init(
            _ program: BenchmarkRow.Program, _ form: Result<SocketProgram.Form, TimingGap>, size: Int?, at hook: Hook,
            on packets: BenchmarkPair, _ pairs: (DatagramPair, DatagramPair)?
        ) {
            self.hook = hook
            self.program = program
            instructions = size
            way = form.flatMap { form in Result { try Way(form, at: hook, pairs) }.mapError { Self.gap($0, at: hook) } }
            match = Side(matches: true, packet: packets[matching: true])
            other = Side(matches: false, packet: packets[matching: false])
            match.packet = match.packet.flatMap { check($0, matches: true) }
            other.packet = other.packet.flatMap { check($0, matches: false) }
        }

        /// The packet, if the program can be timed on it.
        private func check(_ packet: BenchmarkPacket, matches: Bool) -> Result<BenchmarkPacket, TimingGap> {
            way.flatMap { way in
                Result {
                    try way.check(packet.bytes, matches: program == .empty ? true : matches)
                    return packet
                }.mapError { Self.gap($0, at: hook) }
            }
        }

        private static func gap(_ error: any Error, at hook: Hook) -> TimingGap {
            (error as? KernelError).map { TimingGap($0, at: hook) } ?? .noProgram(error)
        }

        /// Takes a sample for each packet.
        mutating func sample(runs: Int) throws {
            guard case .success(let way) = way else { return }
            if case .success(let packet) = match.packet {
                match.samples.append(try way.time(packet.bytes, matches: true, runs: runs))
            }
            if case .success(let packet) = other.packet {
                other.samples.append(try way.time(packet.bytes, matches: program == .empty, runs: runs))
            }
        }

        /// The times.
        var row: BenchmarkRow {
            var copies: Int?
            if case .success(.socket(let program)) = way { copies = program.copies.many }
            return BenchmarkRow(
                hook: hook, program: program, instructions: instructions, copies: copies, match: match.times,
                other: other.times)
        }
    }

    /// How a program is run.
    private enum Way {
        case socket(SocketProgram)
        case tested(TestedProgram)

        init(_ form: SocketProgram.Form, at hook: Hook, _ pairs: (DatagramPair, DatagramPair)?) throws {
            if let pairs {
                self = .socket(try SocketProgram(form, on: pairs))
            } else if case .extended(let program) = form {
                self = .tested(try TestedProgram(program, at: hook))
            } else {
                preconditionFailure("classic filters go on sockets")
            }
        }

        func check(_ frame: [UInt8], matches: Bool) throws {
            switch self {
            case .socket(let program): try program.check(frame, matches: matches)
            case .tested(let program): try program.check(frame, matches: matches)
            }
        }

        func time(_ frame: [UInt8], matches: Bool, runs: Int) throws -> Double {
            switch self {
            case .socket(let program): try program.time(frame)
            case .tested(let program): try program.time(frame, matches: matches, runs: runs)
            }
        }
    }
#endif
