/// Splits an expression into tokens, the longest that can stand at each place, as libpcap does.
struct ExpressionLexer {
    let text: [UInt8]
    private var position = 0
    /// Whether errors need no place, which takes time to count, because nobody is told.
    var isSkipping = false

    init(_ text: [UInt8]) { self.text = text }

    /// Reads the next token; at the end of the text it is of the kind `end`, again and again.
    ///
    /// - Complexity: O(*n*) for all tokens together.
    mutating func next() throws(AssemblyError) -> ExpressionToken {
        while position < text.count, isSpace(text[position]) { position += 1 }
        let start = position
        guard start < text.count else { return ExpressionToken(kind: .end, start: start, end: start) }
        let byte = text[start]
        let token =
            if byte.isDigit || byte.isLetter {
                try word(at: start)
            } else {
                try sign(at: start)
            }
        position = token.end
        return token
    }

    /// Moves behind what stands where no token can be read: a word, or one character that begins none.
    mutating func skipUnreadable() -> ExpressionToken {
        let start = position
        let byte = text[start]
        if byte.isDigit || byte.isLetter {
            let address = mayHaveColons(at: start) ? ExpressionAddress.colonForm(in: text, at: start) : nil
            position = address?.end ?? wordEnd(at: start)
        } else {
            position += 1
            while position < text.count, position < start + 4, text[position] & 0xc0 == 0x80 { position += 1 }
        }
        return ExpressionToken(kind: .unreadable, start: start, end: position)
    }

