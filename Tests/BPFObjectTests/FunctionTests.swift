import BPFObject
import ExtendedBPF
import Testing
import TestSupport

/// Functions for C programs, in the hands of clang, libbpf's linker and the kernel.
@Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
struct FunctionTests {
    /// `matches` for XDP: whether the packet's byte 13 is 6. The second function makes the decision.
    static func xdpObject(_ result: Object.Kind.Result, _ order: ByteOrder = .host) throws -> Object {
        var entry = Assembler(functionNamed: "matches")
        entry.append(.call(localAt: 0), .function("matches_type"))
        entry.append(.exit)
        var type = Assembler(functionNamed: "matches_type")
        let no = type.makeLabel()
        type.append(.load(.word, .r2, .r1, 0))
        type.append(.load(.word, .r3, .r1, 4))
        type.append(.move64(.r4, .r2))
        type.append(.alu64(.add, .r4, 14))
        type.append(.move32(.r0, 0))
        type.append(.jump64(if: .r4, .greater, .r3, 0), to: no)
        type.append(.load(.byte, .r4, .r2, 13))
        type.append(.jump64(if: .r4, .notEqual, 6, 0), to: no)
        type.append(.move32(.r0, 1))
        type.place(no)
        type.append(.exit)
        return Object(
            program: Program(functions: [try entry.finish(), try type.finish()]), kind: .function(result: result),
            source: oneLine, contextType: "xdp_md", byteOrder: order)
    }

    /// Compiles the C file, links it with the object, loads it and runs it on two frames.
    private func results(
        _ object: Object, _ source: String, _ options: [String] = [], inspect: (String, TemporaryFolder) throws -> Void
    ) throws -> [String] {
        let file = try ObjectFolder(object)
        let machine = try output("gcc", ["-print-multiarch"]).split(separator: "\n").joined()
        let caller = file.folder.path("caller.o")
        let linked = file.folder.path("linked.o")
        _ = try output(
            llvm("clang"),
            ["-target", "bpf", "-g", "-O2", "-Wall", "-Werror", "-I/usr/include/\(machine)", "-c"] + options
                + ["-o", caller, corpusC(source)])
        // In either order.
        _ = try output("bpftool", ["gen", "object", file.folder.path("other.o"), file.path, caller])
        let link = try run("bpftool", ["gen", "object", linked, caller, file.path])
        #expect(link.status == 0 && link.errors == "", "\(link.errors)")
        try inspect(linked, file.folder)
        let script = """
            for object in "$2" "$3"; do
                bpftool prog load "$object" $pin 2>&1
                run 'abcdefghijkl\\010\\006'
                run 'abcdefghijkl\\010\\000'
                rm $pin
            done
            """
        let text = try withPins(file, script, [linked, file.folder.path("other.o")])
        return fields(text)
    }

    @Test(arguments: [Object.Kind.Result.bool, .int])
    func aCompiledProgramCallsIt(result: Object.Kind.Result) throws {
        let options = result == .int ? ["-DRESULT=int"] : []
        let lines = try results(Self.xdpObject(result), "calls-function.c", options) { linked, folder in
            let symbols = fields(try output(llvm("llvm-readelf"), ["-sW", linked]))
            #expect(symbols.contains { $0.contains("FUNC GLOBAL HIDDEN") && $0.hasSuffix(" matches") })
            let header = try output("bpftool", ["btf", "dump", "file", linked])
            #expect(fields(header).contains { $0.hasPrefix("[") && $0.contains("FUNC 'matches'") && $0.hasSuffix("global") })
        }
        // XDP_DROP is 1, XDP_PASS 2.
        #expect(lines == ["returned 1", "returned 2", "returned 1", "returned 2"])
    }

    /// What C declares otherwise is found by the linker.
    @Test func anotherResultIsRefused() throws {
        #expect(throws: ToolFailure.self) {
            _ = try results(Self.xdpObject(.bool), "calls-function.c", ["-DRESULT=int"]) { _, _ in }
        }
    }

    /// Kernel functions, structures, tables and maps come through the linker too.
    @Test(.enabled(if: castsToVoid, "needs Linux 6.17"))
    func itBringsWhatItRefersTo() throws {
        var code = Assembler(functionNamed: "matches")
        code.append(kernelFunctionCall, .kernelFunction("bpf_cast_to_kern_ctx"))
        code.append(.load(.doubleword, .r1, .r0, 0), .kernelField(structure: "sk_buff", member: "data"))
        code.append(.move64(.r2, 0))
        code.append(kernelFunctionCall, .kernelFunction("bpf_rdonly_cast"))
        code.append(.load(.byte, .r6, .r0, 13))
        code.append(.alu64(.and, .r6, 7))
        code.append(Instruction(.loadWide, dstReg: .r1, srcReg: .r2), .data("verdicts", offset: 1))
        code.append(.alu64(.add, .r1, .r6))
        code.append(.load(.byte, .r7, .r1, 0))
        code.append(.store(.word, .r10, -4, 0 as Int32))
        code.append(.move64(.r2, .r10))
        code.append(.alu64(.add, .r2, -4))
        code.append(Instruction(.loadWide, dstReg: .r1, srcReg: .r1), .map("counts"))
        code.append(.call(helper: 1))
        code.append(.move64(.r0, .r7))
        code.append(.exit)
        let object = Object(
            program: Program(
                functions: [try code.finish()],
                data: [DataTable(name: "verdicts", bytes: [9, 0, 0, 0, 0, 0, 0, 1, 0])],
                maps: [MapDeclaration(name: "counts", kind: .perCPUArray, keySize: 4, valueSize: 8, maxEntries: 1)]),
            kind: .function(result: .int), source: oneLine, contextType: "__sk_buff")
        let lines = try results(object, "calls-classifier.c") { _, _ in }
        // TC_ACT_SHOT is 2.
        #expect(lines == ["returned 2", "returned 0", "returned 2", "returned 0"])
    }

    @Test func allIsInText() throws {
        let file = try ObjectFolder(Self.xdpObject(.bool))
        let lines = fields(try output(llvm("llvm-readelf"), ["-aW", file.path]))
        #expect(lines.contains { $0.hasSuffix("0000000000000000 16 FUNC GLOBAL HIDDEN 1 matches") })
        #expect(lines.contains { $0.hasSuffix("0000000000000010 80 FUNC LOCAL DEFAULT 1 matches_type") })
        #expect(!lines.contains { $0.contains("license") || $0.contains(".rel") })
        let types = fields(try output("bpftool", ["btf", "dump", "file", file.path]))
        #expect(
            types == [
                "[1] STRUCT 'xdp_md' size=0 vlen=0", "[2] PTR '(anon)' type_id=1",
                "[3] INT '_Bool' size=1 bits_offset=0 nr_bits=8 encoding=BOOL",
                "[4] FUNC_PROTO '(anon)' ret_type_id=3 vlen=1", "'ctx' type_id=2",
                "[5] FUNC 'matches' type_id=4 linkage=global",
                "[6] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED",
                "[7] FUNC_PROTO '(anon)' ret_type_id=6 vlen=1", "'ctx' type_id=2",
                "[8] FUNC 'matches_type' type_id=7 linkage=static",
            ])
    }
}
