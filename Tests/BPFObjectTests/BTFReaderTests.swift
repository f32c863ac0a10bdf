import BPFObject
import ExtendedBPF
import Foundation
import Testing
import TestSupport

/// What the reader says of the running kernel, beside bpftool and gcc.
@Suite(
    .enabled(
        if: FileManager.default.fileExists(atPath: "/sys/kernel/btf/vmlinux")
            || ProcessInfo.processInfo.environment["CI"] == "true", "needs the kernel's BTF"))
struct KernelTypesTests {
    private static func reader() throws -> BTFReader {
        try BTFReader([UInt8](Data(contentsOf: URL(fileURLWithPath: "/sys/kernel/btf/vmlinux"))))
    }

    /// In plain structures, in unnamed unions, several levels deep.
    static let members = [
        "sk_buff": [
            "dev", "data", "len", "data_len", "hash", "mark", "queue_mapping", "vlan_tci", "vlan_proto", "vlan_all",
            "protocol", "__pkt_type_offset", "head", "network_header", "napi_id", "sk", "cb", "tail", "users",
        ],
        "net_device": ["ifindex", "type", "flags", "mtu"],
        "nf_hook_state": ["hook", "pf", "in", "out"],
        "task_struct": ["pid", "comm", "mm", "thread"],
        "sock": ["sk_mark", "sk_protocol"],
        "iphdr": ["saddr", "daddr", "protocol"],
    ]

    @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
    func offsetsAreThoseOfACompiler() throws {
        let folder = try TemporaryFolder()
        let header = try output("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"])
        try folder.file("vmlinux.h", containing: Array(header.utf8))
        var code = "#include \"vmlinux.h\"\nextern int printf(const char *, ...);\nint main(void) {\n"
        for (structure, members) in Self.members {
            for member in members {
                code += "printf(\"\(structure).\(member) %lu\\n\", "
                code += "(unsigned long)__builtin_offsetof(struct \(structure), \(member)));\n"
            }
        }
        try folder.file("layout.c", containing: Array((code + "return 0; }\n").utf8))
        _ = try output("gcc", ["-w", "-o", folder.path("layout"), folder.path("layout.c")])
        let reader = try Self.reader()
        let lines = fields(try output(folder.path("layout"), []))
        #expect(lines.count == Self.members.values.reduce(0) { $0 + $1.count })
        for line in lines {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "." }).map(String.init)
            #expect(try reader.byteOffset(of: words[1], in: words[0]) == Int(words[2]), "\(line)")
        }
    }

    @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
    func numbersAreThoseOfBpftool() throws {
        let reader = try Self.reader()
        let wanted: [(BTFKind, String, String)] = [
            (.function, "FUNC", "bpf_cast_to_kern_ctx"), (.function, "FUNC", "bpf_rdonly_cast"),
            (.function, "FUNC", "bpf_dynptr_from_skb"), (.structure, "STRUCT", "sk_buff"),
            (.alias, "TYPEDEF", "u32"), (.integer, "INT", "char"), (.enumeration, "ENUM", "bpf_prog_type"),
        ]
        let dump = try output("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux"])
        // `[123] FUNC 'name' …`; the first of a kind and name counts.
        var numbers: [Substring: Int] = [:]
        var last = 0
        for line in dump.split(separator: "\n") where line.first == "[" {
            let words = line.split(separator: " ", maxSplits: 3)
            last = try #require(Int(words[0].dropFirst().dropLast()))
            let key = line[words[1].startIndex..<words[2].endIndex]
            if numbers[key] == nil { numbers[key] = last }
        }
        #expect(reader.typeCount == last)
        for (kind, label, name) in wanted {
            let number = try #require(numbers["\(label) '\(name)'"], "\(name)")
            #expect(try reader.typeID(of: kind, named: name).rawValue == UInt32(number), "\(name)")
        }
    }

    @Test func whatIsNotThereIsAnError() throws {
        let reader = try Self.reader()
        for name in ["", "no_such", "sk_buff\0"] {
            #expect(throws: BTFError(.noSuchType(.structure, name: name))) {
                try reader.byteOffset(of: "len", in: name)
            }
        }
        #expect(throws: BTFError(.noSuchMember("no_such", structure: "sk_buff"))) {
            try reader.byteOffset(of: "no_such", in: "sk_buff")
        }
    }
}

