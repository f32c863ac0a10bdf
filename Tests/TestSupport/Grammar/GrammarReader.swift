/// Reads the notation of RFC 5234 with the additions of `Grammar/README.md`.
struct GrammarReader {
    private var grammar: Grammar
    private let text: [UInt8]
    private var position = 0
    private var line = 1

    static func read(_ text: [UInt8], named name: String) throws -> Grammar {
        var reader = GrammarReader(grammar: Grammar(named: name, isEmpty: ()), text: text)
        reader.addCoreRules()
        try reader.readRules()
        guard !reader.grammar.order.isEmpty else { throw reader.error("there is no rule") }
        return reader.grammar
    }

    private init(grammar: Grammar, text: [UInt8]) {
        self.grammar = grammar
        self.text = text
    }

    private func error(_ what: String) -> GrammarError {
        GrammarError(description: "\(grammar.name).abnf:\(line): \(what)")
    }

    /// RFC 5234, appendix B.1.
    private mutating func addCoreRules() {
        let ranges: [(String, [ClosedRange<UInt8>])] = [
            ("alpha", [0x41...0x5a, 0x61...0x7a]), ("bit", [0x30...0x31]), ("char", [0x01...0x7f]),
            ("cr", [0x0d...0x0d]),
            ("ctl", [0x00...0x1f, 0x7f...0x7f]), ("digit", [0x30...0x39]), ("dquote", [0x22...0x22]),
            ("hexdig", [0x30...0x39, 0x41...0x46, 0x61...0x66]), ("htab", [0x09...0x09]), ("lf", [0x0a...0x0a]),
            ("octet", [0x00...0xff]), ("sp", [0x20...0x20]), ("vchar", [0x21...0x7e]),
            ("wsp", [0x20...0x20, 0x09...0x09]),
        ]
        for (name, values) in ranges {
            let parts = values.map(Grammar.Element.bytes)
            grammar.rules[name] = parts.count == 1 ? parts[0] : choice(parts)
        }
        grammar.rules["crlf"] = .text([0x0d, 0x0a], isExact: true)
    }

    private mutating func choice(_ parts: [Grammar.Element]) -> Grammar.Element {
        if parts.count == 1 { return parts[0] }
        grammar.choiceCount += 1
        return .choice(id: grammar.choiceCount - 1, parts)
    }

    private mutating func repetition(_ minimum: Int, _ maximum: Int?, _ part: Grammar.Element) -> Grammar.Element {
        if minimum == 1, maximum == 1 { return part }
        grammar.choiceCount += 1
        return .repetition(id: grammar.choiceCount - 1, minimum: minimum, maximum: maximum, part)
    }

    private mutating func readRules() throws {
        while true {
            skipLines()
            guard position < text.count else { return }
            let name = try readName()
            skipSpaces()
            guard skip("=") else { throw error("'=' must follow the name of a rule") }
            let isIncrement = skip("/")
            var value = try readAlternatives()
            if isIncrement {
                guard let old = grammar.rules[name] else { throw error("\(name) has no first alternative") }
                value = choice([old, value])
            } else {
                guard grammar.rules.updateValue(value, forKey: name) == nil else {
                    throw error("\(name) is defined twice")
                }
                grammar.order.append(name)
            }
            guard position == text.count || next == 0x0a else { throw error("unexpected '\(found)'") }
        }
    }

    private mutating func readAlternatives() throws -> Grammar.Element {
        var parts = [try readSequence()]
        while true {
            skipSpaces()
            guard skip("/") else { return choice(parts) }
            parts.append(try readSequence())
        }
    }

