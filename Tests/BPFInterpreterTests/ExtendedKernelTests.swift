import BPFInterpreter
import ExtendedBPF
import TestSupport
import Testing

/// The extended machine against the running kernel's test runs.
@Suite(.enabled(if: KernelRunner.isAvailable, "needs root, to run eBPF programs, and gcc"))
struct ExtendedKernelTests {
    private let frame: [UInt8] =
        [UInt8](repeating: 0, count: 12) + [8, 0] + (0..<100).map { 0x80 ^ UInt8($0 * 3 & 0xff) }

    /// Runs each program on both and expects the same; returns the kernel's results.
    @discardableResult
    private func expectAgreement(
        _ cases: [KernelRunner.ExtendedCase], on packet: (KernelRunner.ExtendedCase) -> Packet,
        _ comment: String = ""
    ) throws -> [UInt32] {
        let answers = try KernelRunner.run(cases)
        for (index, (test, answer)) in zip(cases, answers).enumerated() {
            let ours = try ExtendedMachine(byteOrder: .host).run(test.program, on: packet(test))
            #expect(
                .init(result: ours) == answer, "\(comment) case \(index): \(test.program.entry.instructions)")
        }
        return answers.map(\.result)
    }

    @Test func randomProgramsReturnTheSame() throws {
        var random = RandomSource(seed: seed)
        let cases = (0..<3000).map { _ in
            var generator = ExtendedGenerator(random: RandomSource(seed: random.next()))
            let numbers = (0..<10).map { _ in random.number() }
            let bytes = numbers.flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
            return KernelRunner.ExtendedCase(
                program(generator.program()), frame: [UInt8](repeating: 0, count: 14) + bytes)
        }
        try expectAgreement(cases, on: { socketPacket($0.frame) }, "seed \(seed)")
    }

    @Test func packetLoadsReadTheSameBytes() throws {
        let bytes = UInt32(frame.count - 14)
        let offsets: [UInt32] = [
            0, 1, bytes - 4, bytes - 3, bytes - 1, bytes, 0x7fff_ffff, 0x8000_0000, 0xffdf_ffff, 0xffe0_0000,
            0xffe0_000c,
            0xffe0_000b, 0xffe0_0071, 0xffe0_0072, 0xfff0_0000, 0xfff0_0063, 0xfff0_0064, .max,
        ]
        var cases: [KernelRunner.ExtendedCase] = []
        for size in [Size.byte, .halfword, .word] {
            for offset in offsets {
                let absolute: [Instruction] = [.move64(.r6, .r1), .loadPacket(size, at: offset), .exit]
                cases.append(.init(program(absolute), frame: frame))
                // An index whose sum with the constant wraps, and one whose upper half must not matter.
                for index in [UInt64(0), 0xffff_fff0, 0xf_0000_0003] {
                    let indirect: [Instruction] = [
                        .move64(.r6, .r1), .loadWide(.r7, index),
                        .loadPacket(size, at: .r7, plus: offset &- UInt32(truncatingIfNeeded: index)), .exit,
                    ]
                    cases.append(.init(program(indirect), frame: frame))
                }
            }
        }
        let results = try expectAgreement(cases, on: { socketPacket($0.frame) })
        #expect(Set(results).count > 10)
    }

    /// The result of a load by a helper and what it has left in a buffer of eight bytes that held 0xaa.
    private func helperProgram(
        _ number: Int32, offset: UInt32, count: Int32, header: UInt32? = nil, returning part: Int
    ) -> Program {
        var code: [Instruction] = [.move64(.r6, .r1), .loadWide(.r0, 0xaaaa_aaaa_aaaa_aaaa)]
        code.append(.store(.doubleword, .r10, -8, .r0))
        var call = Instruction.loadBytes(offset, toStackBelow: 8, count: count)
        call.removeLast()
        code += call + (header.map { [.move32(.r5, $0)] } ?? []) + [.call(helper: number)]
        switch part {
        case 0: break
        case 1: code.append(.alu64(.shiftRight, .r0, 32))
        default: code += [.load(.doubleword, .r0, .r10, -8)] + Instruction.foldR0
        }
        return program(code + [.exit])
    }

    @Test func helpersThatLoadBytes() throws {
        let bytes = UInt32(frame.count - 14)
        let offsets: [UInt32] = [
            0, 3, bytes - 8, bytes - 5, bytes - 1, bytes, 0xffff, 0x10000, 0x7fff_ffff, 0xffff_fff8, .max,
        ]
        var cases: [KernelRunner.ExtendedCase] = []
        for offset in offsets {
            for count: Int32 in [1, 5, 8] {
                for part in 0...2 {
                    cases.append(
                        .init(helperProgram(26, offset: offset, count: count, returning: part), frame: frame))
                    for header: UInt32 in [0, 1, 2] {
                        for type in [KernelRunner.ProgramType.socketFilter, .schedClassifier] {
                            let program = helperProgram(
                                68, offset: offset, count: count, header: header, returning: part)
                            cases.append(.init(program, as: type, frame: frame))
                        }
                    }
                }
            }
        }
        let results = try expectAgreement(cases) { test in
            test.type == .socketFilter ? socketPacket(test.frame) : Packet(ethernet: test.frame)
        }
        #expect(results.contains(UInt32(bitPattern: -14)))
    }

    @Test func contextFieldsOfAFrame() throws {
        var seen = Packet(ethernet: frame)
        seen.metadata.interface = .init(index: 1)
        seen.metadata.mark = 0x0102_0304
        seen.metadata.priority = 0x0506_0708
        seen.metadata.ingressInterface = 1
        // Of these fields a test run may set mark, priority and ingress_ifindex.
        var context = [UInt8](repeating: 0, count: 192)
        for (offset, value) in [(8, seen.metadata.mark), (32, seen.metadata.priority), (36, 1 as UInt32)] {
            context.replaceSubrange(offset..<offset + 4, with: withUnsafeBytes(of: value) { Array($0) })
        }
        var cases: [KernelRunner.ExtendedCase] = []
        for offset: Int16 in [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 64, 68, 72] {
            let type: KernelRunner.ProgramType = .schedClassifier
            cases.append(.init(program([.load(.word, .r0, .r1, offset), .exit]), as: type, frame: frame))
            if offset == 72 { continue }  // tc_classid is read whole or not at all.
            for part: Int16 in 0..<4 {
                cases.append(.init(program([.load(.byte, .r0, .r1, offset + part), .exit]), as: type, frame: frame))
            }
            // The halves of a field that the kernel keeps in 16 bits are not what they seem, see SocketBuffer.
            for part: Int16 in [12, 16, 24, 28, 44].contains(offset) ? [0] : [0, 2] {
                cases.append(
                    .init(program([.load(.halfword, .r0, .r1, offset + part), .exit]), as: type, frame: frame))
            }
        }
        for index in cases.indices { cases[index].context = context }
        try expectAgreement(cases, on: { _ in seen })
    }

    @Test func contextFieldsCanBeWritten() throws {
        let offsets: [Int16] = [8, 32, 44, 48, 64, 72]
        var programs = offsets.map { offset in
            program([
                .move64(.r2, 0x1234), .store(.word, .r1, offset, .r2), .load(.word, .r0, .r1, offset), .exit,
            ])
        }
        programs.append(
            program(
                [
                    .loadWide(.r2, 0x0102_0304_0506_0708), .store(.doubleword, .r1, 56, .r2),
                    .store(.byte, .r1, 57, 0x55), .load(.doubleword, .r0, .r1, 56),
                ] + Instruction.foldR0 + [.exit]))
        try expectAgreement(
            programs.map { .init($0, as: .schedClassifier, frame: frame) }, on: { Packet(ethernet: $0.frame) })
    }

    @Test func directAccessReadsTheLinearPart() throws {
        let loads = Size.allCases.map { size in
            program(
                [
                    .load(.word, .r2, .r1, 76), .load(.word, .r3, .r1, 80), .move64(.r4, .r2),
                    .alu64(.add, .r4, 30), .move64(.r0, 0), .jump64(if: .r4, .greater, .r3, 1),
                    .load(size, .r0, .r2, 20),
                ] + Instruction.foldR0 + [.exit])
        }
        let length = program([
            .load(.word, .r2, .r1, 76), .load(.word, .r0, .r1, 80), .alu64(.subtract, .r0, .r2), .exit,
        ])
        // A test run takes no IPv4 frame that is shorter than its header.
        let unknown = frame[..<12] + [0x88, 0xb5] + frame[14...]
        let frames = [Array(unknown), Array(unknown.prefix(29)), Array(unknown.prefix(30))]
        try expectAgreement(
            (loads + [length]).flatMap { program in
                frames.map { KernelRunner.ExtendedCase(program, as: .schedClassifier, frame: $0) }
            }, on: { Packet(ethernet: $0.frame) })
    }

    /// A function that gets its arguments, calls another and leaves the caller's r6 to r9 and stack alone.
    @Test func functionsOfTheProgram() throws {
        let main = Function(
            name: "filter",
            instructions: [
                .move64(.r6, 100), .move64(.r7, 3), .store(.doubleword, .r10, -8, 7), .move64(.r1, .r6),
                .move64(.r2, .r10), .alu64(.add, .r2, -8), .call(localAt: 0), .alu64(.add, .r0, .r6),
                .load(.doubleword, .r1, .r10, -8), .alu64(.multiply, .r0, .r1), .alu64(.add, .r0, .r7), .exit,
            ], references: [6: .function("inner")])
        let inner = Function(
            name: "inner",
            instructions: [
                .move64(.r6, .r1), .load(.doubleword, .r7, .r2, 0), .alu64(.add, .r7, 4),
                .store(.doubleword, .r2, 0, .r7), .store(.doubleword, .r10, -8, 1), .move64(.r1, .r6),
                .call(localAt: 0), .alu64(.add, .r0, .r6), .exit,
            ], references: [6: .function("innermost")])
        let innermost = Function(
            name: "innermost", instructions: [.move64(.r0, .r1), .alu64(.multiply, .r0, 2), .exit])
        let named = Program(functions: [main, inner, innermost])
        let linked = Program(functions: [named.linked()])
        #expect(try ExtendedMachine().run(named, on: Packet([])) == 4403)
        try expectAgreement([.init(named, frame: frame), .init(linked, frame: frame)], on: { socketPacket($0.frame) })
    }

    /// A packet load out of range in a function ends that function, not the program.
    @Test(.enabled(if: Requirement.tool(llvm("clang")).allowsRunning && Requirement.tool("bpftool").allowsRunning))
    func packetLoadsEndTheirFunctionOnly() throws {
        let folder = try TemporaryFolder()
        let source = """
            unsigned long long load(void *skb, unsigned long long offset) asm("llvm.bpf.load.byte");
            static __attribute__((noinline)) int at(void *skb, unsigned long long offset)
            {
                return load(skb, offset) + 1;
            }
            __attribute__((section("socket"), used)) int filter(void *skb)
            {
                return at(skb, 20) * 1000 + at(skb, 2000) * 100 + 7;
            }
            char _license[] __attribute__((section("license"), used)) = "GPL";
            """
        try folder.file("nested.c", containing: Array(source.utf8))
        let object = folder.path("nested.o")
        let compiled = try run(
            llvm("clang"), ["-target", "bpf", "-g", "-O2", "-c", folder.path("nested.c"), "-o", object])
        try #require(compiled.status == 0, "\(compiled.errors)")
        try folder.file("frame", containing: frame)
        // In a mount namespace with a BPF file system of its own: where there is none, every bpftool mounts one.
        let script = """
            mount -t bpf bpf /sys/fs/bpf
            bpftool prog load "$0" /sys/fs/bpf/nested
            bpftool prog run pinned /sys/fs/bpf/nested data_in "$1"
            """
        let ran = try run("unshare", ["-m", "sh", "-ec", script, object, folder.path("frame")])
        try #require(ran.status == 0, "\(ran.errors)")
        let byte = Int(frame[34])

        let main = Function(
            name: "filter",
            instructions: [
                .move64(.r6, .r1), .move64(.r2, 20), .call(localAt: 0), .move64(.r7, .r0), .alu64(.multiply, .r7, 1000),
                .move64(.r1, .r6), .move64(.r2, 2000), .call(localAt: 0), .alu64(.multiply, .r0, 100),
                .alu64(.add, .r0, .r7), .alu64(.add, .r0, 7), .exit,
            ], references: [2: .function("at"), 7: .function("at")])
        let at = Function(
            name: "at",
            instructions: [
                .move64(.r6, .r1), .loadPacket(.byte, at: .r2, plus: 0), .alu64(.add, .r0, 1), .exit,
            ])
        let ours = try ExtendedMachine().run(Program(functions: [main, at]), on: socketPacket(frame))
        #expect(ours == UInt32((byte + 1) * 1000 + 7))
        #expect(ran.text.contains("Return value: \(ours),"), "\(ran.text) \(ran.errors)")
    }
}
