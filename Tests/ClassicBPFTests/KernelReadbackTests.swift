#if os(Linux)
    import ClassicBPF
    import TestSupport
    import Testing

    /// The readback tool answers for every program, in order.
    @Suite struct KernelReadbackTests {
        @Test("the kernel converts every valid program", .enabled(if: Requirement.root.allowsRunning, "needs root"))
        func random() throws {
            var generator = SeededGenerator()
            let source = RandomProgram()
            let programs = (0..<2_000).map { _ in source.next(using: &generator) }
            let clock = ContinuousClock()
            var results: [KernelReadbackResult] = []
            let time = try clock.measure { results = try readBack(programs) }
            print("read back \(programs.count) programs in \(time)")
            #expect(results.count == programs.count)
            for (program, result) in zip(programs, results) {
                #expect(result.attachError == 0, "\(program.instructions)")
                // Three instructions of prologue; only a ret of A becomes a single one.
                #expect((result.instructions?.count ?? 0) >= 3 + program.count, "\(program.instructions)")
            }
        }

        @Test(
            "each answer belongs to its program, and names what its numbers stand for",
            .enabled(if: Requirement.root.allowsRunning, "needs root"))
        func order() throws {
            let programs =
                try (0..<5).map { try Program([Instruction(.result(.constant($0)))]) }
                + [Program([Instruction(.load(.length)), Instruction(.result(.a))])]
            let results = try readBack(programs)
            for (k, result) in results.prefix(5).enumerated() {
                // w0 = k, then exit, after the prologue.
                let slots = try #require(result.instructions)
                #expect(
                    slots[3...].flatMap { $0.bytes(.big) } == [
                        0xb4, 0, 0, 0, 0, 0, 0, UInt8(k), 0x95, 0, 0, 0, 0, 0, 0, 0,
                    ])
            }
            #expect(results.last?.names == [3: "sk_buff.len"])
            #expect(try readBack([]).isEmpty)
        }
    }
#endif
