import BPFAssembly
import ExtendedBPF
import Foundation
import TestSupport
import Testing

#if os(Linux)
    import BPFKernel
#endif

/// eBPF text is read as what it was printed from, by this package, the kernel, bpftool and LLVM.
@Suite struct ExtendedTextTests {
    private static func read(_ text: String) throws -> [Instruction] {
        try ExtendedText.read(Array(text.utf8)).instructions
    }

    private static func listing(_ instructions: [Instruction]) -> String {
        ExtendedListing.text(Program(functions: [Function(name: "f", instructions: instructions)]))
    }

    // MARK: Our own listings

    /// All that an opcode can be with fields at their limits, if the rules of RFC 9669 allow it.
    @Test func everyValidInstructionIsReadAsPrinted() throws {
        let instructions = validInstructions.flatMap(\.self)
        #expect(validInstructions.count == 125, "as many opcodes as RFC 9669's registry has, and may_goto")
        #expect(try Self.read(Self.listing(instructions)) == instructions)
        for instruction in validInstructions.flatMap({ $0.prefix(3) })
        where (try? Self.read(Self.listing([instruction]))) != [instruction] {
            Issue.record("\(instruction): \(Self.listing([instruction]))")
        }
    }

    @Test func randomProgramsAreReadAsPrinted() throws {
        var random = SeededGenerator()
        for _ in 0..<200 {
            let instructions = randomInstructions(count: 200, using: &random)
            #expect(try Self.read(Self.listing(instructions)) == instructions)
        }
    }

    /// But for the opcode in front, and with LLVM's way of writing.
    @Test func llvmsListingIsReadToo() throws {
        var random = SeededGenerator()
        for _ in 0..<100 {
            var instructions = randomInstructions(count: 100, using: &random)
            // LLVM's text has numbers for helper functions and names for all else.
            instructions.removeAll { $0.isWide && $0.srcReg != .r0 || $0.callKind != nil && $0.callKind != .helper }
            let text = LLVMListing.text(Program(functions: [Function(name: "f", instructions: instructions)]))
            #expect(try Self.read(text) == instructions)
        }
    }

    @Test func functionsAndReferencesAreReadAsPrinted() throws {
        let entry = Function(
            name: "f",
            instructions: [
                Instruction(.loadWide, dstReg: .r1, srcReg: .r1), Instruction(.loadWide, dstReg: .r2, srcReg: .r2),
                .alu64(.add, .r3, 0), .move32(.r4, 0 as UInt32), .load(.word, .r5, .r3, 0),
                Instruction(.call, srcReg: .r2), .call(localAt: 0), .jump(-2),
            ],
            references: [
                0: .map("ports"), 1: .data(".rodata.str1.1", offset: 4),
                2: .kernelField(structure: "sk_buff", member: "cb"), 3: .kernelType("sk_buff"),
                4: .kernelField(structure: "sock", member: "__sk_common.skc_family"),
                5: .kernelFunction("bpf_rdonly_cast"), 6: .function("g"),
            ])
        let program = Program(functions: [entry, Function(name: "g", instructions: [.exit])])
        let table = try ExtendedText.read(Array("r1 = .rodata.str1.1+4 ll".utf8))
        #expect(table.references == [0: .data(".rodata.str1.1", offset: 4)])
        let source = try ExtendedText.read(Array(ExtendedListing.text(program).utf8))
        var read = try source.program()
        #expect(read.functions.map(\.name) == ["f", "g"])
        #expect(read.functions[0].references == entry.references)
        for index in read.functions.indices { read.functions[index].lines = [] }
        #expect(read.linked() == program.linked())
        #expect(source.lines == [2, 3, 4, 5, 6, 7, 8, 9, 11])
    }

    // MARK: Languages of others

