import BPFAssembly
import Foundation
import TestSupport
import Testing

/// What once stopped a parser, and what the fuzzer starts from, is read or refused as it should be.
@Suite struct FuzzingCorpusTests {
    private static let folder = Grammar.folder.deletingLastPathComponent().appending(path: "Tests/Fuzzing/Corpus")

    private static func entries(_ name: String) throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(at: folder.appending(path: name), includingPropertiesForKeys: nil)
            .map { ($0.lastPathComponent, try [UInt8](Data(contentsOf: $0))) }
    }

    @Test(arguments: GrammarTests.names) func everyEntryIsReadOrRefused(name: String) throws {
        let entries = try Self.entries(name)
        #expect(!entries.isEmpty)
        for (entry, text) in entries {
            do {
                let meaning = try GrammarTests.meaning(of: text, in: name)
                guard let printed = try? GrammarTests.print(meaning, in: name) else { continue }
                #expect(try GrammarTests.meaning(of: printed, in: name) == meaning, "\(entry)")
            } catch let errors as AssemblyErrors {
                #expect(errors.errors.allSatisfy { GrammarTests.isInside($0, text) }, "\(entry)")
            }
        }
    }

    @Test func expressionsAreReadOrRefused() throws {
        let entries = try Self.entries("pcap-filter")
        #expect(!entries.isEmpty)
        for (entry, text) in entries {
            switch Result(catching: { () throws(AssemblyError) in try FilterExpression(text) }) {
            case .success(let expression):
                #expect(try FilterExpression(expression.printed) == expression, "\(entry)")
                #expect(expression.hints().allSatisfy { $0.range.upperBound <= text.count }, "\(entry)")
            case .failure(let error):
                #expect(GrammarTests.isInside(error, text), "\(entry)")
            }
        }
    }
}
