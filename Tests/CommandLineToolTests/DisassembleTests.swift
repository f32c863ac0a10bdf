import Foundation
import TestSupport
import Testing

/// `cbpf2ebpf disasm`, and `cbpf2ebpf asm` of eBPF text.
@Suite struct DisassembleTests {
    /// A program with all that refers to something else: a map, tables, a function, kernel functions, CO-RE.
    private static let source = """
        struct sk_buff { unsigned len; struct { unsigned char *data; }; } __attribute__((preserve_access_index));
        struct { int (*type)[2]; int *key; long *value; int (*max_entries)[4]; } counts
            __attribute__((section(".maps"), used));
        extern int bpf_kernel_function(void *p) __attribute__((section(".ksyms")));
        static long (*loop)(unsigned rounds, void *f, void *context, unsigned long flags) = (void *)181;
        static __attribute__((noinline)) int each(long round, void *context) { return round > 3; }
        static void *(*lookup)(void *, const void *) = (void *)1;
        const char greeting[] = "hello world";
        static __attribute__((noinline)) int one(struct sk_buff *skb, unsigned long x) { return skb->len + x; }
        __attribute__((section("classifier"), used)) int first(struct sk_buff *skb) {
            int key = 3;
            long *value = lookup(&counts, &key);
            if (value) __sync_fetch_and_add(value, 1);
            return one(skb, 5) + greeting[skb->len & 7];
        }
        __attribute__((section("xdp"), used)) int second(void *ctx) {
            loop(10, each, ctx, 0);
            return bpf_kernel_function(ctx) + __builtin_preserve_field_info(((struct sk_buff *)ctx)->len, 2);
        }
        """

    private static let plainSource = """
        static __attribute__((noinline)) int twice(int x) { return 2 * x; }
        __attribute__((section("socket"), used)) int f(int *p) { return twice(*p) + twice(p[1]); }
        """

    private static func compile(_ folder: TemporaryFolder, _ source: String, _ options: [String]) throws -> String {
        try folder.file("program.c", containing: Array(source.utf8))
        let result = try run(
            llvm("clang"),
            ["-target", "bpf", "-O2", "-c", "-o", folder.path("program.o"), folder.path("program.c")] + options)
        try #require(result.status == 0, "\(result.errors)")
        return folder.path("program.o")
    }

    @Test func whatAnObjectRefersToIsShownByName() throws {
        let folder = try TemporaryFolder()
        let object = try Self.compile(folder, Self.source, ["-g", "-mcpu=v3"])
        let listing = try ToolRun(["disasm", object])
        #expect(listing.status == 0 && listing.errors == "")
        for line in [
            "; section classifier\n", "\nint first(struct sk_buff *skb):\n",
            "; 12: long *value = lookup(&counts, &key);\n",
            " r1 = map[counts]\n", "(85) call bpf_map_lookup_elem#1\n", "(db) lock *(u64 *)(r0 +0) += r1\n",
            "(r6 +sk_buff.len)\n", "= greeting[0]+0\n", "\nint one(struct sk_buff *skb, unsigned long x):\n",
            "; section xdp\n", "(85) call bpf_kernel_function\n", "; CO-RE: existence of struct sk_buff.len\n",
            " r2 = subprog[+", "\nint each(long round, void *context):\n",
        ] {
            #expect(listing.text.contains(line), "\(line)\(listing.text)")
        }
        #expect(try ToolRun(["disasm", "--syntax", "llvm", object]).text.contains("\tr1 = counts ll\n"))
        let bare = try ToolRun(["disasm", Self.compile(folder, Self.plainSource, ["-mcpu=v3"])])
        #expect(bare.status == 0, "an object without types: \(bare.errors)")
    }

