import ExtendedBPF
import Testing

@testable import BPFObject

/// Every message, word for word, from the input that earns it.
@Suite struct ErrorTests {
    static let objects: [(String, @Sendable (inout Object) -> Void)] = [
        ("the program has no functions, it needs at least one", { $0.program.functions = [] }),
        (
            "\"1st\" is no name, that is a C identifier of at most 127 bytes",
            { $0.program.functions[0].name = "1st" }
        ),
        (
            "\"struct x\" is no name, that is a C identifier of at most 127 bytes", { $0.contextType = "struct x" }
        ),
        ("\"\" is no name, that is a C identifier of at most 127 bytes", { $0.contextType = "" }),
        (
            "\"\(String(repeating: "n", count: 128))\" is no name, that is a C identifier of at most 127 bytes",
            { $0.program.functions[0].name = String(repeating: "n", count: 128) }
        ),
        (
            "the name \"is_arp\" is there twice, everything that has one needs its own",
            { $0.program.functions[0].name = "is_arp" }
        ),
        (
            "the name \"_license\" is there twice, everything that has one needs its own",
            { $0.program.functions[0].name = "_license" }
        ),
        (
            "\".text\" is no section for a program, that is one like \"socket\" or \"classifier\"",
            { $0.kind = .program(section: ".text") }
        ),
        (
            "\"a\\0b\" is no section for a program, that is one like \"socket\" or \"classifier\"",
            { $0.kind = .program(section: "a\0b") }
        ),
        ("\"GPL\\0\" is no license, that is a text without NUL like \"GPL\"", { $0.license = "GPL\0" }),
        (
            "function is_arp: there are no instructions, a function needs at least exit",
            { $0.program.functions[1].instructions = [] }
        ),
        (
            "function is_arp, instruction 8: there is no such instruction, the function has 8",
            { $0.program.functions[1].references[8] = .map("m") }
        ),
        (
            "function drop_ip_arp, instruction 1: an object cannot hold kernel symbol \"s\", "
                + "its number is another on every kernel",
            { $0.program.functions[0].references[1] = .kernelSymbol("s") }
        ),
        (
            "function drop_ip_arp, instruction 0: map \"m\" is named here, "
                + "only a wide instruction for a map's descriptor can do that",
            { $0.program.functions[0].references[0] = .map("m") }
        ),
        (
            "function drop_ip_arp, instruction 0: table \"t\" is named here, "
                + "only a wide instruction for a place in a map's value can do that",
            { $0.program.functions[0].references[0] = .data("t", offset: 0) }
        ),
        (
            "function drop_ip_arp, instruction 1: kernel function \"f\" is named here, "
                + "only a call of a kernel function can do that",
            { $0.program.functions[0].references[1] = .kernelFunction("f") }
        ),
        (
            "function drop_ip_arp, instruction 0: kernel field \"sk_buff.len\" is named here, "
                + "only a load, a store or a 64-bit add of a constant can do that",
            { $0.program.functions[0].references[0] = .kernelField(structure: "sk_buff", member: "len") }
        ),
        (
            "function drop_ip_arp, instruction 3: kernel type \"sk_buff\" is named here, "
                + "only a mov of a constant can do that",
            { $0.program.functions[0].references[3] = .kernelType("sk_buff") }
        ),
        (
            "function drop_ip_arp, instruction 0: there is no map \"m\" in the program",
            {
                $0.program.functions[0].instructions[0].srcReg = .r1
                $0.program.functions[0].references[0] = .map("m")
            }
        ),
        (
            "function drop_ip_arp, instruction 0: there is no table \"t\" in the program",
            { refer(&$0, toTable: "t", 0) }
        ),
        (
            "function drop_ip_arp, instruction 0: byte 8 is not in table \"x\", that has 8 bytes",
            {
                $0.program.data = [DataTable(name: "x", elementSize: .word, elements: [1, 2])]
                refer(&$0, toTable: "x", 8)
            }
        ),
        (
            "function drop_ip_arp, instruction 0: byte -1 is not in table \"x\", that has 8 bytes",
            {
                $0.program.data = [DataTable(name: "x", elementSize: .doubleword, elements: [1])]
                refer(&$0, toTable: "x", -1)
            }
        ),
        (
            "table \"x\" has no elements, it needs at least one",
            { $0.program.data = [DataTable(name: "x", bytes: [])] }
        ),
        (
            "map \"m\" has keys of 4 bytes and values of 0, a ring buffer has neither, other maps both",
            { $0.program.maps = [MapDeclaration(name: "m", kind: .hash, keySize: 4, maxEntries: 1)] }
        ),
        (
            "map \"m\" has keys of 0 bytes and values of 8, a ring buffer has neither, other maps both",
            { $0.program.maps = [MapDeclaration(name: "m", kind: .ringBuffer, valueSize: 8, maxEntries: 4096)] }
        ),
        (
            "the name \"is_arp\" is there twice, everything that has one needs its own",
            { $0.program.data = [DataTable(name: "is_arp", bytes: [1])] }
        ),
        (
            "\"a.b\" is no name, that is a C identifier of at most 127 bytes",
            { $0.program.maps = [MapDeclaration(name: "a.b", kind: .ringBuffer, maxEntries: 4096)] }
        ),
        (
            "function drop_ip_arp, instruction 1: what kernel function \"f\" takes is not known, it must be declared",
            {
                $0.program.functions[0].instructions[1] = kernelFunctionCall
                $0.program.functions[0].references[1] = .kernelFunction("f")
            }
        ),
        (
            "function drop_ip_arp, instruction 5: the type of \"sk_buff.x\" is not known, it must be declared",
            {
                $0.program.functions[0].instructions[5] = .load(.word, .r0, .r1, 0)
                $0.program.functions[0].references[5] = .kernelField(structure: "sk_buff", member: "x")
            }
        ),
        (
            "function drop_ip_arp, instruction 5: \"s.a.b\" is named as a value and as a structure, "
                + "it can be one of them",
            {
                $0.declarations = KernelDeclarations(functions: [:], members: ["s": ["a": .int, "a.b": .int]])
                $0.program.functions[0].instructions[3] = .load(.word, .r0, .r1, 0)
                $0.program.functions[0].references[3] = .kernelField(structure: "s", member: "a")
                $0.program.functions[0].instructions[5] = .load(.word, .r0, .r1, 0)
                $0.program.functions[0].references[5] = .kernelField(structure: "s", member: "a.b")
            }
        ),
        (
            "function drop_ip_arp, instruction 0: function \"is_arp\" is named here, "
                + "only a program-local call can do that",
            { $0.program.functions[0].references[0] = .function("is_arp") }
        ),
        (
            "function drop_ip_arp, instruction 1: a function or a map is referred to by number, it must be by name",
            { $0.program.functions[0].references[1] = nil }
        ),
        (
            "function drop_ip_arp, instruction 0: a function or a map is referred to by number, it must be by name",
            { $0.program.functions[0].instructions[0].srcReg = .r1 }
        ),
        (
            "function is_arp, instruction 4: a function or a map is referred to by number, it must be by name",
            { $0.program.functions[1].instructions[4] = Instruction(.call, srcReg: .r2, imm: 5) }
        ),
        (
            "function drop_ip_arp, instruction 1: there is no function \"other\" in the program",
            { $0.program.functions[0].references[1] = .function("other") }
        ),
        (
            "function drop_ip_arp, instruction 1: function \"drop_ip_arp\" is the program's entry, "
                + "only other functions can be called",
            { $0.program.functions[0].references[1] = .function("drop_ip_arp") }
        ),
        (
            "function drop_ip_arp, instruction 3: a line mark must stand at a later instruction than the one before it",
            { $0.program.functions[0].lines.append(LineMark(instruction: 3, line: 1)) }
        ),
        (
            "function drop_ip_arp, instruction 7: there is no such instruction, the function has 7",
            { $0.program.functions[0].lines.append(LineMark(instruction: 7, line: 1)) }
        ),
        (
            "function drop_ip_arp, instruction 4: there is no line 4, the source has lines 1 to 3",
            { $0.program.functions[0].lines.append(LineMark(instruction: 4, line: 4)) }
        ),
        (
            "function drop_ip_arp, instruction 4: there is no line 0, the source has lines 1 to 3",
            { $0.program.functions[0].lines.append(LineMark(instruction: 4, line: 0)) }
        ),
    ]

