import BPFObject
import ExtendedBPF
import Foundation
import TestSupport
import Testing

/// Objects are read as what they were written from, and clang's as what LLVM shows of them.
@Suite struct ObjectReaderTests {
    private static func samples(_ order: ByteOrder) throws -> [Object] {
        try [
            ipObject(section: "socket", order), inlineLoadsObject(order), tablesObject(order),
            Object(program: droppingProgram(), section: "classifier", contextType: "__sk_buff", byteOrder: order),
        ]
    }

    /// But for the fields that a loader fills in.
    @Test(arguments: ByteOrder.allCases) func whatWasWrittenIsRead(order: ByteOrder) throws {
        for object in try Self.samples(order) {
            let reader = try ObjectReader(object.bytes())
            #expect(reader.byteOrder == order)
            let entry = try #require(reader.entries.first)
            guard case .program(let section) = object.kind else { continue }
            #expect(reader.entries.count == 1 && entry.section == section)
            for function in object.program.functions {
                let read = try #require(entry.program.functions.first { $0.name == function.name })
                #expect(read.references == function.references, "\(function.name)")
                #expect(read.instructions.map(\.opcode) == function.instructions.map(\.opcode), "\(function.name)")
                let plain = function.instructions.indices.filter { function.references[$0] == nil }
                #expect(plain.allSatisfy { read.instructions[$0] == function.instructions[$0] }, "\(function.name)")
            }
        }
    }

    @Test func functionsAreEntriesWhereNothingElseIs() throws {
        let entries = try ObjectReader(FunctionTests.xdpObject(.bool).bytes()).entries
        #expect(entries.map(\.section) == [".text"])
        #expect(entries[0].program.functions.map(\.name) == ["matches", "matches_type"])
    }

    /// clang calls static functions by the section's symbol, and kernel structures' members by CO-RE.
    @Test func clangsObjectsAreRead() throws {
        let folder = try TemporaryFolder()
        let source = """
            struct sk_buff { unsigned len; struct { unsigned char *data; }; } __attribute__((preserve_access_index));
            static __attribute__((noinline)) int one(struct sk_buff *skb) { return skb->len; }
            static __attribute__((noinline)) int two(struct sk_buff *skb) { return one(skb) + *skb->data; }
            extern int bpf_kernel_function(void *p) __attribute__((section(".ksyms")));
            __attribute__((section("classifier"), used)) int first(void *ctx) { return two(ctx); }
            __attribute__((section("classifier"), used)) int second(void *ctx) { return bpf_kernel_function(ctx); }
            """
        try folder.file("program.c", containing: Array(source.utf8))
        for target in ["bpfel", "bpfeb"] {
            _ = try output(
                llvm("clang"),
                ["-target", target, "-g", "-O2", "-c", "-o", folder.path("o"), folder.path("program.c")])
            let entries = try ObjectReader(folder.bytes("o")).entries
            #expect(entries.map(\.section) == ["classifier", "classifier"])
            #expect(entries.map { $0.program.functions.map(\.name) } == [["first", "two", "one"], ["second"]])
            #expect(
                entries[1].program.functions[0].references.values.map(\.self) == [
                    .kernelFunction("bpf_kernel_function")
                ])
            #expect(
                Set(entries[0].program.functions[1].references.values) == [
                    .function("one"), .kernelField(structure: "sk_buff", member: "data"),
                ])
            #expect(
                entries[0].program.functions[2].references.values.map(\.self) == [
                    .kernelField(structure: "sk_buff", member: "len")
                ])
        }
    }

    // MARK: Bytes that are no object

    @Test func whatIsNoObjectIsSaid() throws {
        let object = try ipObject(section: "socket", .little).bytes()
        func changed(_ place: Int, _ byte: UInt8) -> [UInt8] {
            var bytes = object
            bytes[place] = byte
            return bytes
        }
        let cases: [([UInt8], String)] = [
            ([], "byte 0: this is no ELF file, one begins with 7f 45 4c 46"),
            (Array(object.prefix(20)), "byte 0: 64 bytes are needed, 20 are left"),
            (changed(4, 1), "byte 4: this is no 64-bit ELF file, objects with eBPF are"),
            (changed(5, 3), "byte 5: the byte order is 3, it must be 1 (little) or 2 (big)"),
            (changed(18, 62), "byte 18: the object is for machine 62, eBPF is 247"),
            (changed(62, 200), "byte 62: there is no section 200, the file has \(object[60])"),
        ]
        for (bytes, message) in cases {
            let error = #expect(throws: ELFError.self) { try ObjectReader(bytes) }
            #expect(error.map { "\($0)" } == message)
        }
    }

    /// No byte that is wrong, and no end that is missing, is more than an error.
    @Test func damagedObjectsAreReadOrRefused() throws {
        var generator = SeededGenerator(for: "damaged objects")
        for object in try Self.samples(.little) + Self.samples(.big) {
            let bytes = try object.bytes()
            for _ in 0..<400 {
                var damaged = bytes
                for _ in 0..<generator.pick([1, 1, 2, 4]) {
                    let place = Int.random(in: 0..<damaged.count, using: &generator)
                    damaged[place] = generator.pick([0, 1, 0x7f, 0x80, 0xff, .random(in: 0...255, using: &generator)])
                }
                if generator.chance(20) { damaged.removeLast(.random(in: 1..<damaged.count, using: &generator)) }
                do throws(ELFError) {
                    let entries = try ObjectReader(damaged).entries
                    #expect(!entries.isEmpty)
                } catch {
                    #expect(!"\(error)".isEmpty)
                }
            }
        }
    }

    /// The headers of sections stand at the end of our objects, so that no beginning of one is an object.
    @Test func everyBeginningIsRefused() throws {
        for object in try Self.samples(.little) + Self.samples(.big) {
            let bytes = try object.bytes()
            for count in bytes.indices {
                #expect(throws: ELFError.self, "\(count) of \(bytes.count) bytes") {
                    try ObjectReader(Array(bytes.prefix(count)))
                }
            }
        }
    }

    /// What once stopped the reader, and what the fuzzer starts from.
    @Test func whatTheFuzzerKeptIsReadOrRefused() throws {
        let folder = Grammar.folder.deletingLastPathComponent().appending(path: "Tests/Fuzzing/Corpus/object")
        let entries = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(!entries.isEmpty)
        for entry in entries {
            let bytes = try [UInt8](Data(contentsOf: entry))
            do {
                let reader = try ObjectReader(bytes)
                #expect(!reader.entries.isEmpty)
                for program in reader.entries { _ = try reader.withLines(program) }
                _ = try ObjectNotes(bytes)
            } catch {
                #expect(!entry.lastPathComponent.hasPrefix("example"), "\(error)")
            }
        }
    }
}

extension TemporaryFolder {
    /// The bytes of the file `name`.
    fileprivate func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: url(name))) }
}
