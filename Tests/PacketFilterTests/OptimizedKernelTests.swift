#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import PacketFilter
    import TestSupport
    import Testing

    /// The verifier takes every optimised program, and what it runs decides as the classic filter in its interpreter.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct OptimizedKernelTests {
        struct Case: CustomTestStringConvertible, Sendable {
            var target: Target
            var isa = InstructionSet.v3
            var count = 550

            var testDescription: String { "\(target.hook) \(target.result) \(isa)" }
        }

        /// 5,900 programs.
        static let cases: [Case] =
            [
                Case(target: .xdp(match: .drop)), Case(target: .xdpFrags(match: .drop), count: 900),
                Case(target: .tc(match: .shot)), Case(target: .tcxIngress(match: .drop)),
                Case(target: .cgroupIngress(match: .deny)), Case(target: .lwtIn(match: .drop)), Case(target: .socket),
                // The number of a filter that fails is not 0 here.
                Case(target: .xdp(match: .pass, noMatch: .aborted), count: 200),
                Case(target: .tc(match: .ok, noMatch: .shot), count: 300),
                Case(target: .cgroupIngress(match: .allow, noMatch: .deny), count: 200),
            ]
            + [InstructionSet.v1, .v2, .v4].flatMap { isa in
                [
                    Case(target: .xdpFrags(match: .drop), isa: isa, count: 150),
                    Case(target: .tc(match: .shot), isa: isa, count: 100),
                ]
            }

        @Test(arguments: cases) func randomFiltersDecideAsTheirInterpreter(_ test: Case) throws {
            var generator = SeededGenerator(for: test.testDescription)
            let maker = RandomProgram(allowing: test.target.hook.extensions.subtracting([.cpu, .rand]))
            try withNetworkNamespace {
                for number in 0..<test.count {
                    let filter = PacketFilter(maker.next(using: &generator))
                    let runs = (0..<6).compactMap { _ in run(test.target.hook, using: &generator) }
                    try compare("random filter \(number)", filter, test, runs)
                }
            }
        }

        @Test(arguments: cases) func theCorpusDecidesAsItsInterpreter(_ test: Case) throws {
            let runs = Frames.all.compactMap { HookRun(test.target.hook, $0.bytes) }
            #expect(runs.count > 60)
            try withNetworkNamespace {
                for expression in Corpus.expressions {
                    let filter = try PacketFilter(expression.text, linkType: LinkType(expression.linkType))
                    try compare(expression.name, filter, test, runs)
                }
                for (name, program) in Corpus.programs {
                    let changes = [.cpu, .rand].contains { ext in
                        (0..<program.count).contains { program.operation(at: $0) == .load(.extension(ext)) }
                    }
                    try compare(name, PacketFilter(program), test, changes ? [] : runs)
                }
            }
        }

        /// More is read from far apart places, early and late again, than the stack has room for.
        @Test(
            arguments: [Target.socket, .xdpFrags(match: .drop), .cgroupIngress(match: .deny)],
            [(24, 70, 56), (120, 3, 0)])
        func theStackSuffices(_ target: Target, _ reads: (count: UInt32, distance: UInt32, again: UInt32)) throws {
            var operations: [ClassicBPF.Operation] = [.load(.immediate(0)), .store(0)]
            for again in [0, reads.again] {
                for number in 0..<reads.count {
                    operations += [
                        .load(.absolute(.byte, 20 + number * reads.distance + again)), .transferAToX, .load(.memory(0)),
                        .arithmetic(again == 0 ? .add : .xor, .index), .arithmetic(.multiply, .constant(3)), .store(0),
                    ]
                }
            }
            let filter = try PacketFilter(ClassicProgram((operations + [.result(.a)]).map { ClassicInstruction($0) }))
            var generator = SeededGenerator()
            try withNetworkNamespace {
                let runs = [400, 1700, 1900, 3000].compactMap { HookRun(target.hook, generator.bytes($0)) }
                try compare("many reads", filter, Case(target: target), runs)
            }
        }

        private func run(_ hook: Hook, using generator: inout SeededGenerator) -> HookRun? {
            let frame = generator.chance(20) ? generator.pick(Frames.all).bytes : randomPacket(using: &generator)
            let linear =
                hook == .xdpFrags && generator.chance(60)
                ? min(3520, Int.random(in: 0...frame.count, using: &generator)) : nil
            return HookRun(hook, frame, linearLength: linear, mark: generator.interestingNumber())
        }

        private func compare(_ name: String, _ filter: PacketFilter, _ test: Case, _ runs: [HookRun]) throws {
            let program: CompiledProgram
            do {
                program = try filter.compile(for: test.target, options: CompilerOptions(isa: test.isa))
            } catch let error as CompilerError {
                switch error.reason {
                case .unavailableExtension, .needsKernel: break
                default: throw error
                }
                return
            }
            do {
                let loaded = try program.load()
                for run in runs {
                    let number = try ClassicMachine(byteOrder: .host).run(filter.classic, on: run.packet)
                    let expected: UInt32 =
                        switch test.target.result {
                        case .number: number
                        case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
                        }
                    let result = try run.result(of: loaded)
                    #expect(
                        result == expected,
                        "\(name) on \(run.frame), \(run.linearLength ?? -1) in the first buffer\n\(filter.listing)")
                }
            } catch let error as KernelError where !error.log.isEmpty {
                let verdict = error.log.split(separator: "\n").suffix(4).joined(separator: "\n")
                Issue.record("the verifier refuses \(name): \(verdict)\n\(filter.listing)\n\(program.listing)")
            }
        }
    }
#endif