    private func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t")
            || byte == UInt8(ascii: "\r")
    }

    private func word(at start: Int) throws(AssemblyError) -> ExpressionToken {
        if mayHaveColons(at: start), let form = ExpressionAddress.colonForm(in: text, at: start) {
            return try address(form, at: start)
        }
        let end = wordEnd(at: start)
        let word = text[start..<end]
        if let index = ExpressionWord.index(of: word) {
            let entry = ExpressionWord.table[index]
            return ExpressionToken(
                kind: entry.kind, word: entry.kind == .number ? 0 : UInt8(index), start: start, end: end)
        }
        guard let kind = ExpressionAddress.kind(of: word) else {
            return ExpressionToken(kind: .name, start: start, end: end)
        }
        let token = ExpressionToken(kind: kind, start: start, end: end)
        if kind == .number { try checkNumber(token) }
        return token
    }

    /// Whether up to four hexadecimal digits and a colon stand at `start`.
    private func mayHaveColons(at start: Int) -> Bool {
        for distance in 0...4 where start + distance < text.count {
            let byte = text[start + distance]
            if byte == UInt8(ascii: ":") { return true }
            if byte.digitValue == nil { return false }
        }
        return false
    }

    /// Letters, digits, dots, hyphens and underscores, the last neither hyphen nor underscore.
    private func wordEnd(at start: Int) -> Int {
        var position = start + 1
        var end = position
        while position < text.count {
            let byte = text[position]
            position += 1
            if byte.isDigit || byte.isLetter || byte == UInt8(ascii: ".") {
                end = position
            } else if byte != UInt8(ascii: "-"), byte != UInt8(ascii: "_") {
                break
            }
        }
        return end
    }

    private func address(
        _ form: (kind: ExpressionToken.Kind?, end: Int), at start: Int
    ) throws(AssemblyError) -> ExpressionToken {
        guard let kind = form.kind else {
            throw error(
                .unexpected(
                    found: quoted(start..<form.end), expected: ["an Ethernet address of six bytes", "an IPv6 address"]),
                at: start)
        }
        return ExpressionToken(kind: kind, start: start, end: form.end)
    }

    /// Numbers are decimal, hexadecimal behind `0x` and octal behind `0`, of 32 bits.
    private func checkNumber(_ token: ExpressionToken) throws(AssemblyError) {
        guard value(of: token.start..<token.end) == nil else { return }
        let word = text[token.start..<token.end]
        let isOctal = word.first == UInt8(ascii: "0") && word.dropFirst().allSatisfy(\.isDigit)
        if isOctal, word.contains(where: { $0 > UInt8(ascii: "7") }) {
            throw error(
                .unexpected(found: quoted(token.start..<token.end), expected: ["octal digits behind the leading 0"]),
                at: token.start)
        }
        throw error(
            .numberOutOfRange(found: shown(token.start..<token.end), field: "a number", maximum: .max), at: token.start)
    }

    /// The value of the number, in digits or a name, that stands at `range`; nil if it has more than 32 bits.
    func value(of range: Range<Int>) -> UInt32? { Self.value(of: text[range]) }

    static func value(of word: ArraySlice<UInt8>) -> UInt32? {
        guard word.first?.isDigit == true else {
            return ExpressionWord.index(of: word).map { ExpressionWord.table[$0].value }
        }
        var digits = word
        var base: UInt64 = 10
        if word.first == UInt8(ascii: "0"), word.count > 1 {
            let isHexadecimal = word[word.startIndex + 1] | 0x20 == UInt8(ascii: "x")
            base = isHexadecimal ? 16 : 8
            digits = word.dropFirst(isHexadecimal ? 2 : 1)
        }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = byte.digitValue, digit < base else { return nil }
            value = value * base + UInt64(digit)
            guard value <= UInt32.max else { return nil }
        }
        return UInt32(value)
    }

    private func sign(at start: Int) throws(AssemblyError) -> ExpressionToken {
        let next = start + 1 < text.count ? text[start + 1] : 0
        func token(_ kind: ExpressionToken.Kind, _ length: Int = 1) -> ExpressionToken {
            ExpressionToken(kind: kind, start: start, end: start + length)
        }
        switch text[start] {
        case UInt8(ascii: "("): return token(.leftParenthesis)
        case UInt8(ascii: ")"): return token(.rightParenthesis)
        case UInt8(ascii: "["): return token(.leftBracket)
        case UInt8(ascii: "]"): return token(.rightBracket)
        case UInt8(ascii: "+"): return token(.plus)
        case UInt8(ascii: "-"): return token(.minus)
        case UInt8(ascii: "*"): return token(.times)
        case UInt8(ascii: "/"): return token(.divide)
        case UInt8(ascii: "%"): return token(.modulo)
        case UInt8(ascii: "^"): return token(.bitXor)
        case UInt8(ascii: "&"): return next == UInt8(ascii: "&") ? token(.and, 2) : token(.bitAnd)
        case UInt8(ascii: "|"): return next == UInt8(ascii: "|") ? token(.or, 2) : token(.bitOr)
        case UInt8(ascii: "!"): return next == UInt8(ascii: "=") ? token(.isNotEqual, 2) : token(.not)
        case UInt8(ascii: "="): return token(.isEqual, next == UInt8(ascii: "=") ? 2 : 1)
        case UInt8(ascii: "<"):
            if next == UInt8(ascii: "<") { return token(.shiftLeft, 2) }
            return next == UInt8(ascii: "=") ? token(.isLessOrEqual, 2) : token(.isLess)
        case UInt8(ascii: ">"):
            if next == UInt8(ascii: ">") { return token(.shiftRight, 2) }
            return next == UInt8(ascii: "=") ? token(.isGreaterOrEqual, 2) : token(.isGreater)
        case UInt8(ascii: ":"):
            guard next == UInt8(ascii: ":"), let form = ExpressionAddress.colonForm(in: text, at: start) else {
                return token(.colon)
            }
            return try address(form, at: start)
        case UInt8(ascii: "$"):
            let digits = text[(start + 1)...].prefix(2).prefix { $0.digitValue != nil }.count
            if digits > 0 { return token(.arcnetAddress, 1 + digits) }
        case UInt8(ascii: "\\"):
            let length = escapedLength(at: start + 1)
            if length > 0 { return token(.name, 1 + length) }
        default: break
        }
        throw unexpected(at: start, expected: ["a word, a number, an address or a sign of the language"])
    }

    /// Behind a backslash stands a name, whatever it is made of.
    private func escapedLength(at start: Int) -> Int {
        text[start...].prefix { byte in
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "!"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\n"),
                UInt8(ascii: "\t"):
                false
            default: true
            }
        }.count
    }
}

extension ExpressionLexer {
    /// An error at the byte `position`.
    func error(_ reason: AssemblyError.Reason, at position: Int) -> AssemblyError {
        if isSkipping { return AssemblyError(reason, line: 1, column: 1) }
        let before = text[..<position]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        return AssemblyError(reason, line: line, column: position - lineStart + 1)
    }

    /// An error at a byte that begins no token.
    private func unexpected(at position: Int, expected: [String]) -> AssemblyError {
        var end = position + 1
        while end < text.count, end < position + 4, text[end] & 0xc0 == 0x80 { end += 1 }
        let character = String(decoding: text[position..<end], as: UTF8.self)
        let isShown = character.unicodeScalars.allSatisfy {
            $0 != "\u{fffd}" && $0.properties.generalCategory != .control
        }
        let byte = String(text[position], radix: 16)
        let found = isShown ? "'\(character)'" : "byte 0x\(byte.count < 2 ? "0" : "")\(byte)"
        return error(.unexpected(found: found, expected: expected), at: position)
    }

    /// What stands at `range`, at most 32 bytes of it.
    func shown(_ range: Range<Int>) -> String {
        guard range.count > 32 else { return String(decoding: text[range], as: UTF8.self) }
        return String(decoding: text[range].prefix(32), as: UTF8.self) + "…"
    }

    func quoted(_ range: Range<Int>) -> String { "'\(shown(range))'" }
}
