#if os(Linux)
    import BPFCompiler
    import ExtendedBPF
    import PacketFilter
    import TestSupport

    /// What filters cost a frame, counted together and each for itself.
    struct CountingTimes {
        static let rounds = 9
        static let copies = (few: 4, many: 16)
        private static let runs = 100_000
        /// How much more than the sum of the filters' own times counting may take.
        private static let aim = 1.3
        private static let frames = [
            "tcp syn to 80", "tcp to 443", "udp to 53", "icmp echo", "arp request", "ipv6 tcp syn to 80",
        ]

        /// A filter alone, and with others of its kind behind it.
        private struct Own {
            var alone, few, many: TestedProgram

            init(_ filter: PacketFilter, at hook: Hook) throws {
                let program = try filter.compile(
                    for: FilterPart.target(on: hook), options: CompilerOptions(kernel: .running)
                ).resolved()
                guard let few = program.unrolled(copies.few, answer: 1),
                    let many = program.unrolled(copies.many, answer: 1)
                else { preconditionFailure("the filters have room for copies") }
                alone = try TestedProgram(program, at: hook)
                self.few = try TestedProgram(few, at: hook)
                self.many = try TestedProgram(many, at: hook)
            }
        }

        /// A row of the table for each frame.
        static func lines(of expressions: [String], at hook: Hook) throws -> [String] {
            let filters = try expressions.map { CountedFilter($0, try PacketFilter($0)) }
            let maps = try CountingMaps(CountingLayout(filterCount: filters.count, histogram: nil))
            let counting = try CountingSource(filters, on: hook, histogram: nil, vlan: nil).timed(with: maps)
            let own = try filters.map { try Own($0.filter, at: hook) }
            let code = Function(name: "empty", instructions: [.move32(.r0, 1), .exit])
            let empty = try TestedProgram(ExtendedProgram(functions: [code]), at: hook)
            return try frames.map { name in
                let frame = Frames.named(name).bytes
                let matches = try filters.map { try $0.filter.run(on: Packet(ethernet: frame)) != 0 }
                var (counted, slopes, alone): ([Double], [Double], [Double]) = ([], [], [])
                for _ in 0..<rounds {
                    let least = try empty.time(frame, matches: true, runs: runs)
                    counted.append(try counting.time(frame, matches: true, runs: runs) - least)
                    alone.append(
                        try zip(own, matches).reduce(0) {
                            $0 + (try $1.0.alone.time(frame, matches: $1.1, runs: runs)) - least
                        })
                    slopes.append(
                        try own.reduce(0) {
                            let few = try $1.few.time(frame, matches: true, runs: runs)
                            let many = try $1.many.time(frame, matches: true, runs: runs)
                            return $0 + (many - few) / Double(copies.many - copies.few)
                        })
                }
                return line(hook, name, matches, [counted, slopes, alone].map(TimeDistribution.init))
            }
        }

        private static func line(
            _ hook: Hook, _ frame: String, _ matches: [Bool], _ times: [TimeDistribution]
        ) -> String {
            let ratio = times[0].median / times[1].median
            let texts = times.map { "\(rounded($0.median, 10)) ± \(rounded($0.spread, 10))" }
            let miss = ratio > aim ? "**over \(aim)**" : ""
            return
                "| \(hook) | \(frame) | \(matches.count { $0 }) | \(texts[0]) | \(texts[1]) | \(rounded(ratio, 100)) | "
                + "\(texts[2]) | \(miss) |"
        }

        private static func rounded(_ number: Double, _ parts: Double) -> Double { (number * parts).rounded() / parts }
    }
#endif
