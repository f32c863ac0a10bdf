import ClassicBPF
import Testing

/// Every one of the 65,536 codes, against the table of the codes that Linux allows, written here as numbers.
@Suite struct CodeTests {
    /// What each code means in the instruction `code, jt 1, jf 2, k 5`.
    static let meanings: [(UInt16, ClassicBPF.Operation)] = [
        (0x20, .load(.absolute(.word, 5))), (0x28, .load(.absolute(.half, 5))), (0x30, .load(.absolute(.byte, 5))),
        (0x40, .load(.indirect(.word, 5))), (0x48, .load(.indirect(.half, 5))), (0x50, .load(.indirect(.byte, 5))),
        (0x00, .load(.immediate(5))), (0x60, .load(.memory(5))), (0x80, .load(.length)),
        (0x01, .loadIndex(.immediate(5))), (0x61, .loadIndex(.memory(5))), (0x81, .loadIndex(.length)),
        (0xb1, .loadIndex(.headerLength(5))),
        (0x02, .store(5)), (0x03, .storeIndex(5)),
        (0x04, .arithmetic(.add, .constant(5))), (0x0c, .arithmetic(.add, .index)),
        (0x14, .arithmetic(.subtract, .constant(5))), (0x1c, .arithmetic(.subtract, .index)),
        (0x24, .arithmetic(.multiply, .constant(5))), (0x2c, .arithmetic(.multiply, .index)),
        (0x34, .arithmetic(.divide, .constant(5))), (0x3c, .arithmetic(.divide, .index)),
        (0x44, .arithmetic(.or, .constant(5))), (0x4c, .arithmetic(.or, .index)),
        (0x54, .arithmetic(.and, .constant(5))), (0x5c, .arithmetic(.and, .index)),
        (0x64, .arithmetic(.shiftLeft, .constant(5))), (0x6c, .arithmetic(.shiftLeft, .index)),
        (0x74, .arithmetic(.shiftRight, .constant(5))), (0x7c, .arithmetic(.shiftRight, .index)),
        (0x84, .negate),
        (0x94, .arithmetic(.modulo, .constant(5))), (0x9c, .arithmetic(.modulo, .index)),
        (0xa4, .arithmetic(.xor, .constant(5))), (0xac, .arithmetic(.xor, .index)),
        (0x05, .jump(5)),
        (0x15, .branch(.equal, .constant(5), jt: 1, jf: 2)), (0x1d, .branch(.equal, .index, jt: 1, jf: 2)),
        (0x25, .branch(.greater, .constant(5), jt: 1, jf: 2)), (0x2d, .branch(.greater, .index, jt: 1, jf: 2)),
        (0x35, .branch(.greaterOrEqual, .constant(5), jt: 1, jf: 2)),
        (0x3d, .branch(.greaterOrEqual, .index, jt: 1, jf: 2)),
        (0x45, .branch(.anyBitSet, .constant(5), jt: 1, jf: 2)), (0x4d, .branch(.anyBitSet, .index, jt: 1, jf: 2)),
        (0x06, .result(.constant(5))), (0x16, .result(.a)),
        (0x07, .transferAToX), (0x87, .transferXToA),
    ]

    @Test("a known code means what the table says and comes back", arguments: meanings)
    func knownCode(code: UInt16, meaning: ClassicBPF.Operation) {
        #expect(Instruction(code: code, jt: 1, jf: 2, k: 5).operation == meaning)
        #expect(Instruction(meaning).code == code)
        #expect(Instruction(meaning).operation == meaning)
    }

    @Test("no other code means anything, whatever the other fields hold")
    func unknownCodes() {
        let known = Set(Self.meanings.map(\.0))
        #expect(known.count == 49)
        for code in UInt16.min ... .max where !known.contains(code) {
            for k: UInt32 in [0, 5, 0xffff_f000, 0xffff_ffff] {
                #expect(Instruction(code: code, k: k).operation == nil, "code \(code), k \(k)")
            }
        }
    }

    @Test("fields that an operation does not use are ignored and re-encoded as 0")
    func unusedFields() {
        for (code, meaning) in Self.meanings {
            let clean = Instruction(meaning)
            #expect(clean.code == code)
            var littered = clean
            if clean.jt == 0, clean.jf == 0 { (littered.jt, littered.jf) = (0xaa, 0x55) }
            if clean.k == 0 { littered.k = 0xdead_beef }
            #expect(littered.operation == meaning, "code \(code)")
            // Encoding the meaning of an instruction without litter gives that instruction, bit for bit.
            #expect(clean.operation.map { Instruction($0) } == clean, "code \(code)")
        }
    }

    @Test("absolute loads of any size from 0xfffff000 + n are the extensions, n = 0, 4, … 60")
    func extensions() {
        let names = [
            "proto", "type", "ifidx", "nla", "nlan", "mark", "queue", "hatype", "rxhash", "cpu", "xor_x", "vlan_tci",
            "vlan_avail", "poff", "rand", "vlan_tpid",
        ]
        #expect(Extension.allCases.count == names.count)
        for n: UInt32 in 0..<0x1000 {
            for code: UInt16 in [0x20, 0x28, 0x30] {
                guard let operation = Instruction(code: code, k: 0xffff_f000 + n).operation else {
                    Issue.record("code \(code) is known")
                    continue
                }
                if n % 4 == 0, n <= 60 {
                    guard case .load(.extension(let found)) = operation else {
                        Issue.record("\(n) is an extension, not \(operation)")
                        continue
                    }
                    #expect(found.rawValue == n)
                    #expect(found.name == names[Int(n / 4)])
                    #expect(Instruction(operation) == Instruction(code: 0x20, k: 0xffff_f000 + n))
                } else {
                    guard case .load(.absolute(_, 0xffff_f000 + n)) = operation else {
                        Issue.record("\(n) is no extension, not \(operation)")
                        continue
                    }
                }
            }
            #expect(Instruction(code: 0x40, k: 0xffff_f000 + n).operation == .load(.indirect(.word, 0xffff_f000 + n)))
            #expect(Instruction(code: 0xb1, k: 0xffff_f000 + n).operation == .loadIndex(.headerLength(0xffff_f000 + n)))
        }
    }

    @Test(
        "the header areas start where the kernel's documentation puts them",
        arguments: [
            (0, nil), (0x7fff_ffff, nil), (0x8000_0000, nil), (0xffdf_ffff, nil), (0xffe0_0000, .linkLayer),
            (0xffef_ffff, .linkLayer), (0xfff0_0000, .network), (0xffff_ffff, .network),
        ] as [(UInt32, HeaderArea?)])
    func headerAreas(offset: UInt32, area: HeaderArea?) {
        #expect(HeaderArea(offset: offset) == area)
    }
}
