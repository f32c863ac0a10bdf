import BPFAssembly
import ClassicBPF
import ExtendedBPF
import Foundation
import PacketFilter
import TestSupport
import Testing

/// What every filter of the corpus became when its golden was recorded and a person, and the tests against the kernel,
/// libpcap and readelf, had looked at it. `RECORD=1` rewrites the goldens, and fails so that nobody takes it for a run.
@Suite struct GoldenTests {
    @Test(arguments: Corpus.expressions)
    func expressionsBecomeTheirGoldens(expression: CorpusExpression) throws {
        let filter = try PacketFilter(expression.text, linkType: LinkType(expression.linkType))
        try compare(filter, with: "expressions/\(expression.name)")
    }

    @Test(arguments: Corpus.programs.map(\.name))
    func programsBecomeTheirGoldens(name: String) throws {
        let program = try #require(Corpus.programs.first { $0.name == name }?.program)
        try compare(PacketFilter(program), with: "programs/\(name)")
    }

    @Test func theCorpusIsAsLargeAsIsPromised() {
        #expect(Corpus.expressions.count >= 120)
        #expect(Set(Corpus.expressions.map(\.linkType)).count >= 12)
    }

    private func compare(_ filter: PacketFilter, with name: String) throws {
        let file = Corpus.folder.appending(path: "goldens/\(name).golden")
        let text = try golden(filter)
        if ProcessInfo.processInfo.environment["RECORD"] == "1" {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
            Issue.record("recorded \(name); run again without RECORD")
            return
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    private func golden(_ filter: PacketFilter) throws -> String {
        var text = ""
        if let expression = filter.expression, let linkType = filter.linkType {
            text += "# \(linkType.name): \(expression)\n"
        }
        text += "\n== classic\n\(filter.listing)"
        text += "\n== kernel form\n\(try filter.kernelForm().listing)"
        do {
            let program = try filter.compile(for: .socket, options: CompilerOptions(level: .mirror))
            text += "\n== socket program\n\(program.listing)"
            text += "\n== object sections\n\(ObjectSections(try program.object(byteOrder: .little).bytes).summary)"
        } catch let error as CompilerError {
            text += "\n== socket program\n\(error)\n"
        }
        return text
    }
}

/// The sections of an ELF64 little-endian file, read as the ELF specification lays them out, apart from the code that
/// writes them.
private struct ObjectSections {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// A line for each section: name, type, flags, size, and what tells its content from another.
    var summary: String {
        let start = Int(number(at: 0x28, bytes: 8))
        let size = Int(number(at: 0x3a, bytes: 2))
        let headers = (0..<Int(number(at: 0x3c, bytes: 2))).map { start + $0 * size }
        let names = Int(number(at: headers[Int(number(at: 0x3e, bytes: 2))] + 0x18, bytes: 8))
        return headers.dropFirst().map { header in
            let name = bytes[(names + Int(number(at: header, bytes: 4)))...].prefix { $0 != 0 }
            let offset = Int(number(at: header + 0x18, bytes: 8))
            let content = bytes[offset..<(offset + Int(number(at: header + 0x20, bytes: 8)))]
            return "\(String(decoding: name, as: UTF8.self)): type \(number(at: header + 4, bytes: 4)), "
                + "flags \(number(at: header + 8, bytes: 8)), \(content.count) bytes, fnv1a \(fnv1a(content))\n"
        }.joined()
    }

    private func number(at offset: Int, bytes count: Int) -> UInt64 {
        bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Source: the FNV hash, IETF draft-eastlake-fnv.
    private func fnv1a(_ bytes: ArraySlice<UInt8>) -> String {
        String(bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
    }
}
