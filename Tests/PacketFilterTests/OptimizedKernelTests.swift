#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import ExtendedBPF
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// The verifier takes every optimised program, and what it runs decides as the classic filter in its interpreter.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct OptimizedKernelTests {
        struct Case: CustomTestStringConvertible, Sendable {
            var target: Target
            var count = 350

            /// Where the program runs; a function is called by one that returns what it does.
            var hook: Hook { if case .function(let hook) = target.hook { hook } else { target.hook } }
            var testDescription: String { "\(target.hook) \(target.result)" }
        }

        /// 5,650 programs.
        static let cases = [
            Case(target: .xdp(match: .drop), count: 450), Case(target: .xdpFrags(match: .drop), count: 900),
            Case(target: .tc(match: .shot), count: 450), Case(target: .tcxIngress(match: .drop)),
            Case(target: .tcxEgress(match: .pass, noMatch: .drop)), Case(target: .cgroupIngress(match: .deny)),
            Case(target: .cgroupEgress(match: .deny), count: 200), Case(target: .lwtIn(match: .drop)),
            Case(target: .lwtOut(match: .drop), count: 200), Case(target: .lwtXmit(match: .reroute), count: 200),
            Case(target: .socket, count: 700), Case(target: .function(.tc), count: 200),
            Case(target: .function(.xdpFrags), count: 250),
            // The number of a filter that fails is not 0 here.
            Case(target: .xdp(match: .pass, noMatch: .aborted), count: 200),
            Case(target: .tc(match: .ok, noMatch: .shot), count: 300),
            Case(target: .cgroupIngress(match: .allow, noMatch: .deny), count: 200),
        ]

        private static let kernels: [KernelVersion?] =
            [nil]
            + Set([KernelVersion(6, 9), KernelVersion(6, 17), .running!]).filter { $0 <= .running! }.sorted()

        /// How a program is made, by chance.
        private func options(using generator: inout SeededGenerator) -> CompilerOptions {
            var options = CompilerOptions(
                isa: generator.pick(InstructionSet.allCases), kernel: generator.pick(Self.kernels))
            if generator.chance(50) {
                let share = generator.pick([10, 50, 90])
                options.passes = options.passes.filter { _ in generator.chance(share) }
            }
            return options
        }

        @Test(arguments: cases) func randomFiltersDecideAsTheirInterpreter(_ test: Case) throws {
            var generator = SeededGenerator(for: test.testDescription)
            let extensions = test.hook.extensions.subtracting([.cpu, .rand])
            // Kernels before 6.2 do not tell programs of the device's type.
            let later = test.hook.context == .socketBuffer ? extensions.union([.hatype]) : extensions
            var compiled = 0
            try withNetworkNamespace {
                for number in 0..<test.count {
                    let options = options(using: &generator)
                    let maker = RandomProgram(allowing: options.kernel == nil ? extensions : later)
                    let filter = PacketFilter(maker.next(using: &generator))
                    let runs = (0..<6).compactMap { _ in run(test.hook, using: &generator) }
                    if try compare("random filter \(number)", filter, test, options, runs) { compiled += 1 }
                }
            }
            #expect(compiled * 10 > test.count * 9)
        }

        @Test(arguments: cases) func theCorpusDecidesAsItsInterpreter(_ test: Case) throws {
            var generator = SeededGenerator(for: test.testDescription)
            let runs = Frames.all.compactMap { HookRun(test.hook, $0.bytes) }
            #expect(runs.count > 60)
            try withNetworkNamespace {
                for expression in Corpus.expressions {
                    let filter = try PacketFilter(expression.text, linkType: LinkType(expression.linkType))
                    #expect(try compare(expression.name, filter, test, options(using: &generator), runs))
                }
                for (name, program) in Corpus.programs {
                    let changes = [.cpu, .rand].contains { ext in
                        (0..<program.count).contains { program.operation(at: $0) == .load(.extension(ext)) }
                    }
                    _ = try compare(
                        name, PacketFilter(program), test, options(using: &generator), changes ? [] : runs)
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
                let isCompiled = try compare(
                    "many reads", filter, Case(target: target), options(using: &generator), runs)
                #expect(isCompiled)
            }
        }

        private func run(_ hook: Hook, using generator: inout SeededGenerator) -> HookRun? {
            let frame = generator.chance(20) ? generator.pick(Frames.all).bytes : randomPacket(using: &generator)
            let linear =
                hook == .xdpFrags && generator.chance(60)
                ? min(3520, Int.random(in: 0...frame.count, using: &generator)) : nil
            return HookRun(hook, frame, linearLength: linear, mark: generator.interestingNumber())
        }

        /// Compares the program with the filter in `runs`, and returns whether there is one.
        private func compare(
            _ name: String, _ filter: PacketFilter, _ test: Case, _ options: CompilerOptions, _ runs: [HookRun]
        ) throws -> Bool {
            let program: CompiledProgram
            do {
                program = try filter.compile(for: test.target, options: options)
            } catch let error as CompilerError {
                switch error.reason {
                case .unavailableExtension, .needsKernel: break
                default: throw error
                }
                return false
            }
            /// What a failure is about.
            func subject() -> String {
                "\(name), --cpu \(options.isa) --kernel \(options.kernel.map { "\($0)" } ?? "default") "
                    + "--passes '\(options.passes.joined(separator: ","))'\n\(filter.listing)"
            }
            do {
                let loaded = try program.calledIfFunction.load()
                for run in runs {
                    let number = try ClassicMachine(byteOrder: .host).run(filter.classic, on: run.packet)
                    let expected: UInt32 =
                        switch test.target.result {
                        case .number: number
                        case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
                        }
                    let result = try run.result(of: loaded)
                    if result != expected {
                        Issue.record(
                            """
                            \(result) instead of \(expected) on \(run.frame), \(run.linearLength ?? -1) in the first \
                            buffer: \(subject())
                            """)
                    }
                }
            } catch let error as KernelError where !error.log.isEmpty {
                let verdict = error.log.split(separator: "\n").suffix(4).joined(separator: "\n")
                Issue.record("the verifier refuses \(subject()): \(verdict)\n\(program.listing)")
            }
            return true
        }
    }

    extension CompiledProgram {
        /// The program itself, or one for the function's hook that returns what the function does.
        fileprivate var calledIfFunction: CompiledProgram {
            guard case .function(let hook) = target.hook else { return self }
            let entry = Function(
                name: "caller", instructions: [.call(localAt: 0), .exit],
                references: [0: .function(program.entry.name)], lines: [LineMark(instruction: 0, line: 1)])
            var called = program
            called.functions.insert(entry, at: 0)
            return CompiledProgram(
                filter: filter, target: Target(hook: hook, result: target.result), program: called,
                byteOrder: byteOrder)
        }
    }
#endif
