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

    /// Compiles the C file, links it with the objects in either order, loads both and runs them on two frames.
    ///
    /// - Parameter header: What declares the first object's function.
    private func results(
        _ objects: [Object], _ source: String, header: String? = nil,
        inspect: (_ linked: String) throws -> Void = { _ in }
    ) throws -> [String] {
        let folder = try TemporaryFolder()
        try folder.file("function.h", containing: Array((header ?? objects[0].header() ?? "").utf8))
        var files: [String] = []
        for (index, object) in objects.enumerated() {
            try folder.file("\(index).o", containing: object.bytes())
            files.append(folder.path("\(index).o"))
        }
        let caller = folder.path("caller.o")
        let machine = fields(try output("gcc", ["-print-multiarch"])).joined()
        _ = try output(
            llvm("clang"),
            [
                "-target", "bpf", "-g", "-O2", "-Wall", "-Werror", "-I/usr/include/\(machine)",
                "-DHEADER=\"\(folder.path("function.h"))\"", "-c", "-o", caller, corpusC(source),
            ])
        var lines: [String] = []
        for (name, order) in [("linked.o", [caller] + files), ("other.o", files + [caller])] {
            let link = try run("bpftool", ["gen", "object", folder.path(name)] + order)
            guard link.status == 0, link.errors.isEmpty else { throw ToolFailure(text: link.errors) }
            try inspect(folder.path(name))
            let text = try withPins(
                folder.path(name),
                """
                bpftool prog load "$1" $pin 2>&1
                run 'abcdefghijkl\\010\\006'
                run 'abcdefghijkl\\010\\000'
                """)
            lines += fields(text)
        }
        return lines
    }

    @Test(arguments: [Object.Kind.Result.bool, .int])
    func aCompiledProgramCallsIt(result: Object.Kind.Result) throws {
        let lines = try results([Self.xdpObject(result)], "calls-function.c") { linked in
            let symbols = fields(try output(llvm("llvm-readelf"), ["-sW", linked]))
            #expect(symbols.contains { $0.contains("FUNC GLOBAL HIDDEN") && $0.hasSuffix(" matches") })
            let types = fields(try output("bpftool", ["btf", "dump", "file", linked]))
            #expect(types.contains { $0.contains("FUNC 'matches'") && $0.hasSuffix("linkage=global") })
        }
        // XDP_DROP is 1, XDP_PASS 2.
        #expect(lines == ["returned 1", "returned 2", "returned 1", "returned 2"])
    }

    /// What C declares otherwise is found by the linker.
    @Test func anotherResultIsRefused() throws {
        let error = #expect(throws: ToolFailure.self) {
            try results(
                [Self.xdpObject(.bool)], "calls-function.c", header: "extern int matches(struct xdp_md *ctx);\n")
        }
        #expect(error?.text.contains("global 'matches': incompatible int") == true, "\(error?.text ?? "")")
    }

    /// A function for tc: what a table has for the packet's byte 13, read through the kernel's own structure or with
    /// LD_ABS; its runs are counted.
    private static func classifierObject(_ name: String, _ verdicts: [UInt8], inline: Bool) throws -> Object {
        var code = Assembler(functionNamed: name)
        if inline {
            code.append(kernelFunctionCall, .kernelFunction("bpf_cast_to_kern_ctx"))
            code.append(.load(.doubleword, .r1, .r0, 0), .kernelField(structure: "sk_buff", member: "data"))
            code.append(.move64(.r2, 0))
            code.append(kernelFunctionCall, .kernelFunction("bpf_rdonly_cast"))
            code.append(.load(.byte, .r6, .r0, 13))
        } else {
            code.append(.move64(.r6, .r1))
            code.append(.loadPacket(.byte, at: 13))
            code.append(.move64(.r6, .r0))
            code.append(.move64(.r0, 0))
            code.append(.alu64(.add, .r0, 0), .kernelField(structure: "sk_buff", member: "len"))
        }
        code.append(.alu64(.and, .r6, 7))
        code.append(Instruction(.loadWide, dstReg: .r1, srcReg: .r2), .data("verdicts", offset: 1))
        code.append(.alu64(.add, .r1, .r6))
        code.append(.load(.byte, .r7, .r1, 0))
        code.append(.store(.word, .r10, -4, 0 as Int32))
        code.append(.move64(.r2, .r10))
        code.append(.alu64(.add, .r2, -4))
        code.append(Instruction(.loadWide, dstReg: .r1, srcReg: .r1), .map(name + "_counts"))
        code.append(.call(helper: 1))
        code.append(.move64(.r0, .r7))
        code.append(.exit)
        let map = MapDeclaration(name: name + "_counts", kind: .perCPUArray, keySize: 4, valueSize: 8, maxEntries: 1)
        return Object(
            program: Program(
                functions: [try code.finish()], data: [DataTable(name: "verdicts", bytes: verdicts)], maps: [map]),
            kind: .function(result: .int), source: oneLine, contextType: "__sk_buff")
    }

    /// Kernel functions, structures, tables and maps come through the linker too, also where two files have them.
    ///
    /// Only kernel functions must be in one file alone for libbpf 1.1, of which clang's objects are no exception.
    @Test(.enabled(if: castsToVoid, "needs Linux 6.17"))
    func functionsBringWhatTheyReferTo() throws {
        let six = try Self.classifierObject("matches", [9, 0, 0, 0, 0, 0, 0, 1, 0], inline: true)
        let nothing = try Self.classifierObject("excepts", [9, 0, 0, 0, 0, 0, 0, 0, 0], inline: false)
        // TC_ACT_SHOT is 2.
        #expect(
            try results([six, nothing], "calls-classifier.c")
                == ["returned 2", "returned 0", "returned 2", "returned 0"])
        let sixToo = try Self.classifierObject("excepts", [9, 0, 0, 0, 0, 0, 0, 1, 0], inline: false)
        #expect(
            try results([six, sixToo], "calls-classifier.c")
                == ["returned 0", "returned 0", "returned 0", "returned 0"])
    }

    @Test func headersDeclareTheFunction() throws {
        #expect(
            try Self.xdpObject(.bool).header() == """
                #ifndef MATCHES_H
                #define MATCHES_H

                struct xdp_md;
                extern _Bool matches(struct xdp_md *ctx);

                #endif

                """)
        var object = try Self.xdpObject(.int)
        object.contextType = "unsigned long long"
        #expect(
            try object.header()?.contains("#define MATCHES_H\n\nextern int matches(unsigned long long *ctx);\n") == true
        )
        #expect(try ipObject().header() == nil)
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
