import BPFAssembly
import ClassicBPF
import ExtendedBPF
import TestSupport
import Testing

/// The files of `Grammar/` are the parsers' languages: what they give is read, and read again as it was printed.
@Suite struct GrammarTests {
    static let classicForms = ClassicForm.allCases.map(\.rawValue)
    static let names = classicForms + ["ebpf-asm"]

    @Test func everyRuleIsDefinedAndReached() throws {
        for name in Grammar.names {
            let grammar = try Grammar(named: name)
            #expect(grammar.undefinedRules == [] && grammar.unreachedRules == [], "\(name)")
            #expect(!grammar.examples.isEmpty, "\(name)")
        }
        #expect(Set(Self.names).isSubset(of: Grammar.names))
    }

    @Test(arguments: names) func examplesAreSentences(name: String) throws {
        let grammar = try Grammar(named: name)
        for example in grammar.examples {
            let isSentence = grammar.recognizes(example)
            #expect(isSentence, "\(text(example))")
            #expect(throws: Never.self, "\(text(example))") { try Self.meaning(of: example, in: name) }
        }
    }

    /// Seeded, until every alternative has been used, and at least 300.
    @Test(arguments: names) func sentencesAreReadAndPrintedAsTheyWere(name: String) throws {
        let grammar = try Grammar(named: name)
        var generator = Self.generator(grammar, SeededGenerator())
        var count = 0
        while count < 300 || !generator.rulesWithMissingAlternatives.isEmpty {
            guard count < 5000 else { break }
            count += 1
            let sentence = Self.completed(generator.next(), name)
            do {
                let meaning = try Self.meaning(of: sentence, in: name)
                let printed = try Self.print(meaning, in: name)
                #expect(try Self.meaning(of: printed, in: name) == meaning, "\(text(sentence))")
                if let printed = printed.count < 2000 ? printed : nil, Self.isOwn(meaning) {
                    let isSentence = grammar.recognizes(printed)
                    #expect(isSentence, "the grammar has what is printed: \(text(printed))")
                }
            } catch {
                Issue.record("\(name): \(error) in: \(text(sentence))")
                return
            }
        }
        #expect(generator.missingRules == [])
        #expect(generator.rulesWithMissingAlternatives == [])
    }

    /// What is not read has an error with a place inside the text; what is read is read again as it is printed.
    @Test(arguments: names) func spoiledSentencesAreReadOrRefusedAtAPlace(name: String) throws {
        let grammar = try Grammar(named: name)
        var generator = Self.generator(grammar, SeededGenerator())
        for _ in 0..<1500 {
            let sentence = mutated(Self.completed(generator.next(), name), using: &generator.random)
            do {
                let meaning = try Self.meaning(of: sentence, in: name)
                guard let printed = try? Self.print(meaning, in: name) else { continue }
                #expect(try Self.meaning(of: printed, in: name) == meaning, "\(text(sentence))")
            } catch let errors as AssemblyErrors {
                #expect(1...AssemblyErrors.limit ~= errors.errors.count)
                for error in errors.errors {
                    #expect(Self.isInside(error, sentence), "\(error) in \(text(sentence))")
                    #expect(!error.description.contains("\n"))
                }
            }
        }
    }

    // MARK: The languages

    /// What a text says.
    enum Meaning: Hashable {
        case classic([ClassicBPF.Instruction])
        case savefile(Savefile)
        case extended([ExtendedBPF.Instruction], [Int: Reference])
    }

    static func meaning(of text: [UInt8], in name: String) throws -> Meaning {
        guard let form = ClassicForm(rawValue: name) else {
            let source = try ExtendedText.read(text)
            return .extended(source.instructions, source.references)
        }
        return form == .savefile ? .savefile(try Savefile(text)) : .classic(try form.read(text).instructions)
    }

    static func print(_ meaning: Meaning, in name: String) throws -> [UInt8] {
        switch meaning {
        case .classic(let instructions): try ClassicForm(rawValue: name)!.write(instructions)
        case .savefile(let file): try file.bytes()
        case .extended(let instructions, let references):
            Array(
                ExtendedListing.text(
                    Program(functions: [Function(name: "f", instructions: instructions, references: references)])
                ).utf8)
        }
    }

    /// Whether the grammar has all that is printed of it: not the names of helper functions and what else the grammar
    /// gives examples of.
    private static func isOwn(_ meaning: Meaning) -> Bool {
        if case .extended = meaning { false } else { true }
    }

    /// Sentences whose labels exist and whose numbers are those of the lines.
    private static func generator(_ grammar: Grammar, _ random: SeededGenerator) -> SentenceGenerator {
        var generator = SentenceGenerator(grammar, random: random)
        switch grammar.name {
        case "tcpdump-d":
            generator.replacements["index"] = { text, _ in Array(padded(line(of: text)).utf8) }
            generator.replacements["target"] = { text, random in
                Array("\(line(of: text) + .random(in: 0...255, using: &random))".utf8)
            }
        case "bpf-asm", "ebpf-asm":
            generator.replacements["label-definition"] = { text, _ in Array("here_\(text.count)".utf8) }
            generator.replacements["declared-map"] = { text, _ in Array("map_\(text.count)".utf8) }
            generator.replacements["declared-table"] = { text, _ in Array("table_\(text.count)".utf8) }
            generator.replacements["label"] = { _, random in Array("there_\(random.pick([1, 2, 3]))".utf8) }
            generator.replacements["function-name"] = { text, _ in Array("function_\(text.count)".utf8) }
            // The number of the slot and the opcode are known only behind them.
            generator.replacements["prefix"] = { _, _ in [] }
        default: break
        }
        return generator
    }

    /// The number of brackets opened so far in front of instructions.
    private static func line(of text: [UInt8]) -> Int {
        text.split(separator: 0x0a, omittingEmptySubsequences: false).count { line in
            let start = line.first { $0 != 0x20 && $0 != 0x09 && ![0xef, 0xbb, 0xbf].contains($0) }
            return start == UInt8(ascii: "(") && line.contains(UInt8(ascii: ")"))
        }
    }

    private static func padded(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 3 - String(number).count)) + "\(number)"
    }

    /// The labels that sentences name, defined.
    private static func completed(_ sentence: [UInt8], _ name: String) -> [UInt8] {
        switch name {
        case "bpf-asm": sentence + Array("\nthere_1: there_2: there_3: ret #0\n".utf8)
        case "ebpf-asm": sentence + Array("\nthere_1: there_2: there_3: exit\n".utf8)
        default: sentence
        }
    }

    static func isInside(_ error: AssemblyError, _ text: [UInt8]) -> Bool {
        // In what is no text the line is 0.
        if error.line == 0 { return 1...text.count + 1 ~= error.column }
        let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
        return lines.indices.contains(error.line - 1) && 1...lines[error.line - 1].count + 1 ~= error.column
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
}
