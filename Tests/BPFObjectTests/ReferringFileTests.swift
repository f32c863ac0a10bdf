import BPFObject
import ExtendedBPF
import Testing
import TestSupport

/// A file with relocations of all kinds, as binutils, LLVM and bpftool read it, in both byte orders.
@Suite struct ReferringFileTests {
    @Test(.enabled(if: Requirement.tool("readelf").allowsRunning, "needs readelf"), arguments: ByteOrder.allCases)
    func binutilsReadsItWithoutAWarning(order: ByteOrder) throws {
        let file = try ObjectFolder(referringObject(order))
        let result = try run("readelf", ["-aW", file.path])
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        #expect(!result.text.localizedCaseInsensitiveContains("warning"))
        let sections = fields(result.text).filter { $0.hasPrefix("[ ") || $0.hasPrefix("[1") }
            .map { $0.drop { $0 != "]" }.dropFirst(2) }
        // Sizes: three pointers and two more; 10 bytes, 2 to align, 8.
        #expect(sections.contains { $0.hasPrefix(".maps PROGBITS") && $0.contains(" 000020 00 WA 0 0 8") })
        #expect(sections.contains { $0.hasPrefix(".rodata PROGBITS") && $0.contains(" 000014 00 A 0 0 8") })
        #expect(sections.contains { $0.hasPrefix("version PROGBITS") && $0.contains(" 000004 00 WA 0 0 4") })
    }

