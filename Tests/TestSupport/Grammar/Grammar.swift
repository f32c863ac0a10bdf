import Foundation

/// A language as a file of `Grammar/` defines it; `Grammar/README.md` states the notation.
public struct Grammar: Sendable {
    /// A part of a rule.
    public indirect enum Element: Hashable, Sendable {
        /// One of several; the number tells this choice from all others of the grammar.
        case choice(id: Int, [Element])
        /// One behind the other.
        case sequence([Element])
        /// So many times, without an end for nil; the number tells this repetition from all others.
        case repetition(id: Int, minimum: Int, maximum: Int?, Element)
        /// As many as the number says that the rule of that name stood for last.
        case counted(rule: String, Element)
        /// The text again that the rule of that name stood for last.
        case again(rule: String)
        /// What the rule of that name, in lower case, stands for.
        case rule(String)
        /// These bytes; letters in either case unless `isExact`.
        case text([UInt8], isExact: Bool)
        /// One byte of a range.
        case bytes(ClosedRange<UInt8>)
    }

    /// The name of the file without its extension.
    public var name: String
    /// By name in lower case, what each rule stands for; those of RFC 5234's appendix B among them.
    public internal(set) var rules: [String: Element] = [:]
    /// The names of the file's own rules, in lower case, in its order; the first is the whole text.
    public internal(set) var order: [String] = []
    /// Sentences that the file gives as examples.
    public internal(set) var examples: [[UInt8]] = []
    /// Whether numbers that count are bytes, the most significant one first, and not decimal digits.
    public internal(set) var isBinary = false
    /// The number of choices and repetitions.
    public internal(set) var choiceCount = 0

    /// The rule that is the whole text.
    public var start: String { order[0] }

    /// The folder of the grammars.
    public static let folder = Corpus.folder.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Grammar")

    /// The names of all files of the folder that hold a grammar.
    public static var names: [String] {
        let files = try! FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return files.filter { $0.pathExtension == "abnf" }.map { $0.deletingPathExtension().lastPathComponent }.sorted()
    }

    /// Reads the file of that name.
    public init(named name: String) throws {
        let text = try Data(contentsOf: Self.folder.appending(path: "\(name).abnf"))
        self = try GrammarReader.read([UInt8](text), named: name)
    }

    init(named name: String, isEmpty: Void) { self.name = name }
}

/// What is wrong with a grammar, and in which line.
public struct GrammarError: Error, Hashable, CustomStringConvertible {
    /// The file, the line and what is wrong there.
    public var description: String
}

extension Grammar {
    /// The names that rules use and none defines.
    public var undefinedRules: [String] {
        order.flatMap { Self.namesUsed(rules[$0]!) }.filter { rules[$0] == nil }
    }

    /// The names of rules that no way from the first one leads to.
    public var unreachedRules: [String] {
        var reached: Set<String> = [start]
        var waiting = [start]
        while let name = waiting.popLast() {
            for next in rules[name].map(Self.namesUsed) ?? [] where reached.insert(next).inserted {
                waiting.append(next)
            }
        }
        return order.filter { !reached.contains($0) }
    }

    /// The rules whose text counts something, and with `again` those whose text is asked for a second time.
    func referredRules(again: Bool) -> Set<String> {
        var found: Set<String> = []
        func look(_ element: Element) {
            switch element {
            case .again(let rule):
                if again { found.insert(rule) }
            case .choice(_, let parts), .sequence(let parts): parts.forEach(look)
            case .repetition(_, _, _, let part): look(part)
            case .counted(let rule, let part):
                found.insert(rule)
                look(part)
            case .rule, .text, .bytes: break
            }
        }
        rules.values.forEach(look)
        return found
    }

    static func namesUsed(_ element: Element) -> [String] {
        switch element {
        case .choice(_, let parts), .sequence(let parts): parts.flatMap(namesUsed)
        case .repetition(_, _, _, let part): namesUsed(part)
        case .counted(let rule, let part): [rule] + namesUsed(part)
        case .again(let rule): [rule]
        case .rule(let name): [name]
        case .text, .bytes: []
        }
    }

    /// The number that `bytes`, a sentence of a rule that counts, stand for; nil for one that is out of reach. Spaces
    /// around decimal digits do not count.
    func count(_ bytes: some Collection<UInt8>) -> Int? {
        if !isBinary { return Int(String(decoding: bytes.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)) }
        return bytes.count > 7 ? nil : bytes.reduce(0) { $0 << 8 | Int($1) }
    }
}
