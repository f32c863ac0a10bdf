#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import ExtendedBPF
    import Pcap

    /// Measures what a packet costs by the programs of a filter on this machine.
    ///
    ///     let report = try FilterBenchmark(PacketFilter("tcp port 80"), at: [.socket, .xdp]).measure()
    ///     for row in report.rows { print(row.hook, row.program, try row.match.get().median) }
    ///
    /// On a socket the classic filter, as the kernel itself converts it, is measured beside the programs of this
    /// package: each is there many times in one, and the time of a run is the slope over the number of copies, so that
    /// the send that a run is for cancels. At other hooks the kernel runs a program on a packet as often as it is asked
    /// to (`BPF_PROG_TEST_RUN`), and the time has what it does around each run in it, which the empty program shows.
    ///
    /// No interface is touched, nothing is pinned, and all is gone when ``measure(rounds:)`` returns.
    public struct FilterBenchmark: Sendable {
        /// The filter, as for Ethernet or bytecode.
        public var filter: PacketFilter
        /// The hooks, in the order of the report.
        public var hooks: [Hook]
        /// Where the packets come from.
        public var packets: BenchmarkPackets

        /// What is measured unless it is said otherwise.
        public static let usualHooks: [Hook] = [.socket, .tc, .xdp]
        /// How many samples are taken unless it is said otherwise.
        public static let usualRounds = 15
        /// How often a packet goes through a program for a sample.
        private static let runs = 100_000

        /// Prepares a measurement.
        public init(
            _ filter: PacketFilter, at hooks: [Hook] = FilterBenchmark.usualHooks, packets: BenchmarkPackets = .samples
        ) {
            self.filter = filter
            self.hooks = hooks
            self.packets = packets
        }

        /// Whether the kernel runs programs for `hook` when it is asked to, or on a socket.
        public static func canMeasure(at hook: Hook) -> Bool { hook.context != .tracing && !hook.isFunction }

        /// Measures.
        ///
        /// The programs take turns, so that what the machine does besides is there for all.
        /// - Parameter rounds: How many samples to take, at least 1.
        /// - Throws: What reading a capture throws, and a run that fails after it was tried. Where a program or a packet
        ///   is none for a hook, the row says why.
        public func measure(rounds: Int = usualRounds) throws -> BenchmarkReport {
            precondition(rounds > 0, "a median is of something")
            var pairs: [(layer: Hook.LinkLayer, packets: BenchmarkPair)] = []
            var lanes: [BenchmarkLane] = []
            for hook in hooks {
                let layer = hook.linkLayer
                let suited = Result { try filter.beginning(with: layer) }.mapError(TimingGap.noProgram)
                if !pairs.contains(where: { $0.layer == layer }) {
                    pairs.append((layer, try packets.pair(for: (try? suited.get()) ?? filter, layer)))
                }
                let pair = pairs.first { $0.layer == layer }!.packets
                lanes += try BenchmarkLane.lanes(for: suited, at: hook, on: pair)
            }
            for _ in 0..<rounds {
                for index in lanes.indices { try lanes[index].sample(runs: Self.runs) }
            }
            return BenchmarkReport(
                filter: filter, machine: .running, rounds: rounds, packets: pairs.map(\.packets),
                rows: lanes.map(\.row))
        }
    }

    extension PacketFilter {
        /// The filter for packets that begin with an Ethernet or an IP header; bytecode as it is.
        fileprivate func beginning(with layer: Hook.LinkLayer) throws -> PacketFilter {
            guard let compiler, let expression else { return self }
            let wanted: LinkType = layer == .ethernet ? .ethernet : .rawIP
            if linkType == wanted { return self }
            return try PacketFilter(
                expression, linkType: wanted, snapshotLength: compiler.snapshotLength, netmask: compiler.netmask,
                optimized: compiler.optimizes)
        }
    }

    extension TimingGap {
        /// What stands for an error that leaves a hook without a program.
        static func noProgram(_ error: any Error) -> TimingGap {
            (error as? TimingGap) ?? TimingGap(.noProgram("\(error)"))
        }
    }
#endif
