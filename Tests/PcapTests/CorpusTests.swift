import ClassicBPF
import Foundation
import TestSupport
import Testing

/// The corpus has to stay as wide as the tests that share it take it to be.
@Suite struct CorpusTests {
    @Test func expressionsAreManyAndOverManyLinkTypes() {
        let expressions = Corpus.expressions
        #expect(expressions.count >= 120)
        #expect(Set(expressions.map(\.linkType)).count >= 12)
        #expect(Corpus.loops.count >= 5)
        let all = expressions + Corpus.loops
        #expect(Set(all.map(\.name)).count == all.count, "a name is used twice")
        #expect(Set(all.map { $0.linkType + "|" + $0.text }).count == all.count, "an expression is there twice")
    }

    /// The codes are written out here from the kernel's Documentation/networking/filter, apart from our own decoder.
    @Test func programsContainEveryCode() {
        let loads: Set<UInt16> = [0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x00, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1]
        let stores: Set<UInt16> = [0x02, 0x03]
        let operators: [UInt16] = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x90, 0xa0]
        let alu = Set(operators.flatMap { [$0 | 4, $0 | 12] } + [0x84])
        let jumps: Set<UInt16> = [0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d]
        let others: Set<UInt16> = [0x06, 0x16, 0x07, 0x87]
        let every = loads.union(stores).union(alu).union(jumps).union(others)
        #expect(every.count == 49)
        #expect(Set(Corpus.programs.flatMap { $0.program.instructions.map(\.code) }) == every)
    }

    @Test func programsContainEveryExtension() {
        let loads = Corpus.programs.flatMap { $0.program.instructions }.filter { $0.k >= 0xffff_f000 && $0.isAbsolute }
        #expect(
            Set(loads.filter { $0.code == 0x20 }.map { $0.k - 0xffff_f000 }) == Set(stride(from: 0, through: 60, by: 4))
        )
        #expect(loads.contains { $0.code == 0x28 })
        #expect(loads.contains { $0.code == 0x30 })
    }

    @Test func programsContainTheOddShapes() {
        let all = Corpus.programs.flatMap { $0.program.instructions }
        #expect(all.contains { $0.isAbsolute && (0xfff0_0000..<0xffff_f000).contains($0.k) }, "network area")
        #expect(all.contains { $0.isAbsolute && (0xffe0_0000..<0xfff0_0000).contains($0.k) }, "link area")
        #expect(all.contains { $0.code == 0xb1 && $0.k >= 0xfff0_0000 }, "header length in the network area")
        #expect(all.contains { $0.code == 0xb1 && (0xffe0_0000..<0xfff0_0000).contains($0.k) })
        #expect(all.contains { $0.isAbsolute && (32_768..<0x8000_0000).contains($0.k) }, "past 32767")
        let branches = all.filter { $0.code & 7 == 5 && $0.code != 5 }
        #expect(branches.contains { $0.jt == $0.jf })
        for code in Set(branches.map(\.code)) {
            #expect(branches.contains { $0.code == code && $0.jt == 0 && $0.jf != 0 }, "code \(code), jt 0")
        }
        #expect(branches.contains { $0.jt != 0 && $0.jf == 0 })
        #expect(branches.contains { $0.jt == 255 })
        #expect(branches.contains { $0.code & 8 == 0 && $0.k >= 0x8000_0000 }, "constant with the sign bit")
    }

    @Test func someProgramsHaveDeadCode() {
        #expect(Corpus.programs.contains { ControlFlow($0.program).reachableInstructions.contains(false) })
    }

    /// The running kernel attaches each program, as it was written.
    @Test(
        .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"), arguments: Corpus.programNames)
    func linuxAttaches(program name: String) throws {
        let script = """
            import ctypes, socket, struct, sys
            lines = sys.stdin.read().splitlines()[1:]
            filters = b"".join(struct.pack("=HBBI", *map(int, line.split())) for line in lines)
            memory = ctypes.create_string_buffer(filters, len(filters))
            end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            end.setsockopt(socket.SOL_SOCKET, 26, struct.pack("@HP", len(lines), ctypes.addressof(memory)))
            """
        let text = try Data(contentsOf: Corpus.folder.appending(path: "programs/\(name).ddd"))
        let result = try run("python3", ["-c", script], input: Array(text))
        #expect(result.status == 0, "\(result.errors)")
    }

    @Test(.enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"))
    func theSampleCaptureIsWhatItsScriptWrites() throws {
        let folder = try TemporaryFolder()
        let script = Corpus.folder.appending(path: "make-sample-pcap.py").path(percentEncoded: false)
        let result = try run("python3", [script, folder.path("sample.pcap")])
        #expect(result.status == 0, "\(result.errors)")
        let committed = try Data(contentsOf: Corpus.folder.appending(path: "../../examples/sample.pcap"))
        #expect(try Data(contentsOf: folder.url("sample.pcap")) == committed)
        #expect(committed.count < 8192)
    }

    /// tcpdump finds nothing wrong with a header or a checksum in the sample.
    @Test(.enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"))
    func tcpdumpPrintsTheSampleCleanly() throws {
        let path = Corpus.folder.appending(path: "../../examples/sample.pcap").standardizedFileURL
        let result = try run("tcpdump", ["-r", path.path(percentEncoded: false), "-nn", "-vvv", "-e"])
        #expect(result.status == 0, "\(result.errors)")
        for complaint in ["bad", "wrong", "incorrect", "invalid", "truncated"] {
            #expect(!result.text.lowercased().contains(complaint), "\(complaint)")
        }
        for part in ["echo reply", "AAAA 2001:db8::80", "HTTP/1.1 200 OK", "who-has", "neighbor solicitation"] {
            #expect(result.text.contains(part), "\(part) is missing")
        }
    }
}

extension Instruction {
    fileprivate var isAbsolute: Bool { code & 7 == 0 && code & 0xe0 == 0x20 }
}
