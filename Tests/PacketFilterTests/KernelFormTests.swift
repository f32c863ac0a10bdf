#if os(Linux)
    import ClassicBPF
    import ExtendedBPF
    import PacketFilter
    import TestSupport
    import Testing

    /// The kernel dialect with this kernel's numbers in it, compared bit for bit with what the kernel has.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct KernelFormTests {
        private func compareWithKernel(_ filters: [(name: String, program: ClassicProgram)]) throws {
            let results = try readBack(filters.map(\.program))
            for (filter, result) in zip(filters, results) {
                let theirs = try #require(result.instructions, "the kernel refused \(filter.name)")
                let ours = try PacketFilter(filter.program).kernelForm().bytesOnThisKernel()
                #expect(ours == theirs.flatMap { $0.bytes(.host) }, "\(filter.name)")
            }
        }

        @Test func expressionsBecomeWhatTheKernelMakesOfThem() throws {
            try compareWithKernel(
                Corpus.expressions.map { ($0.name, try PacketFilter($0.text, linkType: LinkType($0.linkType)).classic) }
            )
        }

        @Test func programsBecomeWhatTheKernelMakesOfThem() throws {
            try compareWithKernel(Corpus.programs.map { ($0.name, $0.program) })
        }

        @Test func randomProgramsBecomeWhatTheKernelMakesOfThem() throws {
            var generator = SeededGenerator()
            let maker = RandomProgram()
            try compareWithKernel((0..<2_000).map { ("random program \($0)", maker.next(using: &generator)) })
        }

        /// A conversion whose jumps leave the range of 16 bits fails in the kernel too.
        @Test func whatTheKernelCannotConvertWeCannotEither() throws {
            func program(loads: Int) throws -> ClassicProgram {
                let load = ClassicInstruction(.load(.absolute(.word, 40_000)))
                return try ClassicProgram(
                    [ClassicInstruction(.jump(UInt32(loads)))] + Array(repeating: load, count: loads)
                        + [ClassicInstruction(.result(.a))])
            }
            // A load from beyond 32,767 is 16 instructions, so 2,047 are the last that a jump spans.
            let programs = try [2_047, 2_048].map(program)
            let theirs = try readBack(programs)
            #expect(theirs[0].attachError == 0)
            #expect(theirs[1].attachError != 0)
            let ours = try PacketFilter(programs[0]).kernelForm().bytesOnThisKernel()
            #expect(ours == theirs[0].instructions?.flatMap { $0.bytes(.host) })
            #expect(throws: CompilerError(.jumpTooFar(distance: 32_768), at: 0)) {
                try PacketFilter(programs[1]).kernelForm()
            }
        }
    }
#endif