    @Test func allSpellingsOfAnInstructionAreTheSame() throws {
        let table: [(texts: [String], Instruction)] = [
            (["r1 = 5", "  12: (b7) r1 = 0x5", "r1=5 ; R1_w=5", "12: r1 = 5 // five"], .move64(.r1, 5)),
            (["r1 = 0x5 ll", "0: (18) r1 = 0x5", "r1 = 5 ll"], .loadWide(.r1, 5)),
            (["r1 = 0xffffffff", "r1 = 4294967295 ll"], .loadWide(.r1, 0xffff_ffff)),
            (["w1 = -1", "w1 = 4294967295", "w1 = 0xffffffff"], .move32(.r1, .max)),
            (
                ["if r1 == 0xffffffff goto pc+1", "if r1 == -1 goto +1", "if r1 == -1 goto +0x1 <LBB0_2>"],
                .jump64(if: .r1, .equal, -1, 1)
            ),
            (["w1 = *(u8 *)(r2 + 4)", "r1 = *(u8 *)(r2 +4)"], .load(.byte, .r1, .r2, 4)),
            (["*(u8 *)(r2 - 4) = w1", "*(u8 *)(r2 -4) = r1"], .store(.byte, .r2, -4, .r1)),
            (["r0 = *(u16 *)skb[r7]", "r0 = *(u16 *)skb[r7 + 0]"], .loadPacket(.halfword, at: .r7, plus: 0)),
            (["call 7", "call bpf_get_prandom_u32", "call bpf_get_prandom_u32#7", "call unknown#7"], .call(helper: 7)),
            (
                ["call pc-1", "a: call a", "call pc-1#bpf_prog_acd13f89ec2d07db_one"],
                Instruction(.call, srcReg: .r1, imm: -1)
            ),
            (["lock *(u32 *)(r1 +0) += r2", "lock *(u32 *)(r1 + 0) += w2"], .atomic(.add, .word, .r1, 0, .r2)),
            (
                ["r0 = atomic_cmpxchg((u32 *)(r1 +8), r0, r2)", "w0 = cmpxchg32_32(r1 + 8, w0, w2)"],
                .atomic(.compareAndExchange, .word, .r1, 8, .r2)
            ),
            (
                ["r2 = atomic64_xchg((u64 *)(r1 +8), r2)", "r2 = xchg_64(r1 + 8, r2)"],
                .atomic(.exchange, .doubleword, .r1, 8, .r2)
            ),
            (["may_goto pc+2", "may_goto +2"], Instruction(.mayGoto, offset: 2)),
            (["gotol pc+2", "gotol +2"], Instruction(.jumpLong, imm: 2)),
            (
                ["r1 = map[id:5][0]+16", "r1 = map[fd:5][0]+16"],
                Instruction(.loadWide, dstReg: .r1, srcReg: .r2, imm: 5, nextImm: 16)
            ),
        ]
        for (texts, instruction) in table {
            for text in texts { #expect(try Self.read(text) == [instruction], "\(text)") }
        }
    }

    @Test func labelsAreResolved() throws {
        let text = """
            \u{feff}int filter(struct __sk_buff * ctx):\r
            # begins
            start: if r1 > 5 goto end\r
            \tgoto start
              gotol .L1
            0000000000000018 <.L1>:
            may_goto end
            end:
            ; the result
            r0 = 0; zero
            call helper
            exit
            helper:
            exit
            """
        let program = try ExtendedText.read(Array(text.utf8)).program()
        #expect(program.functions.map(\.name) == ["filter", "helper"])
        #expect(
            program.linked().instructions == [
                .jump64(if: .r1, .greater, 5, 3), .jump(-2), Instruction(.jumpLong, imm: 0), Instruction(.mayGoto),
                .move64(.r0, 0), .call(localAt: 1), .exit, .exit,
            ])
        #expect(program.functions[0].lines.map(\.line) == [3, 4, 5, 7, 10, 11, 12])
    }

