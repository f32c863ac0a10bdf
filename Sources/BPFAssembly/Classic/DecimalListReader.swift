import ClassicBPF

/// Reads decimal numbers as they stand in tcpdump -ddd's lines and in xt_bpf's one: a count, then four an instruction.
struct DecimalListReader {
    /// What stands between the count and the instructions.
    enum Separator {
        case lineEnd
        case comma
    }

    private var scanner: TextScanner
    private let separator: Separator
    private var source = ClassicSource(instructions: [], lines: [])
    private var errors = ErrorCollector()

    /// Reads all of `text`; what has the shape of an instruction is counted even where its numbers are wrong.
    static func read(_ text: [UInt8], _ separator: Separator) throws(AssemblyErrors) -> ClassicSource {
        var reader = DecimalListReader(scanner: TextScanner(text), separator: separator)
        return try reader.read()
    }

    private init(scanner: TextScanner, separator: Separator) {
        self.scanner = scanner
        self.separator = separator
    }

    private mutating func read() throws(AssemblyErrors) -> ClassicSource {
        let start = scanner.place
        var stated: UInt32?
        do throws(AssemblyError) {
            let number = try number("the number of instructions", maximum: .max)
            try endEntry(after: "the number of instructions")
            stated = number
        } catch {
            errors.add(error)
            skipEntry()
        }
        while !errors.isFull, hasEntry() { readEntry() }
        if let stated, errors.collected == nil, stated != source.instructions.count {
            let reason = AssemblyError.Reason.wrongCount(stated: stated, found: source.instructions.count)
            errors.add(AssemblyError(reason, line: start.line, column: start.column))
        }
        try errors.finish()
        return source
    }

    private mutating func readEntry() {
        var instruction = Instruction(code: 0)
        let line = scanner.place.line
        do throws(AssemblyError) {
            instruction.code = UInt16(try number("code", maximum: 65535))
            instruction.jt = UInt8(try number("jt", maximum: 255))
            instruction.jf = UInt8(try number("jf", maximum: 255))
            instruction.k = try number("k", maximum: .max)
            try endEntry(after: "k")
        } catch {
            errors.add(error)
            skipEntry()
        }
        source.instructions.append(instruction)
        source.lines.append(line)
    }

    private mutating func number(_ field: String, maximum: UInt32) throws(AssemblyError) -> UInt32 {
        scanner.skipSpaces()
        let start = scanner.position
        if let digits = scanner.digits(), digits <= UInt64(maximum), isAtWordEnd { return UInt32(digits) }
        scanner.skip(start - scanner.position)
        throw error(at: field, maximum)
    }

    /// What is wrong with the word that stands here.
    private func error(at field: String, _ maximum: UInt32) -> AssemblyError {
        var scan = scanner
        while !scan.isAtEnd, !isWordEnd(of: scan) { scan.skip() }
        let word = scanner.text[scanner.position..<scan.position]
        guard !word.isEmpty else {
            if separator == .lineEnd { return scanner.error(.missingField(field)) }
            return scanner.error(.unexpected(found: scanner.found, expected: [field]))
        }
        let digits = word.first == UInt8(ascii: "-") ? word.dropFirst() : word
        guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else {
            return scanner.error(.notANumber(found: quotation(word), field: field))
        }
        return scanner.error(.numberOutOfRange(found: quotation(word), field: field, maximum: maximum))
    }

    private var isAtWordEnd: Bool { isWordEnd(of: scanner) }

    private func isWordEnd(of scanner: TextScanner) -> Bool {
        switch scanner.next {
        case UInt8(ascii: " "), UInt8(ascii: "\t"): true
        case UInt8(ascii: ","): separator == .comma
        default: scanner.isAtLineEnd
        }
    }

    /// Moves behind what separates the entry from the next one.
    private mutating func endEntry(after field: String) throws(AssemblyError) {
        scanner.skipSpaces()
        switch separator {
        case .lineEnd:
            if scanner.isAtEnd || scanner.skipLineEnd() { return }
            throw scanner.error(.unexpectedText(found: quotation(restOfLine), after: field))
        case .comma:
            if scanner.isAtLineEnd || scanner.skip(if: UInt8(ascii: ",")) { return }
            throw scanner.error(.unexpected(found: scanner.found, expected: ["','", "the end of the text"]))
        }
    }

    private var restOfLine: ArraySlice<UInt8> {
        scanner.text[scanner.position...].prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    }

    private mutating func skipEntry() {
        switch separator {
        case .lineEnd:
            scanner.skipToLineEnd()
            scanner.skipLineEnd()
        case .comma:
            while !scanner.isAtLineEnd, scanner.next != UInt8(ascii: ",") { scanner.skip() }
            _ = scanner.skip(if: UInt8(ascii: ","))
        }
    }

    /// Whether there is another instruction. Behind the last one there may be empty lines.
    private mutating func hasEntry() -> Bool {
        scanner.skipSpaces()
        if separator == .comma, !scanner.isAtLineEnd { return true }
        while scanner.skipLineEnd() { scanner.skipSpaces() }
        if scanner.isAtEnd { return false }
        if separator == .lineEnd { return true }
        errors.add(scanner.error(.unexpected(found: scanner.found, expected: ["the end of the text"])))
        return false
    }
}
