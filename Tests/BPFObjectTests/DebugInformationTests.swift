import BPFObject
import ExtendedBPF
import Testing
import TestSupport

/// The records for bpf(2), as the kernel takes them and gives them back.
@Suite struct DebugInformationTests {
    @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    func theKernelTakesIt() throws {
        let program = try droppingProgram()
        #expect(
            fields(try load(program, DebugInformation(of: program, contextType: "__sk_buff", source: droppingSource)))
                == [
                    "function drop_ip_arp", "function is_arp", "function is_ip_or_arp",
                    "line drop.pcap:1 ip or arp", "line drop.pcap:3 ret #2",
                    "line drop.pcap:1 ip or arp", "line drop.pcap:2 ldh [12]",
                    "line drop.pcap:1 ip or arp", "line drop.pcap:2 ldh [12]",
                ])
    }

    @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    func aHugeExpressionIsShownByItsStart() throws {
        // 1 MiB of it, two lines long, with a character of three bytes where the cut is.
        let line = "host a\n" + String(repeating: " or ‰", count: 150_000)
        let shown = "host a" + String(repeating: " ", count: 1) + String(repeating: " or ‰", count: 200)
        let program = try ipObject().program
        let source = SourceText(fileName: "a\0b", lines: Array(repeating: line, count: 5))
        let text = try load(program, DebugInformation(of: program, contextType: "__sk_buff", source: source))
        let lines = text.split(separator: "\n").filter { $0.hasPrefix("line ") }
        #expect(lines.count == 5)
        for (index, line) in lines.enumerated() {
            let prefix = "line a b:\(index + 1) "
            #expect(line.hasPrefix(prefix))
            let text = line.dropFirst(prefix.count)
            #expect(text.last == "…")
            #expect(shown.hasPrefix(text.dropLast()))
            // The next character would not have fitted.
            #expect(480 - 3 + 1...480 ~= text.utf8.count)
        }
    }

    @Test(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    func moreTextThanBTFHoldsLeavesLinesWithout() throws {
        var program = try ipObject().program
        let count = 40_000
        program.functions[0].lines = [LineMark(instruction: 0, line: count), LineMark(instruction: 1, line: 1)]
        // All lines are marked by a second, longer function so that their text is wanted.
        var filler = Function(name: "filler")
        for line in 1...count {
            filler.lines.append(LineMark(instruction: line - 1, line: line))
            filler.instructions.append(.move64(.r0, 0))
        }
        program.functions.append(filler)
        let lines = (1...count).map { "\($0)" + String(repeating: "x", count: 400) }
        let information = try DebugInformation(
            of: program, contextType: "__sk_buff", source: SourceText(fileName: "f", lines: lines))
        #expect(information.lineInfoCount == count + 2)
        #expect(information.btf.count < 5 << 20)
        #expect(information.btf.firstRange(of: Array("\u{0}1x".utf8)) != nil)
        #expect(information.btf.firstRange(of: Array("\u{0}20000x".utf8)) == nil)
    }

    @Test func lineNumbersStopAtTheHighestThatFits() throws {
        var object = try ipObject()
        let count = 0x40_0001
        object.program.functions[0].lines = [LineMark(instruction: 0, line: count)]
        let information = try DebugInformation(
            of: object.program, contextType: "__sk_buff",
            source: SourceText(fileName: "f", lines: Array(repeating: "x", count: count)), byteOrder: .little)
        #expect(information.lineInfo.count == 16)
        #expect(Array(information.lineInfo.suffix(4)) == [0x00, 0xfc, 0xff, 0xff])
    }

    @Test func aSourceWithoutLinesGivesNone() throws {
        var program = try ipObject().program
        program.functions[0].lines = []
        let information = try DebugInformation(
            of: program, contextType: "__sk_buff", source: SourceText(fileName: "f", lines: []))
        #expect(information.lineInfoCount == 0)
        #expect(information.functionInfoCount == 1)
    }

    /// Loads the program with bpf(2) and returns what the kernel says of it.
    private func load(_ program: Program, _ information: DebugInformation) throws -> String {
        let folder = try TemporaryFolder()
        let contents = [
            program.linked().instructions.flatMap { $0.bytes(.host) }, information.btf, information.functionInfo,
            information.lineInfo,
        ]
        for (index, bytes) in contents.enumerated() { try folder.file("\(index)", containing: bytes) }
        let tool = folder.path("load-direct")
        _ = try output("gcc", ["-Wall", "-Werror", "-o", tool, corpusC("load-direct.c"), "-lbpf"])
        return try output(
            tool,
            contents.indices.map { folder.path("\($0)") } + [
                "\(DebugInformation.functionInfoRecordSize)", "\(DebugInformation.lineInfoRecordSize)",
            ])
    }
}