    @Test(
        .enabled(if: Requirement.tool(llvm("llvm-readelf")).allowsRunning, "needs llvm-readelf"),
        arguments: ByteOrder.allCases)
    func llvmSeesSymbolsAndRelocations(order: ByteOrder) throws {
        let file = try ObjectFolder(referringObject(order))
        let lines = fields(try output(llvm("llvm-readelf"), ["-aW", file.path]))
        for symbol in [
            "0000000000000000 32 OBJECT GLOBAL DEFAULT 3 runs", "0000000000000000 10 OBJECT LOCAL DEFAULT 4 first",
            "000000000000000c 8 OBJECT LOCAL DEFAULT 4 second",
            "0000000000000000 0 NOTYPE GLOBAL DEFAULT UND bpf_cast_to_kern_ctx",
            "0000000000000000 0 NOTYPE GLOBAL DEFAULT UND bpf_rdonly_cast",
            "0000000000000000 4 OBJECT GLOBAL DEFAULT 6 _version",
        ] {
            #expect(lines.contains { $0.hasSuffix(symbol) }, "\(symbol)")
        }
        let relocations = lines.filter { $0.contains("R_BPF") }.map { line in
            let words = line.split(separator: " ")
            return words[0].drop { $0 == "0" } + " " + words[2] + " " + words[4]
        }
        #expect(
            relocations == [
                "20 R_BPF_64_64 first", "40 R_BPF_64_32 .text", "68 R_BPF_64_64 runs",
                "10 R_BPF_64_64 second", "30 R_BPF_64_32 bpf_cast_to_kern_ctx", "58 R_BPF_64_32 bpf_rdonly_cast",
            ])
    }

    /// As clang has it: calls to be found are program-local ones of −1, places in tables are constants.
    @Test(
        .enabled(if: Requirement.tool(llvm("llvm-objdump")).allowsRunning, "needs llvm-objdump"),
        arguments: ByteOrder.allCases)
    func llvmDisassemblesIt(order: ByteOrder) throws {
        let file = try ObjectFolder(referringObject(order))
        let lines = fields(try output(llvm("llvm-objdump"), ["-d", "--no-show-raw-insn", file.path]))
        let text = lines.drop { $0 != "Disassembly of section .text:" }
        #expect(
            Array(text) == [
                "Disassembly of section .text:",
                "0000000000000000 <tables_second>:",
                "0: r1 += 0", "1: r2 = 14", "2: r1 = 4 ll", "4: r0 = *(u32 *)(r1 + 0)", "5: exit",
                "0000000000000030 <inline_loads>:",
                "6: call -1", "7: r6 = r0", "8: r7 = *(u32 *)(r6 + 0)", "9: r1 = *(u64 *)(r6 + 8)", "10: r2 = 0",
                "11: call -1", "12: r0 = *(u8 *)(r0 + 13)", "13: w0 += w7", "14: exit",
            ])
        #expect(lines.contains("4: r7 = 2 ll"))
        #expect(lines.contains("13: r1 = 0 ll"))
    }

    @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"), arguments: ByteOrder.allCases)
    func bpftoolReadsTheTypes(order: ByteOrder) throws {
        let file = try ObjectFolder(referringObject(order))
        let types = fields(try output("bpftool", ["btf", "dump", "file", file.path]))
        #expect(types == Self.types)
        let header = try run("bpftool", ["btf", "dump", "file", file.path, "format", "c"])
        #expect(header.status == 0 && header.errors.isEmpty)
        #expect(
            fields(header.text).joined(separator: " ").contains(
                "struct sk_buff { unsigned int len; unsigned char *data; };"))
    }

    private static let types = [
        "[1] FWD '__sk_buff' fwd_kind=struct",
        "[2] PTR '(anon)' type_id=1",
        "[3] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
        "[4] FUNC_PROTO '(anon)' ret_type_id=3 vlen=1",
        "'ctx' type_id=2",
        "[5] FUNC 'tables' type_id=4 linkage=global",
        "[6] FUNC 'tables_second' type_id=4 linkage=static",
        "[7] FUNC 'inline_loads' type_id=4 linkage=static",
        "[8] INT 'unsigned short' size=2 bits_offset=0 nr_bits=16 encoding=(none)",
        "[9] STRUCT '(anon)' size=2 vlen=1",
        "'skc_family' type_id=8 bits_offset=0",
        "[10] STRUCT 'sock' size=2 vlen=1",
        "'__sk_common' type_id=9 bits_offset=0",
        "[11] INT 'unsigned int' size=4 bits_offset=0 nr_bits=32 encoding=(none)",
        "[12] INT 'unsigned char' size=1 bits_offset=0 nr_bits=8 encoding=(none)",
        "[13] PTR '(anon)' type_id=12",
        "[14] STRUCT 'sk_buff' size=16 vlen=2",
        "'len' type_id=11 bits_offset=0",
        "'data' type_id=13 bits_offset=64",
        "[15] PTR '(anon)' type_id=0",
        "[16] FUNC_PROTO '(anon)' ret_type_id=15 vlen=1",
        "'ctx' type_id=15",
        "[17] FUNC 'bpf_cast_to_kern_ctx' type_id=16 linkage=extern",
        "[18] FUNC_PROTO '(anon)' ret_type_id=15 vlen=2",
        "'address' type_id=15",
        "'type' type_id=11",
        "[19] FUNC 'bpf_rdonly_cast' type_id=18 linkage=extern",
        "[20] DATASEC '.ksyms' size=0 vlen=2",
        "type_id=17 offset=0 size=0 (FUNC 'bpf_cast_to_kern_ctx')",
        "type_id=19 offset=0 size=0 (FUNC 'bpf_rdonly_cast')",
        "[21] ARRAY '(anon)' type_id=3 index_type_id=3 nr_elems=2",
        "[22] PTR '(anon)' type_id=21",
        "[23] PTR '(anon)' type_id=11",
        "[24] INT 'unsigned long long' size=8 bits_offset=0 nr_bits=64 encoding=(none)",
        "[25] PTR '(anon)' type_id=24",
        "[26] ARRAY '(anon)' type_id=3 index_type_id=3 nr_elems=1",
        "[27] PTR '(anon)' type_id=26",
        "[28] STRUCT '(anon)' size=32 vlen=4",
        "'type' type_id=22 bits_offset=0",
        "'key' type_id=23 bits_offset=64",
        "'value' type_id=25 bits_offset=128",
        "'max_entries' type_id=27 bits_offset=192",
        "[29] VAR 'runs' type_id=28, linkage=global",
        "[30] DATASEC '.maps' size=32 vlen=1",
        "type_id=29 offset=0 size=32 (VAR 'runs')",
        "[31] ARRAY '(anon)' type_id=8 index_type_id=3 nr_elems=5",
        "[32] VAR 'first' type_id=31, linkage=static",
        "[33] ARRAY '(anon)' type_id=11 index_type_id=3 nr_elems=2",
        "[34] VAR 'second' type_id=33, linkage=static",
        "[35] DATASEC '.rodata' size=20 vlen=2",
        "type_id=32 offset=0 size=10 (VAR 'first')",
        "type_id=34 offset=12 size=8 (VAR 'second')",
        "[36] INT 'char' size=1 bits_offset=0 nr_bits=8 encoding=SIGNED",
        "[37] ARRAY '(anon)' type_id=36 index_type_id=3 nr_elems=4",
        "[38] VAR '_license' type_id=37, linkage=global",
        "[39] DATASEC 'license' size=4 vlen=1",
        "type_id=38 offset=0 size=4 (VAR '_license')",
        "[40] VAR '_version' type_id=11, linkage=global",
        "[41] DATASEC 'version' size=4 vlen=1",
        "type_id=40 offset=0 size=4 (VAR '_version')",
    ]

    /// The numbers of `.BTF.ext` are the same in both orders; those of the host's are proved by libbpf.
    @Test(.enabled(if: Requirement.tool(llvm("llvm-objcopy")).allowsRunning, "needs llvm-objcopy"))
    func recordsAreTheSameNumbersInBothOrders() throws {
        let words = try ByteOrder.allCases.map { order in
            let bytes = try ObjectFolder(referringObject(order)).section(".BTF.ext")
            return stride(from: 4, to: bytes.count, by: 4).map { Array(bytes[$0..<$0 + 4]) }
                .map { order == .little ? $0 : $0.reversed() }
        }
        #expect(words[0] == words[1])
        #expect(words[0].count > 40)
    }

    @Test func theSameObjectHasTheSameBytes() throws {
        #expect(try referringObject().bytes() == referringObject().bytes())
        #expect(try FunctionTests.xdpObject(.bool).bytes() == FunctionTests.xdpObject(.bool).bytes())
    }
}