    /// Every object that clang makes of the C of this repository, opcode for opcode as llvm-objdump shows it.
    @Test(arguments: ["v1", "v2", "v3"]) func clangsObjectsHaveTheOpcodesThatLLVMShows(cpu: String) throws {
        var sources = ReferenceFilter.files.map { filter in
            (filter.name, "#define HOOK_XDP\n" + filter.text)
        }
        sources.append(("references", Self.source))
        for (name, source) in sources {
            let folder = try TemporaryFolder()
            let include = ReferenceFilter.folder.path(percentEncoded: false)
            let object = try Self.compile(folder, source, ["-g", "-mcpu=\(cpu)", "-I", include])
            let listing = try ToolRun(["disasm", object])
            #expect(listing.status == 0, "\(name): \(listing.errors)")
            let dump = try run(llvm("llvm-objdump"), ["-d", object]).text
            // Ours has a function once for each program that calls it.
            let theirs = dump.matches(of: #/\n +\d+:\t([0-9a-f]{2}) /#).map { $0.1 }
            let ours = listing.text.matches(of: #/(?:^|\n) *\d+: \(([0-9a-f]{2})\) /#).map { $0.1 }
            #expect(!ours.isEmpty && ours.sorted() == theirs.sorted(), "\(name)")
        }
    }

    /// What is shown is an object again, of the same instructions.
    @Test(arguments: [
        ["tcp port 80"], ["--hook", "xdp", "--match", "drop", "ip6 protochain 6"], ["-O0", "vlan and icmp"],
    ])
    func shownProgramsAssembleToTheSame(arguments: [String]) throws {
        let folder = try TemporaryFolder()
        #expect(try ToolRun(arguments + ["-o", folder.path("a.o")]).status == 0)
        for syntax in ["kernel", "llvm"] {
            let listing = try ToolRun(["disasm", "--syntax", syntax, folder.path("a.o")])
            #expect(listing.status == 0, "\(listing.errors)")
            let hook = arguments.first == "--hook" ? "xdp" : "socket"
            let made = try ToolRun(["asm", "--hook", hook, "-o", folder.path("b.o")], input: listing.output)
            #expect(made.status == 0, "\(made.errors)")
            let again = try ToolRun(["disasm", "--syntax", syntax, folder.path("b.o")])
            func code(_ text: String) -> [Substring] {
                text.split(separator: "\n").filter { !"#;".contains($0.first!) }
            }
            #expect(code(again.text) == code(listing.text))
            let raw = try ToolRun(["asm", "--to", "raw"], input: listing.output)
            #expect(raw.output.count % 8 == 0 && !raw.output.isEmpty)
        }
    }

    /// clang's object and the one made of its text have the same code and relocations and make the same maps: so say
    /// llvm-objdump and, of what libbpf loads, bpftool. LLVM's assembler takes its spelling.
    @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    func mapsAndTablesComeBack() throws {
        let source = """
            struct { int (*type)[2]; int *key; long *value; int (*max_entries)[4]; } counts
                __attribute__((section(".maps"), used));
            struct { int (*type)[1]; int (*key_size)[6]; int (*value_size)[3]; int (*max_entries)[100]; int (*map_flags)[1]; }
                other __attribute__((section(".maps"), used));
            static void *(*lookup)(void *, const void *) = (void *)1;
            const char greeting[] = "hello world, hello world";
            const unsigned long numbers[] = {1, ~0ul, 3};
            __attribute__((section("socket"), used)) int first(int *skb) {
                int key = *skb & 3;
                long *value = lookup(&counts, &key);
                if (value) __sync_fetch_and_add(value, 1);
                char name[8] = {0};
                char *found = lookup(&other, name);
                return greeting[*skb & 7] + numbers[*skb & 1] + (found ? *found : 0);
            }
            char LICENSE[] __attribute__((section("license"), used)) = "GPL";
            """
        let folder = try TemporaryFolder()
        let object = try Self.compile(folder, source, ["-g", "-mcpu=v3"])
        let shown = #"""
            mount -t bpf bpf /sys/fs/bpf
            bpftool prog load "$0" /sys/fs/bpf/p
            for id in $(bpftool prog show pinned /sys/fs/bpf/p | sed -n 's/.*map_ids //p' | tr , ' '); do
                bpftool map show id $id | grep -o 'key.*max_entries [0-9]*\|flags.*'
            done
            """#
        func facts(_ object: String) throws -> [String] {
            let arguments = ["-drs", "--section=socket", "--section=.rodata", "--no-show-raw-insn", object]
            let code = try run(llvm("llvm-objdump"), arguments).text.split(separator: "\n")
            let loaded = try run("unshare", ["-m", "sh", "-c", shown, object]).text.split(separator: "\n")
            // Places that jumps lead to have names in one and none in the other.
            let facts = (code + loaded).filter { !$0.contains("file format") && !$0.contains(#/^[0-9a-f]+ </#) }
            return facts.map { $0.prefix { $0 != "<" }.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        }
        let expected = try facts(object)
        #expect(
            expected.contains { $0.contains("value 3B") } && expected.contains { $0.contains("R_BPF_64_64\tother") })
        for syntax in ["kernel", "llvm"] {
            let listing = try ToolRun(["disasm", "--syntax", syntax, object])
            let again = folder.path("\(syntax).o")
            let made = try ToolRun(["asm", "-o", again], input: listing.output)
            #expect(made.status == 0, "\(made.errors)")
            #expect(try facts(again) == expected)
            guard syntax == "llvm" else { continue }
            let theirs = try run(
                llvm("llvm-mc"), ["-triple", "bpf", "-mcpu=v3", "-filetype=obj", "-o", folder.path("m.o")],
                input: listing.output)
            #expect(theirs.status == 0, "\(theirs.errors)")
        }
    }

    @Test func textBecomesWhatItsFormIs() throws {
        let text = "start: r0 = 1\nif r0 == 1 goto end\ncall 7\nend: exit\n"
        #expect(
            try ToolRun(["asm", "--to", "asm"], input: Array(text.utf8)).text == """
                   0: (b7) r0 = 1
                   1: (15) if r0 == 0x1 goto pc+1
                   2: (85) call bpf_get_prandom_u32#7
                   3: (95) exit

                """)
        // The same command makes of classic text what it always has.
        #expect(try ToolRun(["asm"], input: Array("ret #0\n".utf8)).text.hasPrefix("1,6 0 0 0"))
        let wrong = try ToolRun(["asm"], input: Array("r0 = 1\nr0 = w1\ngoto x\n".utf8))
        #expect(wrong.status == 1)
        #expect(wrong.errors.contains("2:6: found 'w1', expected a register as wide as 'r0'"))
        #expect(wrong.errors.contains("3:6: there is no label 'x'"))
        #expect(try ToolRun(["asm", "--input-form", "bpf-asm"], input: Array(text.utf8)).status == 1)
        #expect(try ToolRun(["asm", "--hook", "nowhere"]).status == 64)
        #expect(try ToolRun(["asm", "--to", "tcpdump-d"], input: Array(text.utf8)).status == 64)
        #expect(try ToolRun(["asm", "--to", "object"], input: Array("ret #0\n".utf8)).status == 64)
        #expect(try ToolRun(["asm", "--hook", "xdp"], input: Array("ret #0\n".utf8)).status == 64)
        #expect(try ToolRun(["disasm", "--syntax", "intel", "x"]).status == 64)
        let none = try ToolRun(["disasm", "-"], input: Array("text".utf8))
        #expect(
            none.status == 1 && none.errors == "cbpf2ebpf: byte 0: this is no ELF file, one begins with 7f 45 4c 46\n")
    }

    #if os(Linux)
        /// A program that is loaded in the kernel, shown by bpftool with and without its bytes, reads back.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
        func whatBpftoolShowsReadsBack() throws {
            let folder = try TemporaryFolder()
            try folder.file("text", containing: Array(Self.loadable.utf8))
            let made = try ToolRun(["asm", "-o", folder.path("a.o"), folder.path("text")])
            try #require(made.status == 0, "\(made.errors)")
            let shown = try run(
                "unshare",
                [
                    "-m", "sh", "-ec",
                    """
                    mount -t bpf bpf /sys/fs/bpf
                    bpftool prog load "$0" /sys/fs/bpf/p type socket
                    bpftool prog dump xlated pinned /sys/fs/bpf/p > "$1"
                    bpftool prog dump xlated pinned /sys/fs/bpf/p opcodes > "$2"
                    bpftool prog dump xlated pinned /sys/fs/bpf/p file "$3"
                    """, folder.path("a.o"), folder.path("plain"), folder.path("opcodes"), folder.path("bytes"),
                ])
            try #require(shown.status == 0, "\(shown.errors)")
            var bytes = try [UInt8](Data(contentsOf: folder.url("bytes")))
            // In the kernel a call of a function holds the distance elsewhere, and in its place the function's number.
            for slot in stride(from: 0, to: bytes.count, by: 8) where bytes[slot] == 0x85 && bytes[slot + 1] == 0x10 {
                bytes.replaceSubrange(slot + 4..<slot + 8, with: bytes[slot + 2...slot + 3] + [0, 0])
                bytes.replaceSubrange(slot + 2...slot + 3, with: [0, 0])
            }
            for name in ["plain", "opcodes"] {
                let read = try ToolRun(["asm", "--to", "raw", folder.path(name)])
                #expect(read.status == 0, "\(read.errors)")
                let text = try String(contentsOf: folder.url(name), encoding: .utf8)
                #expect(read.output == bytes, "\(text)")
            }
        }

        private static let loadable = """
            filter:
                r6 = r1
                r7 = 0x123456789abcdef ll
                w8 = -1
                *(u64 *)(r10 - 8) = r7
                *(u32 *)(r10 - 16) = 5
                lock *(u64 *)(r10 - 8) += r7
                r2 = 1
                r2 = atomic64_fetch_xor((u64 *)(r10 - 8), r2)
                r0 = *(u16 *)skb[12]
                if r0 != 0x800 goto end
                call bpf_get_prandom_u32
                if w0 s> 5 goto +1
                goto end
                r1 = r0
                call double
            end:
                r0 = be16 r0
                r0 s>>= 3
                exit
            double:
                r0 = r1
                r0 += r1
                exit
            """
    #endif
}
