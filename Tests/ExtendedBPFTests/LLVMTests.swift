import ExtendedBPF
import Foundation
import TestSupport
import Testing

/// The builders and the codec, against LLVM's assembler and compiler.
@Suite struct LLVMTests {
    static let assembler = llvm("llvm-mc")
    static let compiler = llvm("clang")

    /// LLVM's syntax on the left, our builder on the right. LLVM 14 knows neither modulo nor `BPF_JSET`.
    static let table: [(String, Instruction)] = {
        var rows: [(String, Instruction)] = []
        let operators: [(String, ArithmeticOperator)] = [
            ("+=", .add), ("-=", .subtract), ("*=", .multiply), ("/=", .divide), ("|=", .or), ("&=", .and),
            ("<<=", .shiftLeft), (">>=", .shiftRight), ("^=", .xor), ("s>>=", .arithmeticShiftRight),
            ("=", .move),
        ]
        for (text, op) in operators {
            rows += [
                ("r1 \(text) r2", .alu64(op, .r1, .r2)), ("r3 \(text) -7", .alu64(op, .r3, -7)),
                ("w9 \(text) w10", .alu32(op, .r9, .r10)), ("w0 \(text) 31", .alu32(op, .r0, 31)),
            ]
        }
        let conditions: [(String, JumpCondition)] = [
            ("==", .equal), (">", .greater), (">=", .greaterOrEqual), ("!=", .notEqual), ("s>", .signedGreater),
            ("s>=", .signedGreaterOrEqual), ("<", .less), ("<=", .lessOrEqual), ("s<", .signedLess),
            ("s<=", .signedLessOrEqual),
        ]
        for (text, condition) in conditions {
            let bits = condition.rawValue
            rows += [
                ("if r1 \(text) r2 goto +5", .jump64(if: .r1, condition, .r2, 5)),
                ("if r8 \(text) -2 goto -32768", .jump64(if: .r8, condition, -2, -32768)),
                (
                    "if w1 \(text) w2 goto +32767",
                    Instruction(Opcode(rawValue: bits | 0x0e), dstReg: .r1, srcReg: .r2, offset: 32767)
                ),
                (
                    "if w4 \(text) 2147483647 goto +0",
                    Instruction(Opcode(rawValue: bits | 0x06), dstReg: .r4, imm: .max)
                ),
            ]
        }
        for (text, size) in [("u8", .byte), ("u16", .halfword), ("u32", .word), ("u64", .doubleword)]
            as [(String, Size)]
        {
            rows += [
                ("r2 = *(\(text) *)(r3 - 32768)", .load(size, .r2, .r3, -32768)),
                ("*(\(text) *)(r10 + 32767) = r7", .store(size, .r10, 32767, .r7)),
            ]
            if size == .doubleword { continue }
            rows += [
                ("r0 = *(\(text) *)skb[14]", .loadPacket(size, at: 14)),
                ("r0 = *(\(text) *)skb[-4096]", .loadPacket(size, at: 0xffff_f000)),
                ("r0 = *(\(text) *)skb[r7]", .loadPacket(size, at: .r7, plus: 0)),
            ]
        }
        for bits: Int32 in [16, 32, 64] {
            rows += [
                ("r5 = be\(bits) r5", .bigEndian(.r5, bits: bits)),
                ("r6 = le\(bits) r6", Instruction(Opcode(rawValue: 0xd4), dstReg: .r6, imm: bits)),
            ]
        }
        let atomics: [(String, AtomicOperator)] = [("+=", .add), ("&=", .and), ("|=", .or), ("^=", .xor)]
        for (text, op) in atomics {
            rows += [
                (
                    "lock *(u64 *)(r1 - 8) \(text) r2",
                    Instruction(Opcode(rawValue: 0xdb), dstReg: .r1, srcReg: .r2, offset: -8, imm: op.rawValue)
                ),
                (
                    "lock *(u32 *)(r1 + 4) \(text) w2",
                    Instruction(Opcode(rawValue: 0xc3), dstReg: .r1, srcReg: .r2, offset: 4, imm: op.rawValue)
                ),
            ]
        }
        rows += [
            ("w1 = w2", .move32(.r1, .r2)), ("w1 = -1", .move32(.r1, 0xffff_ffff)), ("r1 = r2", .move64(.r1, .r2)),
            ("r1 = -2147483648", .move64(.r1, .min)), ("w8 = -w8", .negate32(.r8)),
            ("r8 = -r8", .alu64(.negate, .r8, 0)),
            ("r1 = 0x123456789abcdef0 ll", .loadWide(.r1, 0x1234_5678_9abc_def0)),
            ("r10 = -2 ll", .loadWide(.r10, 0xffff_ffff_ffff_fffe)),
            ("goto +5", .jump(5)), ("goto -1", .jump(-1)), ("goto -32768", .jump(-32768)),
            ("call 189", .call(helper: 189)), ("exit", .exit),
        ]
        return rows
    }()

