#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import Testing
    import TestSupport

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct TestRunTests {
        private let frame = Frames.named("tcp to 443").bytes

        @Test(arguments: [UInt32(0), 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])
        func givesAllBitsOfTheResult(_ value: UInt32) throws {
            #expect(try load(returning(value)).run(on: frame).returnValue == value)
        }

        /// On tc a program sees the frame, on a socket in a test run what is behind the Ethernet header.
        @Test(arguments: [(ProgramType.schedCls, 0), (.socketFilter, 14)])
        func loadsBytesOfThePacket(_ type: ProgramType, _ start: Int) throws {
            for offset in [0, 1, 9, 20, 22] {
                let at = start + offset
                let byte = try load(loading(.byte, at: UInt32(offset)), as: type).run(on: frame)
                #expect(byte.returnValue == UInt32(frame[at]))
                let half = try load(loading(.halfword, at: UInt32(offset)), as: type).run(on: frame)
                #expect(half.returnValue == UInt32(frame[at]) << 8 | UInt32(frame[at + 1]))
            }
            let last = frame.count - start - 1
            #expect(
                try load(loading(.byte, at: UInt32(last)), as: type).run(on: frame).returnValue == UInt32(frame.last!))
            let behind = try load(
                program([.move64(.r6, .r1), .loadPacket(.halfword, at: UInt32(last)), .move32(.r0, 1), .exit]), as: type
            )
            #expect(try behind.run(on: frame).returnValue == 0)
        }

        @Test func passesTheContextInAndOut() throws {
            // __sk_buff.mark, at 8, is read, added to the priority, at 32, and written.
            let adding = try load(
                program([
                    .load(.word, .r0, .r1, 8), .load(.word, .r2, .r1, 32), .alu32(.add, .r0, .r2),
                    .store(.word, .r1, 8, .r0), .exit,
                ]), as: .schedCls)
            let result = try adding.run(on: frame, context: SKBContext(mark: 40, priority: 2))
            #expect(result.returnValue == 42)
            #expect(result.context.withUnsafeBytes { $0.load(fromByteOffset: 8, as: UInt32.self) } == 42)
            #expect(result.packet == frame)
        }

        @Test func runsOften() throws {
            // The duration is an average; a run of ours takes more than nothing and less than a tenth of a millisecond.
            let result = try load(loading(.byte, at: 23), as: .schedCls).run(on: frame, repeat: 100_000)
            #expect(result.returnValue == 6)
            #expect((1..<100_000).contains(result.duration))
        }

        @Test func runsXDPPrograms() throws {
            // Cuts one byte off the end: bpf_xdp_adjust_tail is helper 65.
            let cutting = try load(program([.move64(.r2, -1), .call(helper: 65), .move64(.r0, 2), .exit]), as: .xdp)
            let result = try cutting.run(on: frame)
            #expect(result.returnValue == 2)
            #expect(result.packet == frame.dropLast())
        }

        @Test func refusesWhatTheKernelRefuses() throws {
            let loaded = try load(returning(1))
            #expect(throws: KernelError(.refused(.invalidArgument), in: .testRun)) {
                try loaded.run(on: Array(frame.prefix(13)))
            }
            #expect(throws: KernelError(.tooLarge(-1, limit: 0x7fff_ffff), in: .testRun)) {
                try loaded.run(on: frame, repeat: -1)
            }
            let untestable = try load(returning(0), as: .kprobe)
            #expect(throws: KernelError.self) { try untestable.run(on: frame) }
        }
    }
#endif
