import BPFObject
import ExtendedBPF
import Testing
import TestSupport

/// The file as binutils and LLVM read it.
@Suite struct FileTests {
    @Test(.enabled(if: Requirement.tool("readelf").allowsRunning, "needs readelf"), arguments: ByteOrder.allCases)
    func binutilsReadsItWithoutAWarning(order: ByteOrder) throws {
        let file = try ObjectFolder(droppingObject(order))
        let result = try run("readelf", ["-aW", file.path])
        #expect(result.status == 0)
        #expect(result.errors.isEmpty)
        #expect(!result.text.localizedCaseInsensitiveContains("warning"))
        let lines = fields(result.text)
        #expect(lines.contains("Data: 2's complement, \(order.rawValue) endian"))
        #expect(lines.contains("Type: REL (Relocatable file)"))
        #expect(lines.contains("Machine: Linux BPF"))
        #expect(lines.contains("Section header string table index: 8"))
        // Name, type, flags, link, info, alignment; the sizes come from the programs above: 7 + 1, 8 + 1 + 8 slots.
        let sections = lines.filter { $0.hasPrefix("[ ") }.map { $0.split(separator: " ").dropFirst(2) }
        #expect(
            sections.contains { $0.starts(with: ["classifier", "PROGBITS", "0000000000000000", "000040", "000040"]) })
        #expect(sections.contains { $0.starts(with: [".text", "PROGBITS", "0000000000000000", "000080", "000088"]) })
        #expect(sections.contains { $0.first == ".relclassifier" && $0.suffix(4) == ["I", "7", "1", "8"] })
        #expect(sections.contains { $0.first == ".symtab" && $0.suffix(3) == ["8", "4", "8"] })
        #expect(sections.contains { $0.first == "license" && $0.contains("WA") })
    }

    @Test(
        .enabled(if: Requirement.tool(llvm("llvm-readelf")).allowsRunning, "needs llvm-readelf"),
        arguments: ByteOrder.allCases)
    func llvmSeesSymbolsAndRelocations(order: ByteOrder) throws {
        let file = try ObjectFolder(droppingObject(order))
        let lines = fields(try output(llvm("llvm-readelf"), ["-aW", file.path]))
        for symbol in [
            "0000000000000000 0 SECTION LOCAL DEFAULT 2 .text",
            "0000000000000000 72 FUNC LOCAL DEFAULT 2 is_arp",
            "0000000000000048 64 FUNC LOCAL DEFAULT 2 is_ip_or_arp",
            "0000000000000000 64 FUNC GLOBAL DEFAULT 1 drop_ip_arp",
            "0000000000000000 4 OBJECT GLOBAL DEFAULT 3 _license",
        ] {
            #expect(lines.contains { $0.hasSuffix(symbol) }, "\(symbol)")
        }
        let relocations = lines.filter { $0.contains("R_BPF_64_32") }
        #expect(relocations.count == 1)
        // The type is the lower half of the second number.
        #expect(relocations.first?.hasPrefix("0000000000000010 ") == true)
        #expect(relocations.first?.hasSuffix("0000000a R_BPF_64_32 0000000000000000 .text") == true)
    }

    @Test(
        .enabled(if: Requirement.tool(llvm("llvm-objdump")).allowsRunning, "needs llvm-objdump"),
        arguments: ByteOrder.allCases)
    func llvmDisassemblesIt(order: ByteOrder) throws {
        let file = try ObjectFolder(droppingObject(order))
        let text = try output(llvm("llvm-objdump"), ["-dr", "--no-show-raw-insn", file.path])
        #expect(
            fields(text).filter { !$0.contains("file format") } == [
                "Disassembly of section classifier:",
                "0000000000000000 <drop_ip_arp>:",
                "0: r7 = 4294967298 ll", "2: call 8", "0000000000000010: R_BPF_64_32 .text",
                "3: if r0 == 0 goto +2 <drop_ip_arp+0x30>",
                "4: w0 = w7", "5: exit", "6: w0 = 0", "7: exit",
                "Disassembly of section .text:",
                "0000000000000000 <is_arp>:",
                "0: r8 = 2054 ll", "2: r6 = r1", "3: r0 = *(u16 *)skb[12]", "4: if r0 != r8 goto +2 <is_arp+0x38>",
                "5: w0 = 1", "6: exit", "7: w0 = 0", "8: exit",
                "0000000000000048 <is_ip_or_arp>:",
                "9: r6 = r1", "10: r0 = *(u16 *)skb[12]", "11: if r0 != 2048 goto +2 <is_ip_or_arp+0x28>",
                "12: w0 = 1", "13: exit", "14: r1 = r6", "15: call -16", "16: exit",
            ])
    }

    @Test func theSameObjectHasTheSameBytes() throws {
        #expect(try droppingObject().bytes() == droppingObject().bytes())
        #expect(try droppingObject(.little).bytes() != droppingObject(.big).bytes())
    }

    @Test func withoutOtherFunctionsThereIsNoText() throws {
        let bytes = try ipObject().bytes()
        #expect(bytes.firstRange(of: Array(".text".utf8)) == nil)
        #expect(bytes.firstRange(of: Array(".rel".utf8)) == nil)
    }
}