    @Test(
        "LLVM's assembler makes the bytes that we make and read",
        .enabled(if: Requirement.tool(assembler).allowsRunning, "needs llvm-mc"),
        arguments: [("bpfel", .little), ("bpfeb", .big)] as [(String, ByteOrder)])
    func assembled(triple: String, order: ByteOrder) throws {
        #expect(Self.table.count >= 100)
        let source = Self.table.map { $0.0 + "\n" }.joined()
        let result = try run(
            Self.assembler, ["-triple", triple, "-mcpu=v3", "-show-encoding"], input: Array(source.utf8))
        try #require(result.status == 0, "\(result.errors)")
        let encodings = try result.text.split(separator: "\n").compactMap { try encoding(in: $0) }
        try #require(encodings.count == Self.table.count)
        for ((text, instruction), theirs) in zip(Self.table, encodings) {
            #expect(instruction.bytes(order) == theirs, "\(text)")
            #expect(try Instruction.decode(theirs, order) == [instruction], "\(text)")
        }
        // All of it, as one program.
        #expect(try Instruction.decode(encodings.flatMap { $0 }, order) == Self.table.map(\.1))
    }

    /// The bytes in `… # encoding: [0x87,0x01,…]`, or nil in a line without.
    private func encoding(in line: Substring) throws -> [UInt8]? {
        guard let start = line.firstRange(of: "encoding: [")?.upperBound else { return nil }
        return try line[start...].dropLast().split(separator: ",").map {
            try #require(UInt8($0.dropFirst(2), radix: 16), "\(line)")
        }
    }

    @Test(
        "what clang compiles is decoded, with all of its atomic operations",
        .enabled(if: Requirement.tool(compiler).allowsRunning, "needs clang"),
        arguments: [("bpfel", .little), ("bpfeb", .big)] as [(String, ByteOrder)])
    func compiled(triple: String, order: ByteOrder) throws {
        let source = """
            unsigned long run(unsigned long *p, unsigned int *q, unsigned long v, unsigned int w)
            {
                unsigned long r = __sync_fetch_and_add(p, v) ^ __sync_fetch_and_or(p, v) ^ __sync_fetch_and_and(p, v)
                    ^ __sync_fetch_and_xor(p, v) ^ __sync_lock_test_and_set(p, v) ^ __sync_val_compare_and_swap(p, v, r);
                r ^= __sync_fetch_and_add(q, w) ^ __sync_fetch_and_or(q, w) ^ __sync_fetch_and_and(q, w)
                    ^ __sync_fetch_and_xor(q, w) ^ __sync_lock_test_and_set(q, w) ^ __sync_val_compare_and_swap(q, w, 3);
                return r % v + w % 7 + 0x123456789abcdeful;
            }
            """
        let scratch = try TemporaryFolder()
        try scratch.file("a.c", containing: Array(source.utf8))
        let clang = Self.compiler
        let compiled = try run(
            clang, ["-w", "-O2", "-target", triple, "-mcpu=v3", "-c", scratch.path("a.c"), "-o", scratch.path("a.o")])
        try #require(compiled.status == 0, "\(compiled.errors)")
        let text = try textSection(of: [UInt8](Data(contentsOf: scratch.url("a.o"))), order)
        let instructions = try Instruction.decode(text, order)
        #expect(instructions.flatMap { $0.bytes(order) } == text)
        for opcode: UInt8 in [0xc3, 0xdb] {
            let operations = instructions.filter { $0.opcode.rawValue == opcode }.map(\.imm)
            #expect(Set(operations) == [0x01, 0x41, 0x51, 0xa1, 0xe1, 0xf1])
        }
        #expect(instructions.contains { $0.opcode.arithmetic == .divide && $0.opcode.instructionClass == .alu64 })
        #expect(instructions.contains { $0.isWide })
    }

    /// The contents of the section that holds machine code, found by its type and flags.
    private func textSection(of elf: [UInt8], _ order: ByteOrder) throws -> [UInt8] {
        func number(_ offset: Int, _ size: Int) -> Int {
            let bytes = elf[offset..<offset + size]
            return (order == .big ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
        }
        let (table, entrySize, count) = (number(0x28, 8), number(0x3a, 2), number(0x3c, 2))
        for header in (0..<count).map({ table + $0 * entrySize }) {
            // PROGBITS that is executable and not empty.
            if number(header + 4, 4) == 1, number(header + 8, 8) & 4 != 0, number(header + 0x20, 8) > 0 {
                let start = number(header + 0x18, 8)
                return Array(elf[start..<start + number(header + 0x20, 8)])
            }
        }
        Issue.record("no code in the object")
        return []
    }
}
