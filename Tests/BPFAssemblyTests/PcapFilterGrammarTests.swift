@testable import BPFAssembly
import Foundation
@testable import TestSupport
import Testing

/// `Grammar/pcap-filter.abnf` is the language of libpcap and of our parser.
@Suite(.serialized) struct PcapFilterGrammarTests {
    private static let text = try! String(
        contentsOf: Grammar.folder.appending(path: "pcap-filter.abnf"), encoding: .utf8)

    /// What sentences are made of: all of the language, and for the parts that lie deep in it a rule in front.
    private static let starts: [(rule: String, depth: Int, count: Int)] = [
        ("filter", 7, 9000), ("comparison", 7, 800), (#"load %s" = " factor"#, 7, 800), ("primitive", 7, 4000),
        ("qualified", 6, 4500), (#"( %s"host " / %s"net " ) plain"#, 6, 4500),
    ]

    @Test func examplesAreSentencesAndRead() throws {
        let grammar = try Grammar(named: "pcap-filter")
        #expect(!grammar.examples.isEmpty)
        for example in grammar.examples {
            let isSentence = grammar.recognizes(example)
            #expect(isSentence, "\(String(decoding: example, as: UTF8.self))")
            #expect(throws: Never.self) { try FilterExpression(example) }
        }
    }

    /// Every alternative is used; libpcap reads each sentence, whatever it then says of its meaning, and so do we; and
    /// what is printed is in the grammar.
    @Test func sentencesAreReadByLibpcapAndByUs() throws {
        let whole = try Grammar(named: "pcap-filter")
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        var missing = Set(whole.order)
        for (rule, depth, count) in Self.starts {
            var generator = try Self.generator(from: rule, depth)
            for _ in 0..<count {
                let sentence = generator.next()
                let tree = try FilterExpression(sentence)
                // libpcap's time grows with the square of the length, and the recogniser's faster.
                if sentence.count <= 500 { _ = judge(sentence, by: compiler) }
                guard sentence.count < 60, generator.random.chance(3) else { continue }
                let isSentence = whole.recognizes(tree.printed)
                #expect(isSentence, "\(tree)")
            }
            missing.formIntersection(generator.rulesWithMissingAlternatives)
        }
        #expect(missing == [])
    }

    @Test func spoiledSentencesAreReadByBothOrByNone() throws {
        var generator = try Self.generator(from: "filter", 6)
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        for _ in 0..<4_000 {
            let sentence = mutated(generator.next(), using: &generator.random)
            guard !sentence.contains(0), sentence.count <= 500 else { continue }
            _ = judge(sentence, by: compiler)
        }
    }

    /// Names are such as have not to be looked up at a name server; behind one with a backslash stands a space, for
    /// most other signs would be part of it.
    private static func generator(from rule: String, _ depth: Int) throws -> SentenceGenerator {
        let grammar = try GrammarReader.read(Array("start = \(rule)\n\(text)".utf8), named: "pcap-filter")
        var generator = SentenceGenerator(grammar, random: SeededGenerator(), depthLimit: depth)
        generator.replacements["name"] = { _, random in
            Array(random.pick(["localhost", "http", "domain", "6000-6010", "\\tcp ", "\\ip ", "eth0"]).utf8)
        }
        return generator
    }
}