/// The types and records as bpftool reads them.
@Suite struct TypesInFilesTests {
    @Test(
        .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"), arguments: ByteOrder.allCases)
    func bpftoolReadsTheTypes(order: ByteOrder) throws {
        let file = try ObjectFolder(droppingObject(order))
        let types = fields(try output("bpftool", ["btf", "dump", "file", file.path]))
        #expect(
            types == [
                "[1] FWD '__sk_buff' fwd_kind=struct", "[2] PTR '(anon)' type_id=1",
                "[3] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
                "[4] FUNC_PROTO '(anon)' ret_type_id=3 vlen=1", "'ctx' type_id=2",
                "[5] FUNC 'drop_ip_arp' type_id=4 linkage=global", "[6] FUNC 'is_arp' type_id=4 linkage=static",
                "[7] FUNC 'is_ip_or_arp' type_id=4 linkage=static",
                "[8] INT 'char' size=1 bits_offset=0 nr_bits=8 encoding=SIGNED",
                "[9] ARRAY '(anon)' type_id=8 index_type_id=3 nr_elems=4",
                "[10] VAR '_license' type_id=9, linkage=global", "[11] DATASEC 'license' size=4 vlen=1",
                "type_id=10 offset=0 size=4 (VAR '_license')",
            ])
    }

    /// The records of a little-endian file are proved by the kernel; the big-endian ones must be the same numbers.
    @Test(.enabled(if: Requirement.tool(llvm("llvm-objcopy")).allowsRunning, "needs llvm-objcopy"))
    func recordsAreTheSameNumbersInBothOrders() throws {
        let little = try ObjectFolder(droppingObject(.little)).section(".BTF.ext")
        let big = try ObjectFolder(droppingObject(.big)).section(".BTF.ext")
        #expect(Array(little.prefix(4)) == [0x9f, 0xeb, 1, 0])
        #expect(Array(big.prefix(4)) == [0xeb, 0x9f, 1, 0])
        let words = { (bytes: [UInt8]) in
            stride(from: 4, to: bytes.count, by: 4).map { Array(bytes[$0..<$0 + 4]) }
        }
        #expect(words(little).count > 20)
        #expect(words(little).map { $0.reversed() } == words(big))
    }

    /// libbpf's linker checks a file's structure more strictly than its loader does.
    @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
    func bpftoolLinksIt() throws {
        let file = try ObjectFolder(droppingObject(.little))
        let linked = file.folder.path("linked.o")
        _ = try output("bpftool", ["gen", "object", linked, file.path])
        let code = try output(llvm("llvm-objdump"), ["-dr", "--no-show-raw-insn", linked])
        let lines = fields(code)
        #expect(lines.contains("2: call 8"))
        #expect(lines.contains("0000000000000010: R_BPF_64_32 .text"))
    }
}
