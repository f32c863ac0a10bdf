#if os(Linux)
    import ClassicBPF
    import Glibc
    import TestSupport
    import Testing

    /// The kernel's rules, against the running kernel: `SO_ATTACH_FILTER` on a socket of our own. No privilege is needed.
    @Suite struct KernelRulesTests {
        @Test("of all 65,536 codes the kernel takes those that we know")
        func codes() throws {
            let judge = try KernelJudge()
            for code in UInt16.min ... .max {
                // M[1] is written, in case the code reads it.
                let instructions = [Instruction(.store(1)), Instruction(code: code, k: 1), Instruction(.result(.a))]
                try judge.agrees(on: instructions)
            }
        }

        @Test("of all loads from 0xfffff000 on the kernel takes those that are extensions")
        func extensions() throws {
            let judge = try KernelJudge()
            for offset: UInt32 in 0xffff_efc0...0xffff_ffff {
                for code: UInt16 in [0x20, 0x28, 0x30, 0x40, 0xb1] {
                    try judge.agrees(on: [Instruction(code: code, k: offset), Instruction(.result(.a))])
                }
            }
        }

        @Test("valid programs are attached")
        func valid() throws {
            var generator = SeededGenerator()
            let judge = try KernelJudge()
            let source = RandomProgram()
            for _ in 0..<5_000 {
                let program = source.next(using: &generator)
                #expect(try judge.verdict(on: program.instructions) == .attached, "\(program.instructions)")
            }
        }

        @Test("spoiled programs are refused exactly when we refuse them")
        func spoiled() throws {
            var generator = SeededGenerator()
            let judge = try KernelJudge()
            let source = RandomProgram(usualCount: 25, maximumCount: 60)
            for _ in 0..<10_000 {
                try judge.agrees(on: mutated(source.next(using: &generator).instructions, using: &generator))
            }
            try judge.heardBothAnswers()
        }

        @Test("random instructions are refused exactly when we refuse them")
        func random() throws {
            var generator = SeededGenerator()
            let judge = try KernelJudge()
            for _ in 0..<20_000 { try judge.agrees(on: randomInstructions(using: &generator)) }
            try judge.heardBothAnswers()
        }

        @Test("reads of M[] in mazes of jumps are refused exactly when we refuse them")
        func memory() throws {
            var generator = SeededGenerator()
            let judge = try KernelJudge()
            for _ in 0..<10_000 {
                let count = Int.random(in: 3...12, using: &generator)
                let maze = (0..<count).map { index -> Instruction in
                    let room = count - index - 2
                    if room < 0 { return Instruction(.result(.a)) }
                    let distances = (0..<2).map { _ in UInt8.random(in: 0...UInt8(min(room, 4)), using: &generator) }
                    let cell = UInt32.random(in: 0...1, using: &generator)
                    return switch Int.random(in: 0..<10, using: &generator) {
                    case 0..<4: Instruction(generator.chance(50) ? .store(cell) : .storeIndex(cell))
                    case 4, 5: Instruction(generator.chance(50) ? .load(.memory(cell)) : .loadIndex(.memory(cell)))
                    case 6: Instruction(.jump(UInt32(distances[0])))
                    case 7: Instruction(.result(.a))
                    default: Instruction(.branch(.equal, .constant(1), jt: distances[0], jf: distances[1]))
                    }
                }
                try judge.agrees(on: maze)
            }
            try judge.heardBothAnswers()
        }

        @Test("4,096 instructions are the most, and what is only too large is not called invalid")
        func length() throws {
            let judge = try KernelJudge()
            let ret = Instruction(.result(.a))
            let load = Instruction(.load(.absolute(.byte, 4)))
            try judge.agrees(on: [])
            try judge.agrees(on: [Instruction](repeating: ret, count: 4096))
            try judge.agrees(on: [Instruction](repeating: ret, count: 4097))
            try judge.agrees(on: [Instruction](repeating: ret, count: 65_535))
            // Converted, this is larger than what a socket may have by default; ENOMEM comes after all rules are passed.
            let large = [Instruction](repeating: load, count: 4095) + [ret]
            #expect(throws: Never.self) { try RuleSet.kernel.validate(large) }
            #expect([.attached, .tooLarge].contains(try judge.verdict(on: large)))
        }

        @Test("a ja that the kernel's own conversion makes too long is within the rules, but the kernel refuses it")
        func conversionLimit() throws {
            // Each load becomes 12 instructions, and a converted jump spans 32,767 at most: 2,730 loads, not 2,731.
            // What a program converts to differs between kernels, so this limit is no rule here.
            let judge = try KernelJudge()
            let load = Instruction(.load(.absolute(.byte, 0)))
            for (count, verdicts) in [(2_730, [.attached, .tooLarge]), (2_731, [.refused])]
                as [(Int, [KernelJudge.Verdict])]
            {
                let instructions =
                    [Instruction(.jump(UInt32(count)))] + [Instruction](repeating: load, count: count)
                    + [Instruction(.result(.a))]
                #expect(throws: Never.self) { try RuleSet.kernel.validate(instructions) }
                #expect(verdicts.contains(try judge.verdict(on: instructions)))
            }
        }
    }

    /// A socket that filters are attached to, one replacing the other.
    final class KernelJudge {
        enum Verdict: Hashable {
            case attached
            /// EINVAL: a rule is broken.
            case refused
            /// ENOMEM: no rule is broken, but the converted program exceeds `net.core.optmem_max`.
            case tooLarge
        }

        struct Failure: Error {
            var call: String
            var errno: Int32
        }

        private let descriptor: Int32
        private var verdicts: [Verdict: Int] = [:]

        init() throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            guard descriptor >= 0 else { throw Failure(call: "socket", errno: errno) }
        }

        deinit { close(descriptor) }

        /// Expects the kernel to refuse `instructions` if and only if our rules do.
        func agrees(on instructions: [Instruction]) throws {
            let verdict = try verdict(on: instructions)
            do throws(ValidationError) {
                try RuleSet.kernel.validate(instructions)
                #expect(verdict != .refused, "the kernel refuses \(instructions)")
            } catch {
                #expect(verdict == .refused, "the kernel accepts \(instructions), we say \(error)")
            }
        }

        /// Expects that programs were accepted and refused often enough for the agreement to mean something.
        func heardBothAnswers() throws {
            let total = verdicts.values.reduce(0, +)
            for verdict in [Verdict.attached, .refused] {
                #expect(verdicts[verdict, default: 0] * 20 > total, "\(verdicts)")
            }
        }

        func verdict(on instructions: [Instruction]) throws -> Verdict {
            let verdict = try attach(instructions.flatMap { $0.bytes(.host) }, count: UInt16(instructions.count))
            verdicts[verdict, default: 0] += 1
            return verdict
        }

        /// `setsockopt(SO_ATTACH_FILTER)` of a `struct sock_fprog`: the count, then, aligned, the pointer.
        private func attach(_ filter: [UInt8], count: UInt16) throws -> Verdict {
            let status = filter.withUnsafeBytes { bytes in
                var fprog: (count: UInt, filter: UInt) = (0, UInt(bitPattern: bytes.baseAddress))
                return withUnsafeMutableBytes(of: &fprog) { fields in
                    fields.storeBytes(of: count, as: UInt16.self)
                    return setsockopt(descriptor, SOL_SOCKET, 26, fields.baseAddress, socklen_t(fields.count))
                }
            }
            if status == 0 { return .attached }
            switch errno {
            case EINVAL: return .refused
            case ENOMEM: return .tooLarge
            case let other: throw Failure(call: "setsockopt", errno: other)
            }
        }
    }
#endif