    @Test func declarationsAreReadAsPrinted() throws {
        let maps = MapDeclaration.Kind.allCases.enumerated().map { index, kind in
            MapDeclaration(
                name: "map_\(index)", kind: kind, keySize: kind == .ringBuffer ? 0 : 4,
                valueSize: kind == .ringBuffer ? 0 : 8, maxEntries: .max - UInt32(index),
                flags: index.isMultiple(of: 2) ? [] : .readOnlyForPrograms)
        }
        let tables = [
            DataTable(name: "bytes", bytes: Array(0...255)),
            DataTable(name: "words", elementSize: .doubleword, elements: [0, .max]),
            DataTable(name: ".rodata.cst4", elementSize: .word, elements: [0xffff_ffff]),
        ]
        for isForLLVM in [false, true] {
            let text = DeclarationListing.text(maps, tables, definesMacros: isForLLVM)
            let source = try ExtendedText.read(Array((text + "r1 = words ll\nr2 = map_0 ll\nexit\n").utf8))
            #expect(source.maps == maps && source.tables == tables)
            #expect(source.references == [0: .data("words", offset: 0), 1: .map("map_0")])
        }
        let program = try ExtendedText.read(Array(".map m: array key 4B value 4B max_entries 1 ; one\nexit".utf8))
            .program()
        #expect(program.maps.map(\.name) == ["m"] && program.functions[0].lines.map(\.line) == [2])
    }

    /// Each function is looked up once, not searched for among the others.
    @Test func manyFunctionsAreLinked() throws {
        let count = 20_000
        let text = (0..<count).map { "f\($0): call f\($0 + 1)\nexit\n" }.joined() + "f\(count): exit"
        let program = try ExtendedText.read(Array(text.utf8)).program()
        #expect(program.functions.count == count + 1)
        #expect(program.linked().instructions.dropLast(2).allSatisfy { $0 == .exit || $0 == .call(localAt: 1) })
    }

    // MARK: Errors

    @Test(arguments: [
        ("", "1:1: found the end of the text, expected an instruction"),
        ("r0 = 1\nr11 = 2", "2:1: found 'r11', expected a register from r0 to r10"),
        ("r0 = w1", "1:6: found 'w1', expected a register as wide as 'r0'"),
        ("r0 += x", "1:7: found 'x', expected a number or a member as 'sk_buff.len'"),
        ("r0 == 1", "1:5: found '=', expected a value"),
        ("r0 ~ 1", "1:4: found '~', expected an assignment"),
        (
            "r0 = 2147483648",
            "1:6: 2147483648 is out of range for a 32-bit constant, it must be -2147483648 to 2147483647"
        ),
        (
            "r0 = 18446744073709551616 ll",
            "1:6: 18446744073709551616 is out of range for a 64-bit constant, it must be "
                + "-9223372036854775808 to 9223372036854775807"
        ),
        ("goto +32768", "1:6: +32768 is out of range for the distance, it must be -32768 to 32767"),
        ("if r1 == 1 got +3", "1:12: found 'got', expected 'goto'"),
        ("goto there", "1:6: there is no label 'there'"),
        ("a: exit\nb: exit\na: exit", "3:1: the label 'a' is in line 1 already"),
        ("0: (07) r1 = 5", "1:4: found opcode 07, expected b7, as the text says"),
        ("4: exit\n6: exit", "2:1: found slot 6, expected slot 5"),
        ("exit now", "1:6: found 'now', expected the end of the line"),
        ("opcode 0xe5", "1:1: found 'opcode', expected an instruction or a label"),
        ("r2 = xchg_64(r1 + 0, r3)", "1:22: found 'r3', expected a 64-bit register, the one on the left"),
        ("r1 = -r2", "1:7: found 'r2', expected 'r1' again"),
        ("*(u64 *)(r1 + 0) = w2", "1:20: found 'w2', expected a 64-bit register or a number"),
        (".long 5", "1:1: found '.', expected an instruction or a label"),
        ("exit\u{0}", "1:5: found byte 0x0, expected the end of the line"),
        ("gotox r1", "1:1: 'gotox' is an instruction that RFC 9669 does not have, and so has no encoding here"),
        ("callx r1", "1:1: 'callx' is an instruction that RFC 9669 does not have, and so has no encoding here"),
        (
            "r0 = load_acquire((u64 *)(r1 +0))",
            "1:6: 'load_acquire' is an instruction that RFC 9669 does not have, and so has no encoding here"
        ),
        (
            "store_release((u64 *)(r1 +0), r0)",
            "1:1: 'store_release' is an instruction that RFC 9669 does not have, and so has no encoding here"
        ),
        (
            "r0 = addr_space_cast(r1, 0, 1)",
            "1:6: 'addr_space_cast' is an instruction that RFC 9669 does not have, and so has no encoding here"
        ),
        (
            ".map m: trie",
            "1:9: found 'trie', expected 'hash', 'array', 'percpu_hash', 'percpu_array', 'lru_hash', 'lpm_trie' or 'ringbuf'"
        ),
        (".map m: hash key 4", "1:18: found '4', expected a number of bytes as 4B"),
        (".map m: hash key 4B", "1:20: found the end of the text, expected 'max_entries'"),
        (
            ".map m: ringbuf max_entries 1\n.map m: ringbuf max_entries 1",
            "2:5: there is a second map 'm', one is allowed"
        ),
        (".table t: u8 255, 256", "1:19: found 256, expected an element of 8 bits, without a sign"),
        (".table t: u8 1\n.table t: u16 1", "2:7: there is a second table 't', one is allowed"),
        (".table t: i8 1", "1:11: found 'i8', expected 'u8', 'u16', 'u32' or 'u64'"),
    ])
    func whatDoesNotFitIsSaid(text: String, message: String) {
        #expect { try ExtendedText.read(Array(text.utf8)) } throws: { "\($0)" == message }
    }

