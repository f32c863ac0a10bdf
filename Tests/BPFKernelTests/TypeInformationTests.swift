#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import Testing
    import TestSupport

    /// A hand-made BTF blob: `int main(int ctx)`.
    enum MinimalTypes {
        static let strings: [UInt8] = Array("\0int\0ctx\0main\0main.c\0return 1;\0".utf8)

        static let types: [UInt8] = [
            [1, 1 << 24, 4, 1 << 24 | 32],  // [1] INT 'int', 4 bytes, signed, 32 bits
            [0, 13 << 24 | 1, 1, 5, 1],  // [2] FUNC_PROTO returning [1], one parameter 'ctx' of [1]
            [9, 12 << 24 | 1, 2],  // [3] FUNC 'main' of [2], global
        ].flatMap(words)

        static let blob: [UInt8] =
            // Magic 0xeb9f, version 1, no flags; header length; types: place, length; strings: place, length.
            words([0x0001_eb9f, 24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.count)]) + types
            + strings

        /// For a program of one function: its type, and that its first instruction is line 7, column 3 of main.c.
        static let debugInformation = DebugInformation(
            types: blob, functionRecords: words([0, 3]), lineRecords: words([0, 14, 21, 7 << 10 | 3]))

        static func words(_ words: [UInt32]) -> [UInt8] { words.withUnsafeBytes { Array($0) } }
    }

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct TypeInformationTests {
        @Test func loadsTypes() throws {
            let types = try TypeInformation(loading: MinimalTypes.blob)
            #expect(types.descriptor.rawValue >= 0)
        }

        @Test func refusesWithTheReason() throws {
            var blob = MinimalTypes.blob
            blob[0] = 0
            let error = try #require(throws: KernelError.self) { _ = try TypeInformation(loading: blob) }
            #expect(error.call == .loadTypeInformation)
            #expect(error.description == "bpf(BPF_BTF_LOAD): invalid argument (22), the verifier says: Invalid magic")
        }

        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
        func givesProgramsTypesAndLines() throws {
            let loaded = try load(returning(1)) { $0.debugInformation = MinimalTypes.debugInformation }
            let id = "\(try loaded.information().identifier)"
            let shown =
                try JSONSerialization.jsonObject(
                    with: Data(run("bpftool", ["-j", "prog", "show", "id", id]).output)) as? [String: Any]
            let types = try #require(shown?["btf_id"] as? Int)
            let dump = try run("bpftool", ["btf", "dump", "id", "\(types)"]).text
            #expect(dump.contains("[3] FUNC 'main' type_id=2 linkage=global"))
            let listing = try run("bpftool", ["prog", "dump", "xlated", "id", id, "linum"]).text
            #expect(listing.contains("int main(int ctx):\n; return 1; [file:main.c line_num:7 line_col:3]\n"))
        }

        /// With types a program-local function may load packet bytes; where they are missing only that function ends.
        @Test func letsLocalFunctionsLoadPacketBytes() throws {
            let strings: [UInt8] = Array("\0int\0main\0sub\0ctx\0".utf8)
            let types: [UInt8] = [
                [1, 1 << 24, 4, 1 << 24 | 32],  // [1] INT 'int'
                [0, 2 << 24, 0],  // [2] PTR to void
                [0, 13 << 24 | 1, 1, 14, 2],  // [3] FUNC_PROTO returning [1], one parameter 'ctx' of [2]
                [5, 12 << 24 | 1, 3],  // [4] FUNC 'main', global
                [10, 12 << 24, 3],  // [5] FUNC 'sub', static
            ].flatMap(MinimalTypes.words)
            let header: [UInt32] = [
                0x0001_eb9f, 24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.count),
            ]
            let debug = DebugInformation(
                types: MinimalTypes.words(header) + types + strings,
                functionRecords: MinimalTypes.words([0, 4, 3, 5]))
            var main = Function(name: "main", instructions: [.call(localAt: 0), .alu64(.add, .r0, 1000), .exit])
            main.references[0] = .function("sub")
            let frame = Frames.named("tcp to 443").bytes
            for (offset, result) in [(UInt32(23), UInt32(1006)), (5000, 1000)] {
                let sub = Function(
                    name: "sub", instructions: [.move64(.r6, .r1), .loadPacket(.byte, at: offset), .exit])
                let program = ExtendedBPF.Program(functions: [main, sub])
                let loaded = try load(program, as: .schedCls) { $0.debugInformation = debug }
                #expect(try loaded.run(on: frame).returnValue == result)
                #expect(
                    refusal(program, as: .schedCls)?.verdict == "LD_ABS is not allowed in subprogs without BTF")
            }
        }

        @Test func refusesPartialRecords() {
            var debug = MinimalTypes.debugInformation
            debug.functionRecords.removeLast()
            #expect(
                refusal(returning(1)) { $0.debugInformation = debug }
                    == KernelError(.partialRecord(bytes: 7, recordSize: 8), in: .loadProgram))
            debug = MinimalTypes.debugInformation
            debug.lineRecordSize = 0
            #expect(
                refusal(returning(1)) { $0.debugInformation = debug }
                    == KernelError(.partialRecord(bytes: 16, recordSize: 0), in: .loadProgram))
        }
    }
#endif
