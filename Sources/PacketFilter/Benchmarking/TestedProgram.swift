#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import ExtendedBPF
    import SystemPackage

    /// A program that the kernel runs on a packet as often as it is asked to, without any network.
    ///
    /// What the kernel does for each run besides is in the time; an empty program shows how much that is.
    package struct TestedProgram {
        private let hook: Hook
        private let request: LoadRequest
        /// The program's tables.
        private let tables: MadeMaps
        /// What it returns for packets that match, and for others.
        private let answers: (match: UInt32, other: UInt32)

        /// A program that does not refer to members of structures any more (``CompiledProgram/resolved()``).
        ///
        /// - Throws: What ``CompiledProgram/load(named:license:log:)`` throws for a hook that is none of this kernel's.
        package init(
            _ program: ExtendedProgram, at hook: Hook, match: UInt32 = 1, other: UInt32 = 0,
            maps: [String: FileDescriptor] = [:]
        ) throws {
            var request = LoadRequest(program, type: hook.programType)
            try request.prepare(for: hook)
            request.maps = maps
            tables = try MadeMaps(of: program, except: maps, program.dataSections)
            request.data = tables.places
            self.request = request
            self.hook = hook
            answers = (match, other)
        }

        /// Checks that the program answers as it should.
        ///
        /// - Throws: ``TimingGap`` where not, ``KernelError`` where the kernel has no test run for such programs or packets.
        package func check(_ frame: [UInt8], matches: Bool) throws {
            let result = try LoadedProgram(loading: request).run(on: frame, contextBytes: context(of: frame))
                .returnValue
            guard result == (matches ? answers.match : answers.other) else { throw TimingGap(.otherAnswer) }
        }

        /// The time of one of `runs` runs, in nanoseconds.
        ///
        /// Where a program lies in memory is luck. It is loaded anew each time, so that luck is part of the spread.
        package func time(_ frame: [UInt8], matches: Bool, runs: Int) throws -> Double {
            let program = try LoadedProgram(loading: request)
            let context = context(of: frame)
            // A few first, so that nothing is cold.
            _ = try program.run(on: frame, contextBytes: context, repeat: 1000)
            let start = processorTime()
            let result = try program.run(on: frame, contextBytes: context, repeat: runs).returnValue
            let taken = processorTime() - start
            guard result == (matches ? answers.match : answers.other) else { throw TimingGap(.otherAnswer) }
            return taken / Double(runs)
        }

        /// At netfilter a `struct nf_hook_state`: the place, the family (`NFPROTO_IPV4` or `NFPROTO_IPV6`), and what the
        /// kernel fills in.
        private func context(of frame: [UInt8]) -> [UInt8] {
            guard hook == .netfilter else { return [] }
            let family: UInt8 = frame.dropFirst(12).first == 0x86 ? 10 : 2
            return [0, family] + [UInt8](repeating: 0, count: 46)
        }
    }
#endif