/// The reader on what clang writes, in both byte orders, whole and broken.
@Suite(.enabled(if: Requirement.tool(llvm("clang")).allowsRunning, "needs clang"))
struct CompiledTypesTests {
    /// The `.BTF` section of structures.c.
    private static func btf(_ order: ByteOrder) throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let target = order == .little ? "bpfel" : "bpfeb"
        _ = try output(
            llvm("clang"),
            ["-target", target, "-g", "-O2", "-c", corpusC("structures.c"), "-o", folder.path("structures.o")])
        _ = try output(
            llvm("llvm-objcopy"), ["--dump-section", ".BTF=\(folder.path("btf"))", folder.path("structures.o")])
        return try [UInt8](Data(contentsOf: folder.url("btf")))
    }

    @Test(arguments: ByteOrder.allCases)
    func offsetsAreThoseOfACompiler(order: ByteOrder) throws {
        let reader = try BTFReader(Self.btf(order))
        #expect(reader.byteOrder == order)
        let folder = try TemporaryFolder()
        _ = try output("gcc", ["-o", folder.path("structures"), corpusC("structures.c")])
        let lines = fields(try output(folder.path("structures"), []))
        #expect(lines.count == 12)
        for line in lines {
            let words = line.split(separator: " ")
            #expect(try reader.byteOffset(of: String(words[0]), in: "shape") == Int(words[1]), "\(line)")
        }
        #expect(throws: BTFError(.noSuchMember("x", structure: "shape"))) {
            try reader.byteOffset(of: "x", in: "shape")
        }
        #expect(throws: BTFError(.bitField("flag", structure: "shape"))) {
            try reader.byteOffset(of: "flag", in: "shape")
        }
    }

    @Test(arguments: ByteOrder.allCases)
    func everyPrefixIsAnError(order: ByteOrder) throws {
        let bytes = try Self.btf(order)
        for count in bytes.indices {
            #expect(throws: BTFError.self) { try BTFReader(Array(bytes.prefix(count))) }
        }
    }

    /// The header repaired so that only the types are cut: every length but those between two types is an error.
    @Test(arguments: ByteOrder.allCases)
    func typesAreCutOnlyBetweenThem(order: ByteOrder) throws {
        let bytes = try Self.btf(order)
        let whole = try BTFReader(bytes)
        let truth = try whole.byteOffset(of: "last", in: "shape")
        let length = bytes[12..<16].reduce(0) { order == .little ? $0 >> 8 | Int($1) << 24 : $0 << 8 | Int($1) }
        var readable: [Int] = []
        for count in 0..<length {
            var cut = bytes
            let word = UInt32(count)
            cut.replaceSubrange(
                12..<16, with: withUnsafeBytes(of: order == .little ? word.littleEndian : word.bigEndian, Array.init))
            guard let reader = try? BTFReader(cut) else { continue }
            readable.append(reader.typeCount)
            // What is still there is told right, or refers to what is gone.
            if let offset = try? reader.byteOffset(of: "last", in: "shape") { #expect(offset == truth) }
        }
        #expect(readable == Array(0..<whole.typeCount))
    }

    @Test(arguments: ByteOrder.allCases)
    func noWrongByteTraps(order: ByteOrder) throws {
        let bytes = try Self.btf(order)
        var refused = 0
        var answered = 0
        for index in bytes.indices {
            for value in [0x00, 0x01, 0x7f, 0xff, bytes[index] ^ 0x01, bytes[index] ^ 0x80] as Set<UInt8> {
                var broken = bytes
                broken[index] = value
                do {
                    let reader = try BTFReader(broken)
                    _ = try? reader.typeID(of: .function, named: "use")
                    for member in ["last", "deep", "half", "no_such"] {
                        _ = try? reader.byteOffset(of: member, in: "shape")
                    }
                    answered += 1
                } catch {
                    refused += 1
                }
            }
        }
        #expect(answered > 0)
        #expect(refused > 0)
    }
}