    @Test func severalErrorsAreCollected() {
        let text = String(repeating: "r0 = \nexit\n", count: 25)
        #expect { try ExtendedText.read(Array(text.utf8)) } throws: { error in
            let errors = (error as! AssemblyErrors)
            return errors.errors.map(\.line) == (0..<20).map { 2 * $0 + 1 } && errors.hasMore
        }
    }

    @Test func jumpsStayInTheirFunction() {
        for (text, line) in [("goto +1\nexit", 1), ("exit\ncall pc+5", 2), ("r1 = 5 ll\ngoto -2\nexit", 2)] {
            #expect { try ExtendedText.read(Array(text.utf8)).program() } throws: {
                ($0 as! AssemblyErrors).errors.map(\.line) == [line]
            }
        }
        #expect { try ExtendedText.read(Array("goto +1\nexit".utf8)).program() } throws: {
            "\($0)" == "1:1: a distance of 1 leads to no instruction here"
        }
    }

    // MARK: LLVM

    /// LLVM's assembler makes our listing in its form the same bytes.
    @Test(.enabled(if: Requirement.tool(llvm("llvm-mc")).allowsRunning, "needs llvm-mc"))
    func llvmAssemblesTheListing() throws {
        var random = SeededGenerator()
        for order in ByteOrder.allCases {
            var refused: Set<UInt8> = []
            for _ in 0..<20 {
                let instructions = randomInstructions(count: 60, using: &random).filter {
                    !($0.isWide && $0.srcReg != .r0) && ($0.callKind == nil || $0.callKind == .helper)
                }
                let theirs = try assembledByLLVM(instructions, order)
                #expect(theirs.count == instructions.count)
                for (instruction, bytes) in zip(instructions, theirs) {
                    guard let bytes else {
                        refused.insert(instruction.opcode.rawValue)
                        continue
                    }
                    #expect(bytes == instruction.bytes(order), "\(instruction)")
                }
            }
            #expect(refused.isSubset(of: Self.unknownToLLVM14), "\(refused.subtracting(Self.unknownToLLVM14))")
        }
    }

    /// Modulo, `&` as a comparison, sign extension, `bswap`, `gotol`, stores of constants, packet loads at a register
    /// plus a constant, atomic operations that fetch, and `may_goto`. 3f, 37, 34, 3c, bc and bf are those with an offset only.
    private static let unknownToLLVM14: Set<UInt8> = [
        0x94, 0x97, 0x9c, 0x9f, 0x45, 0x46, 0x4d, 0x4e, 0x81, 0x89, 0x91, 0xd7, 0x06, 0x62, 0x6a, 0x72, 0x7a, 0x40,
        0x48, 0x50, 0xc3, 0xdb, 0xe5, 0x3f, 0x37, 0x34, 0x3c, 0xbc, 0xbf,
    ]

    /// By instruction, the bytes that llvm-mc makes of its line, nil where it refuses it.
    private func assembledByLLVM(_ instructions: [Instruction], _ order: ByteOrder) throws -> [[UInt8]?] {
        let text = LLVMListing.text(Program(functions: [Function(name: "f", instructions: instructions)]))
        let triple = order == .little ? "bpfel" : "bpfeb"
        let result = try run(
            llvm("llvm-mc"), ["-triple", triple, "-mcpu=v3", "-show-encoding"], input: Array(text.utf8))
        let refused = Set(
            result.errors.matches(of: #/<stdin>:(\d+):\d+: error/#.anchorsMatchLineEndings()).map { Int($0.1)! })
        var encodings = result.text.matches(of: #/encoding: \[([0-9a-fx,]*)\]/#).map { match in
            match.1.split(separator: ",").map { UInt8($0.dropFirst(2), radix: 16)! }
        }[...]
        return instructions.indices.map { refused.contains($0 + 2) ? nil : encodings.popFirst() ?? [] }
    }

    #if os(Linux)
        // MARK: The kernel

        /// The verifier writes atomic operations as we do.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
        func atomicOperationsReadAsInTheVerifiersLog() throws {
            var body: [Instruction] = [.move64(.r0, 0), .move64(.r2, 1)]
            for op in AtomicOperator.allCases {
                for size in [Size.word, .doubleword] {
                    body += [.store(size, .r10, -8, 7), .atomic(op, size, .r10, -8, .r2)]
                }
            }
            let program = Program(functions: [Function(name: "f", instructions: body + [.move64(.r0, 0), .exit])])
            var request = LoadRequest(program, type: .socketFilter)
            request.log = .states
            let log = try BPFKernel.Program(loading: request).log
            let lines = log.split(separator: "\n").filter { $0.firstMatch(of: #/^\d+: \([0-9a-f]{2}\) /#) != nil }
            #expect(lines.count == body.count + 2)
            #expect(try Self.read(lines.joined(separator: "\n")) == program.entry.instructions)
        }
    #endif

    private func randomInstructions(count: Int, using random: inout some RandomNumberGenerator) -> [Instruction] {
        (0..<count).map { _ in random.pick(random.pick(validInstructions)) }
    }
}

/// By opcode, instructions with fields at their limits that the rules of RFC 9669 allow.
private let validInstructions: [[Instruction]] = (UInt8.min ... .max).compactMap { byte in
    let opcode = Opcode(rawValue: byte)
    let numbers: [Int32] = [0, 1, 16, 32, 64, 0x40, 0x50, 0xa0, 0x41, 0x51, 0xa1, 0xe1, 0xf1, -1, .min, .max]
    var random = SeededGenerator(seed: UInt64(byte))
    var forms: [Instruction] = []
    for src in Register.allCases {
        for offset: Int16 in [0, 1, 8, 16, 32, -1, .min, .max] {
            for imm in numbers {
                let dst = random.pick([Register.r0, random.pick(Register.allCases)])
                let next = opcode == .loadWide ? random.pick([0, random.pick(numbers)]) : 0
                let form = Instruction(opcode, dstReg: dst, srcReg: src, offset: offset, imm: imm, nextImm: next)
                if (try? form.validate()) != nil { forms.append(form) }
            }
        }
    }
    return forms.isEmpty ? nil : forms
}
