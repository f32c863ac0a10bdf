/// Reads lines of decimal numbers, keeping count of line and column.
struct NumberScanner {
    private let text: [UInt8]
    private var position = 0
    private var line = 1
    private var lineStart = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    private var column: Int { position - lineStart + 1 }

    /// Reads the number called `field`, of 0 … `maximum`, after any spaces.
    mutating func number(_ field: String, maximum: UInt32) throws(AssemblyError) -> UInt32 {
        skipSpaces()
        let start = position
        let startColumn = column
        while position < text.count, !isSpace(text[position]), !isLineEnd { position += 1 }
        let word = text[start..<position]
        guard !word.isEmpty else { throw AssemblyError(.missingField(field), line: line, column: startColumn) }
        switch Self.value(word) {
        case .none:
            throw AssemblyError(.notANumber(found: quoted(word), field: field), line: line, column: startColumn)
        case .some(let value?) where value <= maximum:
            return value
        case .some:
            throw AssemblyError(
                .numberOutOfRange(found: quoted(word), field: field, maximum: maximum), line: line, column: startColumn)
        }
    }

    /// Moves behind the end of the line.
    mutating func endLine(after field: String) throws(AssemblyError) {
        skipSpaces()
        if isAtEnd { return }
        guard isLineEnd else {
            let start = position
            let rest = text[start...].prefix { $0 != newline && $0 != carriageReturn }
            throw AssemblyError(.unexpectedText(found: quoted(rest), after: field), line: line, column: column)
        }
        if text[position] == carriageReturn { position += 1 }
        position += 1
        line += 1
        lineStart = position
    }

    /// Moves behind lines without text; true at the end of the text.
    mutating func skipEmptyLines() -> Bool {
        while true {
            skipSpaces()
            if isAtEnd { return true }
            guard isLineEnd else { return false }
            if text[position] == carriageReturn { position += 1 }
            position += 1
            line += 1
            lineStart = position
        }
    }

    private mutating func skipSpaces() {
        while position < text.count, isSpace(text[position]) { position += 1 }
    }

    private var isLineEnd: Bool {
        if text[position] == newline { return true }
        return text[position] == carriageReturn && position + 1 < text.count && text[position + 1] == newline
    }

    /// The number that `word` writes: nil inside if it is none that fits 32 bits, nil if it is not a number.
    private static func value(_ word: ArraySlice<UInt8>) -> UInt32?? {
        let digits = word.first == UInt8(ascii: "-") ? word.dropFirst() : word
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return .none
        }
        guard digits.count == word.count else { return .some(nil) }
        return .some(UInt32(String(decoding: digits, as: UTF8.self)))
    }

    /// The start of `bytes` as it can stand in a message.
    private func quoted(_ bytes: ArraySlice<UInt8>) -> String {
        let limit = 32
        let start = String(decoding: bytes.prefix(limit), as: UTF8.self)
        return bytes.count > limit ? start + "…" : start
    }
}

private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")

private func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
