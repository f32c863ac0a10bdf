#if os(Linux)
    import CPcap
    import ClassicBPF
    import ExtendedBPF
    import Foundation
    import PacketFilter
    import TestSupport
    import Testing

    /// Filters that are there many times in one program decide as they do alone, by libpcap; what is measured of them is
    /// what others measure too.
    struct BenchmarkTests {
        private static func code(_ program: ClassicBPF.Program) -> [bpf_insn] {
            program.instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
        }

        private static func libpcap(_ code: [bpf_insn], _ frame: [UInt8]) -> UInt32 {
            bpf_filter(code, frame, UInt32(frame.count), UInt32(frame.count))
        }

        /// Whether the second copy and later ones find what the first one does; returns whether there is room for them.
        private func checkCopies(_ program: ClassicBPF.Program, on packets: [[UInt8]]) throws -> Bool {
            let copies = min(3, program.mostCopies)
            guard copies > 1 else { return false }
            let alone = Self.code(program)
            let many = Self.code(try program.unrolled(copies, answer: nil))
            let ending = Self.code(try program.unrolled(copies, answer: 77))
            for packet in packets {
                let one = Self.libpcap(alone, packet)
                #expect(Self.libpcap(many, packet) == one, "\(program.instructions) on \(packet)")
                // 0 where a load outside the packet or a division by 0 ends it.
                #expect(Self.libpcap(ending, packet) == 77 || one == 0)
            }
            return true
        }

        @Test func copiesOfClassicProgramsDecideAsOne() throws {
            let frames = Frames.all.map(\.bytes)
            let compared = try Corpus.programs.count { try checkCopies($0.program, on: frames) }
            #expect(compared > Corpus.programs.count / 2)
            var generator = SeededGenerator()
            let programs = RandomProgram(usualCount: 12, maximumCount: 40)
            for _ in 0..<200 {
                let packets = (0..<4).map { _ in randomPacket(using: &generator) }
                let isCompared = try checkCopies(programs.next(using: &generator), on: packets)
                #expect(isCompared, "40 instructions have room for copies")
            }
        }

        /// A and X are put back to 0 where the filter asks for them, and only there.
        @Test func registersStartAgain() throws {
            let filter = try PacketFilter("tcp port 80").classic
            #expect(filter.unrolledSize == filter.count)
            let counting = try ClassicBPF.Program([
                .init(code: 0x04, k: 1), .init(code: 0x07), .init(code: 0x0c), .init(code: 0x16),
            ])
            #expect(counting.unrolledSize == counting.count + 1)
            #expect(Self.libpcap(Self.code(counting), []) == 2)
            #expect(Self.libpcap(Self.code(try counting.unrolled(5, answer: nil)), []) == 2)
        }

        /// The classic filter, the translation and the optimised program on a socket of the kernel's.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
        func copiesDecideAsOneOnASocket() throws {
            let pair = try DatagramPair()
            let pairs = (pair, try DatagramPair())
            let expressions = Corpus.expressions.filter { $0.linkType == "EN10MB" }
            var (count, matches) = (0, 0)
            for (index, expression) in expressions.enumerated() where index % 4 == 0 {
                let filter = try PacketFilter(expression.text)
                guard filter.classic.count < 100 else { continue }
                let alone = Self.code(filter.classic)
                let forms: [SocketProgram.Form] = [
                    .classic(filter.classic),
                    .extended(
                        try filter.compile(for: .socket, options: CompilerOptions(level: .mirror)).resolved()),
                    .extended(
                        try filter.compile(for: .socket, options: CompilerOptions(kernel: .running)).resolved()),
                ]
                for form in forms {
                    try SocketProgram(form, on: pairs).attach(copies: 5, answer: nil)
                    for frame in Frames.all {
                        let isMatch = Self.libpcap(alone, frame.bytes) != 0
                        #expect(try pair.passes(frame.bytes) == isMatch, "\(expression) on \(frame)")
                        count += 1
                        matches += isMatch ? 1 : 0
                    }
                }
            }
            #expect(count > 3000 && matches > 300)
        }

        /// Where all registers are in use the context is on the stack, and where that is too, there are no copies.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root")) func theContextHasAPlace() throws {
            func program(storingAt offset: Int16) -> ExtendedBPF.Program {
                let registers = [Register.r6, .r7, .r8, .r9].map { Instruction.move64($0, .r1) }
                let length = Instruction.load(.word, .r0, .r9, 0)
                return ExtendedBPF.Program(functions: [
                    Function(
                        name: "full",
                        instructions: registers + [
                            .store(.doubleword, .r10, offset, .r6), .load(.doubleword, .r1, .r10, offset), length,
                            .exit,
                        ])
                ])
            }
            #expect(program(storingAt: -512).unrolled(2, answer: 1) == nil)
            let pair = try DatagramPair()
            let pairs = (pair, try DatagramPair())
            try SocketProgram(.extended(program(storingAt: -504)), on: pairs).check([1, 2, 3], matches: true)
        }

        @Test(
            .enabled(if: Requirement.root.allowsRunning, "needs root"),
            arguments: [
                "tcp port 8080 and host 10.9.8.7", "vlan 7", "arp", "len > 1000", "portrange 100-200",
                "ip6 and udp dst port 5353", "tcp[tcpflags] & tcp-fin != 0", "icmp[0] = 3 and icmp[1] = 1",
                "ether host 00:11:22:33:44:55", "net 172.16.0.0/12", "ip proto 47",
            ])
        func packetsAreFoundThatLibpcapDecidesSo(expression: String) throws {
            let filter = try PacketFilter(expression)
            let report = try FilterBenchmark(filter, at: [.socket]).measure(rounds: 1)
            let packets = try #require(report.packets.first)
            #expect(Self.libpcap(Self.code(filter.classic), try #require(packets.match).bytes) != 0)
            #expect(Self.libpcap(Self.code(filter.classic), try #require(packets.other).bytes) == 0)
            #expect(report.gaps.isEmpty, "\(report.gaps.map(\.gap))")
            #expect(report.rows.map(\.program) == [.classic, .mirror, .optimized, .empty])
        }

        /// bpftool runs the same program on the same packet; the two may well differ by what else the machine does.
        @Test(
            .enabled(
                if: Requirement.root.allowsRunning && Requirement.tool("bpftool").allowsRunning,
                "needs root and bpftool"))
        func timesAreThoseOfBpftool() throws {
            let filter = try PacketFilter("tcp port 80 and len > 10")
            let report = try FilterBenchmark(filter, at: [.xdp]).measure(rounds: 3)
            let row = try #require(report.rows.first { $0.program == .optimized })
            let folder = try TemporaryFolder()
            try folder.file("frame", containing: try #require(report.packets[0].other).bytes)
            try filter.compile(for: .xdp(match: .drop), options: CompilerOptions(kernel: .running)).object()
                .write(to: .init(folder.path("filter.o")))
            let script = """
                mount -t bpf bpf /sys/fs/bpf
                bpftool prog load "$0" /sys/fs/bpf/filter type xdp
                for round in 1 2 3; do bpftool prog run pinned /sys/fs/bpf/filter data_in "$1" repeat 100000; done
                """
            let ran = try run("unshare", ["-m", "sh", "-ec", script, folder.path("filter.o"), folder.path("frame")])
            try #require(ran.status == 0, "\(ran.errors)")
            let durations = ran.text.matches(of: /duration \(average\): ([0-9]+)ns/).compactMap { Double($0.output.1) }
            let duration = try #require(durations.sorted().dropFirst().first, "\(ran.text)")
            let ratio = try row.other.get().median / duration
            #expect((1 / 5.0...5).contains(ratio), "\(ratio) of \(duration)")
        }
    }
#endif
