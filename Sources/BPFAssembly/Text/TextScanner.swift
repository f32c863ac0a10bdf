/// Reads a text byte by byte, keeping count of line and column.
///
/// Lines end with a line feed or with carriage return and line feed. A byte order mark at the start is skipped.
struct TextScanner {
    let text: [UInt8]
    private(set) var position: Int
    private(set) var line = 1
    private var lineStart: Int

    init(_ text: [UInt8]) {
        self.text = text
        position = text.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
        lineStart = position
    }

    var isAtEnd: Bool { position == text.count }

    /// The place of the next byte, both numbers counted from 1.
    var place: (line: Int, column: Int) { (line, position - lineStart + 1) }

    /// The next byte, or nil at the end.
    var next: UInt8? { position < text.count ? text[position] : nil }

    /// The byte `distance` behind the next one, or nil behind the end.
    func peek(_ distance: Int) -> UInt8? {
        position + distance < text.count ? text[position + distance] : nil
    }

    /// Whether the next byte is the first one of its line.
    var isFirstInLine: Bool { position == lineStart }

    /// Whether the line ends here, or the text.
    var isAtLineEnd: Bool {
        switch next {
        case nil, UInt8(ascii: "\n"): true
        case UInt8(ascii: "\r"): peek(1) == UInt8(ascii: "\n")
        default: false
        }
    }

    /// Moves behind `count` bytes, of which none ends a line, or back by as many if it is negative.
    mutating func skip(_ count: Int = 1) { position += count }

    /// Moves behind spaces and tabs.
    mutating func skipSpaces() {
        while let byte = next, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { position += 1 }
    }

    /// Moves to the end of the line.
    mutating func skipToLineEnd() {
        while !isAtLineEnd { position += 1 }
    }

    /// Moves behind the end of the line, where that is next; false at the end of the text.
    @discardableResult
    mutating func skipLineEnd() -> Bool {
        guard isAtLineEnd, !isAtEnd else { return false }
        position += next == UInt8(ascii: "\r") ? 2 : 1
        line += 1
        lineStart = position
        return true
    }

    /// Moves behind spaces and the ends of lines without text; false at the end of the text.
    mutating func skipEmptyLines() -> Bool {
        repeat { skipSpaces() } while skipLineEnd()
        return !isAtEnd
    }

    /// Moves behind `byte`, if that is next.
    mutating func skip(if byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    /// The bytes that fulfil `condition`, which must not hold of a line feed, up to the first that does not.
    mutating func take(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = position
        while position < text.count, condition(text[position]) { position += 1 }
        return text[start..<position]
    }

    /// An error at the next byte.
    func error(_ reason: AssemblyError.Reason) -> AssemblyError {
        AssemblyError(reason, line: place.line, column: place.column)
    }

    /// What stands here, as a message can quote it: a word, a character that begins none, or the end of line or text.
    var found: String {
        if isAtEnd { return "the end of the text" }
        if isAtLineEnd { return "the end of the line" }
        let word = text[position...].prefix(33).prefix { $0.isWordCharacter }
        if !word.isEmpty {
            let start = String(decoding: word.prefix(32), as: UTF8.self)
            return "'\(start)\(word.count > 32 ? "…" : "")'"
        }
        let character = String(decoding: text[position...].prefix(4), as: UTF8.self).first!
        let isShown = character.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        return isShown && character != "\u{fffd}" ? "'\(character)'" : "byte 0x\(String(text[position], radix: 16))"
    }
}

/// The start of `bytes` as a message can quote it.
func quotation(_ bytes: ArraySlice<UInt8>) -> String {
    let limit = 32
    let start = String(decoding: bytes.prefix(limit), as: UTF8.self)
    return bytes.count > limit ? start + "…" : start
}

extension UInt8 {
    var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= self }

    var isLetter: Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= self | 0x20 }

    /// Letters, digits and the underscore.
    var isWordCharacter: Bool { isDigit || isLetter || self == UInt8(ascii: "_") }

    /// The value of a digit, hexadecimal ones in either case among them, or nil.
    var digitValue: UInt32? {
        if isDigit { return UInt32(self & 0x0f) }
        let lower = self | 0x20
        guard UInt8(ascii: "a")...UInt8(ascii: "f") ~= lower else { return nil }
        return UInt32(lower - UInt8(ascii: "a")) + 10
    }
}