    private static func refer(_ object: inout Object, toTable name: String, _ offset: Int) {
        object.program.functions[0].instructions[0].srcReg = .r2
        object.program.functions[0].references[0] = .data(name, offset: offset)
    }

    @Test(arguments: objects.indices)
    func objectThatCannotBeWritten(index: Int) throws {
        var object = try droppingObject()
        let (message, spoil) = Self.objects[index]
        spoil(&object)
        let error = #expect(throws: ObjectError.self) { try object.bytes() }
        #expect(error?.description == message)
    }

    /// The header has 24 bytes, the shared types 60 and their strings 11; each function has 12, its name 128.
    @Test func moreNamesThanKernelsTake() {
        let count = 120_000
        var program = Program(functions: [Function(name: "f", instructions: [.exit])])
        program.functions = (0..<count).map {
            Function(
                name: "f" + String(10_000_000_000 + $0) + String(repeating: "n", count: 115), instructions: [.exit])
        }
        let error = #expect(throws: ObjectError.self) {
            try DebugInformation(of: program, contextType: "c", source: nil)
        }
        let size = 24 + 60 + 11 + count * (12 + 128)
        #expect(error?.description == "the BTF has \(size) bytes, at most 16777216 are allowed")
    }

    @Test func moreTypesThanKernelsTake() {
        var builder = BTFBuilder(.host)
        for _ in 0..<0x10_0000 { _ = builder.add(.pointer(to: BTFTypeID(rawValue: 0))) }
        let error = #expect(throws: BTFError.self) { try builder.bytes() }
        #expect(error?.description == "there are 1048576 types, at most 1048575 are allowed")
    }

    /// A little-endian BTF: the types and strings given, the header right.
    private static func btf(_ types: [UInt32], strings: String = "\0s\0m\0") -> [UInt8] {
        let header: [UInt32] = [24, 0, UInt32(types.count * 4), UInt32(types.count * 4), UInt32(strings.utf8.count)]
        let words = (header + types).flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        return [0x9f, 0xeb, 1, 0] + words + Array(strings.utf8)
    }

    /// `struct s { <type> m; }` of one member with the name and type given.
    private static func structure(member: UInt32, type: UInt32, offset: UInt32 = 0) -> [UInt32] {
        [1, 4 << 24 | 1, 4, member, type, offset]
    }

    static let types: [(String, [UInt8])] = [
        ("byte 0: 24 bytes are needed, 3 are left", [0x9f, 0xeb, 1]),
        ("byte 0: 0x457f is no BTF, that starts with 0xeb9f", [0x7f, 0x45] + [UInt8](repeating: 0, count: 22)),
        ("byte 2: version 2 is unknown, the only one is 1", [0x9f, 0xeb, 2] + [UInt8](repeating: 0, count: 21)),
        (
            "byte 4: the header has 20 bytes, it needs at least 24",
            [0x9f, 0xeb, 1, 0, 20] + [UInt8](repeating: 0, count: 19)
        ),
        ("byte 16: 5 bytes are needed, 4 are left", btf([]).dropLast()),
        ("byte 24: the strings must start and end with a NUL", btf([], strings: "\0s")),
        ("byte 24: the strings must start and end with a NUL", btf([], strings: "s\0")),
        ("byte 24: the strings must start and end with a NUL", btf([], strings: "")),
        ("byte 28: kind 20 is unknown, the last is 19", btf([0, 20 << 24, 0])),
        ("byte 24: 24 bytes are needed, 12 are left", btf([1, 4 << 24 | 1, 4])),
        ("byte 24: 12 bytes are needed, 8 are left", btf([0, 2 << 24])),
        ("byte 24: there is no string at 5, the strings have 5 bytes", btf([5, 4 << 24, 4])),
        ("byte 36: there is no string at 9, the strings have 5 bytes", btf(structure(member: 9, type: 1))),
        ("byte 36: there is no type 2, the last is 1", btf(structure(member: 0, type: 2))),
        (
            "byte 36: type 2 stands for itself, it must end at another kind of type",
            btf(structure(member: 0, type: 2) + [0, 10 << 24, 2])
        ),
        ("structure \"s\" has no member \"m\"", btf(structure(member: 0, type: 1))),
        (
            "member \"m\" of structure \"s\" is a bit field, it has no offset in bytes",
            btf(structure(member: 3, type: 1, offset: 4))
        ),
        ("there is no structure named \"s\"", btf([])),
    ]

    @Test(arguments: types)
    func typesThatCannotBeRead(message: String, bytes: [UInt8]) throws {
        let error = #expect(throws: BTFError.self) { try BTFReader(bytes).byteOffset(of: "m", in: "s") }
        #expect(error?.description == message)
    }
}
