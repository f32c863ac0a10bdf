#if os(Linux)
    import BPFAssembly
    import BPFCompiler
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// The verifier takes every program we make, and what it runs decides as the classic filter in its interpreter.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct LoadingTests {
        /// The classifier with both ways to give verdicts: in place, and by an entry that calls the filter.
        private static let classifiers: [Target] = [.tc(match: .shot), .tc(match: .ok, noMatch: .shot)]

        /// Each target with both ways to compile for it.
        private static func forms(_ targets: [Target]) -> [(Target, OptimizationLevel)] {
            targets.flatMap { [($0, .mirror), ($0, .optimized)] }
        }

        @Test func everyFilterOfTheCorpusLoadsOnEveryHook() throws {
            for (name, filter) in try Self.corpus() {
                for (target, level) in Self.forms([.socket] + Self.classifiers) {
                    let program = try filter.compile(for: target, options: CompilerOptions(level: level))
                    let loaded = try program.load(named: "corpus_\(target.hook)")
                    #expect(try loaded.information().name == "corpus_\(target.hook)", "\(name)")
                }
            }
        }

        @Test func everyFilterOfTheCorpusDecidesAsItsInterpreter() throws {
            try compareRuns(of: Self.corpus(), everyFrame: true)
        }

        @Test func randomFiltersDecideAsTheirInterpreter() throws {
            var generator = SeededGenerator()
            let maker = RandomProgram(allowing: Self.steadyExtensions)
            try compareRuns(
                of: (0..<500).map { ("random filter \($0)", PacketFilter(maker.next(using: &generator))) },
                everyFrame: false)
        }

        /// Each extension by itself against values near the ones it has, so that a wrong idea of what test runs set is
        /// found by every run and not only by the random filter that happens to ask.
        @Test func everyExtensionHasTheValueItsInterpreterGives() throws {
            let asked: [UInt32] = [0, 1, 2, 3, 4, 0x0800, 0x0806, 0x86dd, 772, .max]
            let filters = try Self.steadyExtensions.sorted { "\($0)" < "\($1)" }.flatMap { ext in
                try asked.map { value in
                    let program = try ClassicBPF.Program([
                        .init(.load(.extension(ext))), .init(.branch(.equal, .constant(value), jt: 0, jf: 1)),
                        .init(.result(.constant(1))), .init(.result(.constant(0))),
                    ])
                    return ("\(ext) == \(value)", PacketFilter(program))
                }
            }
            try compareRuns(of: filters, everyFrame: true)
        }

        /// The listing is the verifier's own, which writes every instruction it looks at into its log.
        @Test func listingsReadAsTheVerifiersLog() throws {
            for (name, filter) in try Self.corpus() {
                for level in [OptimizationLevel.mirror, .optimized] {
                    let program = try filter.compile(for: .socket, options: CompilerOptions(level: level))
                    let log = try program.load(log: .states).log
                    let ours = Dictionary(
                        uniqueKeysWithValues: program.listing.split(separator: "\n").compactMap(Self.slot))
                    let theirs = log.split(separator: "\n").compactMap(Self.slot)
                    #expect(!theirs.isEmpty)
                    for (slot, text) in theirs {
                        let theirs = text.prefix { $0 != ";" }.trimmed
                        let ours = try #require(ours[slot]?.trimmed, "\(name)")
                        if let table = ours.firstRange(of: "filter_set") {
                            // By then it has an address.
                            #expect(theirs.hasPrefix(ours[..<table.lowerBound] + "0x"), "\(name)")
                        } else {
                            #expect(theirs == ours, "\(name)")
                        }
                    }
                }
            }
        }

        /// Where the verifier refuses, its whole log is in the error, with our source lines in it.
        @Test func aRefusalCarriesTheWholeLog() throws {
            var program = try PacketFilter("ip").compile(for: .socket, options: CompilerOptions(level: .mirror))
            program = CompiledProgram(program, replacingLast: .move64(.r0, .r9))
            let error = try #require(throws: KernelError.self) { _ = try program.load() }
            #expect(error.log.contains("R9 !read_ok"))
            #expect(error.log.contains("; (003) ret      #0"))
            #expect(error.log.contains("processed "))
        }

        // MARK: Running

        private static let steadyExtensions = Set(ClassicBPF.Extension.allCases)
            .subtracting([.hatype, .nla, .nlan, .poff, .cpu, .rand])

        /// The filters that a loadable program can be made of and that answer the same at every run.
        private static func corpus() throws -> [(name: String, filter: PacketFilter)] {
            let expressions = try Corpus.expressions.map {
                ($0.name, try PacketFilter($0.text, linkType: LinkType($0.linkType)))
            }
            let programs = Corpus.programs.map { ($0.name, PacketFilter($0.program)) }
            return (expressions + programs).filter { _, filter in
                filter.classic.instructions.allSatisfy { instruction in
                    guard case .load(.extension(let ext)) = instruction.operation else { return true }
                    return steadyExtensions.contains(ext)
                }
            }
        }

        private func compareRuns(of filters: [(name: String, filter: PacketFilter)], everyFrame: Bool) throws {
            let frames = Frames.all.filter { Self.isTakenByTestRuns($0.bytes) }
            #expect(frames.count > 60)
            // A namespace of its own has one interface, the loopback one, which test runs take for the packet's.
            try withNetworkNamespace {
                for (number, (name, filter)) in filters.enumerated() {
                    let chosen = everyFrame ? frames[...] : frames.suffix(from: number % 8).prefix(20)
                    for (target, level) in Self.forms(Self.classifiers) {
                        let program = try filter.compile(for: target, options: CompilerOptions(level: level))
                        let loaded = try program.load()
                        for frame in chosen {
                            let packet = Self.packet(frame.bytes)
                            let result = try loaded.run(on: frame.bytes).returnValue
                            let what = Comment(rawValue: "\(name) on \(frame.name), \(target.hook)")
                            #expect(result == Self.verdict(try filter.run(on: packet), target), what)
                            #expect(result == (try program.run(on: packet)), what)
                        }
                    }
                }
            }
        }

        private static func verdict(_ number: UInt32, _ target: Target) -> UInt32? {
            guard case .verdict(let match, let noMatch) = target.result else { return nil }
            return number == 0 ? noMatch.value : match.value
        }

        /// Test runs want a whole IP header, and one page at most.
        private static func isTakenByTestRuns(_ frame: [UInt8]) -> Bool {
            let smallest = frame[12...].starts(with: [8, 0]) ? 34 : frame[12...].starts(with: [0x86, 0xdd]) ? 54 : 14
            return (smallest...3712).contains(frame.count)
        }

        /// The packet as a test run on the loopback interface makes it of a frame.
        private static func packet(_ frame: [UInt8]) -> Packet {
            var packet = Packet(ethernet: frame)
            packet.metadata.interface = .init(index: 1, hardwareType: 772)
            // The interface's own address and its broadcast address are 0, so that ff:ff:ff:ff:ff:ff is a group there.
            let isOwn = frame[..<6].allSatisfy { $0 == 0 }
            packet.metadata.packetType = isOwn ? 0 : frame[0] & 1 == 1 ? 2 : 3
            return packet
        }

        // MARK: Reading listings

        private static func slot(_ line: Substring) -> (Int, String)? {
            guard let match = line.firstMatch(of: /^ *(\d+): (\([0-9a-f]{2}\) .*)$/), let slot = Int(match.1) else {
                return nil
            }
            return (slot, String(match.2))
        }
    }

    extension StringProtocol {
        fileprivate var trimmed: String { String(reversed().drop { $0 == " " }.reversed()) }
    }

    extension CompiledProgram {
        /// `program` with its last but one instruction replaced.
        fileprivate init(_ program: CompiledProgram, replacingLast instruction: ExtendedInstruction) {
            var copy = program.program
            let index = copy.functions[0].instructions.count - 2
            copy.functions[0].instructions[index] = instruction
            self.init(filter: program.filter, target: program.target, program: copy)
        }
    }
#endif
