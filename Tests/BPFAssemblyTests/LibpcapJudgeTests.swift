@testable import BPFAssembly
import TestSupport
import Testing

/// libpcap judges: what it takes is read, what is not read it refuses, and a tree printed means what the text meant.
@Suite(.serialized) struct LibpcapJudgeTests {
    private static let linkTypes = [
        "EN10MB", "RAW", "IEEE802_11_RADIO", "SUNATM", "MTP2", "MTP2_WITH_PHDR", "PFLOG", "LINUX_SLL", "ARCNET",
    ]

    @Test func generatedExpressionsMeanTheSameToBoth() throws {
        var generator = ExpressionGenerator(random: SeededGenerator())
        let compilers = Self.linkTypes.map { LibpcapCompiler(linkType: $0) }
        var compiled = 0
        for _ in 0..<10_000 {
            let text = Array(generator.expression().utf8)
            // Most of the language applies to Ethernet.
            let compiler = generator.random.chance(60) ? compilers[0] : generator.random.pick(compilers)
            if judge(text, by: compiler) { compiled += 1 }
        }
        print("\(compiled) of 10000 expressions compile")
        #expect(compiled > 1250)
    }

    @Test func mutatedExpressionsAreRefusedByBothOrByNone() throws {
        var generator = ExpressionGenerator(random: SeededGenerator())
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        let corpus = Corpus.expressions.map { Array($0.text.utf8) }
        var refused = 0
        for _ in 0..<10_000 {
            let useCorpus = generator.random.chance(30)
            let original = useCorpus ? generator.random.pick(corpus) : Array(generator.expression().utf8)
            let text = mutated(original, using: &generator.random)
            if (try? FilterExpression(text)) == nil { refused += 1 }
            _ = judge(text, by: compiler)
        }
        print("\(refused) of 10000 mutated expressions are refused")
        #expect(refused > 2_500)
    }

    @Test(arguments: Corpus.expressions + Corpus.loops)
    func theCorpusIsRead(expression: CorpusExpression) throws {
        let compiler = LibpcapCompiler(linkType: expression.linkType)
        #expect(judge(Array(expression.text.utf8), by: compiler))
    }

    /// `text` with one to three bytes or words removed, changed, doubled or swapped.
    private func mutated(_ text: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var text = text
        let pieces =
            "and or not ( ) [ ] : + - * / % & | ^ = == < > << ip tcp port host 80 1.2.3.4 :: 1:2 len \\a $ ! 0x 089"
            .split(separator: " ").map { Array($0.utf8) }
        for _ in 0..<random.pick([1, 1, 2, 3]) where !text.isEmpty {
            let index = Int.random(in: text.indices, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: text.remove(at: index)
            case 1: text.insert(contentsOf: [0x20] + random.pick(pieces) + [0x20], at: index)
            case 2: text.insert(contentsOf: random.pick(pieces), at: index)
            case 3: text.removeSubrange(index..<min(index + 5, text.count))
            default: text[index] = UInt8.random(in: 0x09...0x7e, using: &random)
            }
        }
        return text
    }
}

/// Compares libpcap and our parser and printer on `text`; returns whether libpcap compiles it.
func judge(_ text: [UInt8], by compiler: LibpcapCompiler) -> Bool {
    guard !asksForNames(text) else { return false }
    let answer = compiler.compile(text)
    let shown = String(decoding: text, as: UTF8.self)
    do {
        let tree = try FilterExpression(text)
        #expect(!answer.isSyntaxError, "read, but libpcap says \(answer): \(shown)")
        #expect(FilterExpression.errors(in: text) == nil, "\(shown)")
        let printed = tree.printed
        #expect(try FilterExpression(printed) == tree, "\(shown) is printed as \(tree)")
        guard case .program = answer else { return false }
        #expect(compiler.compile(printed) == answer, "\(shown) is printed as \(tree)")
        return true
    } catch {
        if case .program = answer { Issue.record("libpcap takes this, but \(error): \(shown)") }
        #expect(FilterExpression.errors(in: text)?.errors.first == error, "\(shown)")
        return false
    }
}

/// Whether libpcap might ask a name server for a host, which can take seconds.
private func asksForNames(_ text: [UInt8]) -> Bool {
    var lexer = ExpressionLexer(text)
    var isHost = true
    while let token = try? lexer.next(), token.kind != .end {
        if token.kind == .name, isHost, !text[token.start..<token.end].elementsEqual("localhost".utf8) { return true }
        switch token.kind {
        case .port, .portrange, .proto, .protochain, .type, .subtype, .direction, .logicalLink, .withName,
            .withNumberOrName:
            isHost = false
        default: isHost = true
        }
    }
    return false
}
