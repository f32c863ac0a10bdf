import BPFAssembly
import Foundation
import TestSupport
import Testing

/// What once stopped a parser, and what the fuzzer starts from, is read or refused as it should be.
@Suite struct FuzzingCorpusTests {
    private static let folder = Grammar.folder.deletingLastPathComponent().appending(path: "Tests/Fuzzing/Corpus")

    @Test(arguments: GrammarTests.names) func everyEntryIsReadOrRefused(name: String) throws {
        let entries = try FileManager.default.contentsOfDirectory(
            at: Self.folder.appending(path: name), includingPropertiesForKeys: nil)
        #expect(!entries.isEmpty)
        for entry in entries {
            let text = try [UInt8](Data(contentsOf: entry))
            do {
                let meaning = try GrammarTests.meaning(of: text, in: name)
                guard let printed = try? GrammarTests.print(meaning, in: name) else { continue }
                #expect(try GrammarTests.meaning(of: printed, in: name) == meaning, "\(entry.lastPathComponent)")
            } catch let errors as AssemblyErrors {
                #expect(errors.errors.allSatisfy { GrammarTests.isInside($0, text) }, "\(entry.lastPathComponent)")
            }
        }
    }
}