    private mutating func readSequence() throws -> Grammar.Element {
        var parts: [Grammar.Element] = []
        while true {
            skipSpaces()
            guard let next, next != 0x0a, !Array("/)]".utf8).contains(next) else { break }
            parts.append(try readRepetition())
        }
        if parts.isEmpty { throw error("an element is missing before '\(found)'") }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func readRepetition() throws -> Grammar.Element {
        if skip("<") {
            let isAgain = skip("=")
            let rule = try readName()
            guard skip(">") else { throw error("'>' is missing") }
            if isAgain { return .again(rule: rule) }
            return .counted(rule: rule, try readElement())
        }
        let least = readNumber(radix: 10)
        guard skip("*") else {
            let part = try readElement()
            return least.map { repetition($0, $0, part) } ?? part
        }
        let most = readNumber(radix: 10)
        return repetition(least ?? 0, most, try readElement())
    }

    private mutating func readElement() throws -> Grammar.Element {
        switch next {
        case UInt8(ascii: "("), UInt8(ascii: "["):
            let isOption = next == UInt8(ascii: "[")
            position += 1
            let value = try readAlternatives()
            guard skip(isOption ? "]" : ")") else { throw error("'\(isOption ? "]" : ")")' is missing") }
            return isOption ? repetition(0, 1, value) : value
        case UInt8(ascii: "\""): return .text(try readQuoted(), isExact: false)
        case UInt8(ascii: "%"): return try readValue()
        default: return .rule(try readName())
        }
    }

    private mutating func readQuoted() throws -> [UInt8] {
        position += 1
        let start = position
        while let next, next != 0x22, next != 0x0a { position += 1 }
        guard next == 0x22 else { throw error("the text has no end") }
        position += 1
        return Array(text[start..<position - 1])
    }

    /// What stands behind `%`: a text with its case, or numbers.
    private mutating func readValue() throws -> Grammar.Element {
        position += 1
        for (letter, isExact) in [("s", true), ("i", false)] where skip(letter) {
            guard next == 0x22 else { throw error("a text must follow %\(letter)") }
            return .text(try readQuoted(), isExact: isExact)
        }
        guard let radix = [("x", 16), ("d", 10), ("b", 2)].first(where: { skip($0.0) })?.1 else {
            throw error("%x, %d, %b, %s or %i must stand here")
        }
        let first = try readByte(radix)
        if skip("-") {
            let last = try readByte(radix)
            guard first <= last else { throw error("the range is empty") }
            return .bytes(first...last)
        }
        var bytes = [first]
        while skip(".") { bytes.append(try readByte(radix)) }
        return bytes.count == 1 ? .bytes(first...first) : .text(bytes, isExact: true)
    }

    private mutating func readByte(_ radix: Int) throws -> UInt8 {
        guard let number = readNumber(radix: radix), let byte = UInt8(exactly: number) else {
            throw error("a number up to 255 must stand before '\(found)'")
        }
        return byte
    }

    private mutating func readNumber(radix: Int) -> Int? {
        let start = position
        while let next, Character(UnicodeScalar(next)).hexDigitValue.map({ $0 < radix }) ?? false { position += 1 }
        return Int(String(decoding: text[start..<position], as: UTF8.self), radix: radix)
    }

    private mutating func readName() throws -> String {
        let start = position
        while let next, isLetter(next) || position > start && (isDigit(next) || next == UInt8(ascii: "-")) {
            position += 1
        }
        guard position > start else { throw error("unexpected '\(found)'") }
        return String(decoding: text[start..<position], as: UTF8.self).lowercased()
    }
}

// MARK: White space, comments and what the tests want to know

extension GrammarReader {
    private var next: UInt8? { position < text.count ? text[position] : nil }

    private var found: String {
        next.map { $0 == 0x0a ? "end of line" : String(UnicodeScalar($0)) } ?? "end of file"
    }

    private func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7a ~= byte | 0x20 }
    private func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

    private mutating func skip(_ character: String) -> Bool {
        guard next == character.utf8.first else { return false }
        position += 1
        return true
    }

    /// Moves to the next rule.
    private mutating func skipLines() {
        while let next {
            if next == 0x0a {
                line += 1
            } else if next == 0x3b {
                skipComment(); continue
            } else if next != 0x20 {
                return
            }
            position += 1
        }
    }

    /// Moves behind spaces, comments and, where the next line continues the rule, the end of the line.
    private mutating func skipSpaces() {
        while let next {
            if next == 0x20 || next == 0x09 {
                position += 1
            } else if next == 0x3b {
                skipComment()
            } else if next == 0x0a, let following = text[(position + 1)...].first(where: { $0 != 0x0a }),
                following == 0x20, text[position + 1] != 0x0a
            {
                line += 1
                position += 1
            } else {
                return
            }
        }
    }

    private mutating func skipComment() {
        let start = position
        while let next, next != 0x0a { position += 1 }
        let comment = String(decoding: text[start..<position], as: UTF8.self)
        if comment == ";@ bytes" { grammar.isBinary = true }
        if comment.hasPrefix(";@ example ") { grammar.examples.append(unescaped(comment.dropFirst(11))) }
    }

    /// `\n`, `\t`, `\r`, `\\` and `\xHH` stand for bytes that a comment cannot hold.
    private func unescaped(_ text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let letter = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch letter {
            case UInt8(ascii: "n"): bytes.append(0x0a)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "r"): bytes.append(0x0d)
            case UInt8(ascii: "x"):
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)!)
                rest = rest.dropFirst(2)
            default: bytes.append(letter)
            }
        }
        return bytes
    }
}
