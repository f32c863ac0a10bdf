import ExtendedBPF

/// Reads eBPF text line by line: what stands around the instructions.
struct ExtendedReader {
    var scanner: TextScanner
    var references: [Int: Reference] = [:]
    var errors = ErrorCollector()
    var instructions: [Instruction] = []
    private var lines: [Int] = []
    var nextSlot = 0
    /// The slot that the listing's next number should be less ``nextSlot``; nil before the first number.
    private var numbering: Int?
    var isBehindLabel = true
    var labels: [LabelPlace] = []
    var labelTable = LabelTable()
    var uses: [LabelUse] = []
    var maps: [MapDeclaration] = []
    var declaredMaps: Set<String> = []
    var tables: [DataTable] = []
    var declaredTables: Set<String> = []

    init(_ text: [UInt8]) { scanner = TextScanner(text) }

    /// The index of the instruction that is being read.
    var index: Int { instructions.count }

    mutating func read() throws(AssemblyErrors) -> ExtendedSource {
        while !scanner.isAtEnd, !errors.isFull {
            do throws(AssemblyError) {
                try readLine()
            } catch {
                errors.add(error)
                scanner.skipToLineEnd()
                while uses.last?.index == index { uses.removeLast() }
            }
            scanner.skipLineEnd()
        }
        let found = resolveLabels()
        try errors.finish()
        guard !instructions.isEmpty else {
            throw AssemblyErrors(scanner.error(.unexpected(found: "the end of the text", expected: ["an instruction"])))
        }
        return ExtendedSource(
            instructions: instructions, references: references, lines: lines, labels: found, maps: maps, tables: tables)
    }

    /// Whether the first line of code begins as an instruction; whether it is one is not looked at.
    mutating func beginsInstruction() -> Bool {
        while !scanner.isAtEnd {
            do throws(AssemblyError) {
                scanner.skipSpaces()
                if !isAtEndOfCode {
                    try readHeadings()
                    scanner.skipSpaces()
                }
                guard isAtEndOfCode else {
                    _ = try readPrefix()
                    return isAtInstruction
                }
            } catch {
                return false
            }
            scanner.skipToLineEnd()
            scanner.skipLineEnd()
        }
        return false
    }

    private mutating func readLine() throws(AssemblyError) {
        scanner.skipSpaces()
        if isAtEndOfCode || skipBytesOfSlot() { return try finishLine() }
        try readHeadings()
        scanner.skipSpaces()
        if isAtEndOfCode { return scanner.skipToLineEnd() }
        let opcode = try readPrefix()
        let line = scanner.place.line
        let start = scanner.place
        let instruction = try readInstruction(opcode: opcode?.byte)
        if let opcode, opcode.byte != instruction.opcode.rawValue {
            throw AssemblyError(
                .unexpected(
                    found: "opcode \(hexadecimal(opcode.byte))",
                    expected: ["\(hexadecimal(instruction.opcode.rawValue)), as the text says"]),
                line: start.line, column: opcode.column)
        }
        try finishLine()
        instructions.append(instruction)
        lines.append(line)
        nextSlot += instruction.slots
        isBehindLabel = false
    }

    private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    /// Whether the line ends here but for a comment.
    private var isAtEndOfCode: Bool {
        switch scanner.next {
        case UInt8(ascii: ";"), UInt8(ascii: "#"): true
        case UInt8(ascii: "/"): scanner.peek(1) == UInt8(ascii: "/")
        default: scanner.isAtLineEnd
        }
    }

    private mutating func finishLine() throws(AssemblyError) {
        scanner.skipSpaces()
        guard isAtEndOfCode else { throw expected("the end of the line") }
        scanner.skipToLineEnd()
    }

    func expected(_ names: String...) -> AssemblyError {
        scanner.error(.unexpected(found: scanner.found, expected: names))
    }

    // MARK: In front of instructions

    /// Reads labels, declarations of functions in C, and directives of LLVM's assembler that say nothing here.
    private mutating func readHeadings() throws(AssemblyError) {
        while let next = scanner.next, next.beginsName || next.isDigit {
            let place = scanner.place
            if let name = addressedLabel() {
                try addLabel(name, at: place, isFunction: false)
            } else if let name = plainLabel() {
                try addLabel(name, at: place, isFunction: false)
            } else if next == UInt8(ascii: ".") {
                if try readDeclaration() { return try finishLine() }
                return try skipDirective()
            } else if let name = declaredFunction() {
                try addLabel(name, at: place, isFunction: true)
                scanner.skipToLineEnd()
            } else {
                return
            }
            scanner.skipSpaces()
        }
    }

    /// Moves behind `name:`.
    private mutating func plainLabel() -> Range<Int>? {
        var end = scanner.position
        while end < scanner.text.count, scanner.text[end].isNamePart { end += 1 }
        guard end > scanner.position, end < scanner.text.count, scanner.text[end] == UInt8(ascii: ":"),
            scanner.text[scanner.position].beginsName
        else { return nil }
        let name = scanner.position..<end
        scanner.skip(end + 1 - scanner.position)
        return name
    }

    /// Moves behind `0000000000000058 <name>:`, as llvm-objdump prints it.
    private mutating func addressedLabel() -> Range<Int>? {
        var end = scanner.position
        while end < scanner.text.count, scanner.text[end].digitValue != nil { end += 1 }
        guard end == scanner.position + 16, scanner.text[end...].starts(with: " <".utf8) else { return nil }
        let start = end + 2
        end = start
        while end < scanner.text.count, scanner.text[end].isNamePart { end += 1 }
        guard end > start, scanner.text[end...].starts(with: ">:".utf8) else { return nil }
        scanner.skip(end + 2 - scanner.position)
        return start..<end
    }

    /// The name in `int name(struct xdp_md * ctx):`, as bpftool prints it, which must fill the line.
    private func declaredFunction() -> Range<Int>? {
        var last: UInt8?
        var end = scanner.position
        var parenthesis: Int?
        while end < scanner.text.count, scanner.text[end] != UInt8(ascii: "\n"), scanner.text[end] != UInt8(ascii: ";")
        {
            let byte = scanner.text[end]
            if byte == UInt8(ascii: "("), parenthesis == nil { parenthesis = end }
            if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\r") { last = byte }
            end += 1
        }
        guard last == UInt8(ascii: ":"), let parenthesis else { return nil }
        var start = parenthesis
        while start > scanner.position, scanner.text[start - 1].isNamePart { start -= 1 }
        return start > scanner.position && start < parenthesis ? start..<parenthesis : nil
    }

    /// Directives without a meaning for a program of one section.
    private static let directives = [
        ".text", ".section", ".globl", ".global", ".type", ".size", ".p2align", ".macro", ".endm",
    ]
    .map { Array($0.utf8) }

    private mutating func skipDirective() throws(AssemblyError) {
        let place = scanner.place
        let found = scanner.found
        let word = scanner.take(while: \.isNamePart)
        guard Self.directives.contains(where: { word.elementsEqual($0) }) else {
            throw AssemblyError(
                .unexpected(found: found, expected: ["an instruction", "a label"]), line: place.line,
                column: place.column)
        }
        scanner.skipToLineEnd()
    }

    /// Moves behind the bytes of a slot or of two, which listings may show beside the text.
    private mutating func skipBytesOfSlot() -> Bool {
        var isFound = false
        while true {
            for place in 0..<8 {
                guard let high = scanner.peek(3 * place), let low = scanner.peek(3 * place + 1),
                    high.digitValue != nil, low.digitValue != nil,
                    !(scanner.peek(3 * place + 2)?.isNamePart ?? false),
                    scanner.peek(3 * place + 2) != UInt8(ascii: ":")
                else { return isFound }
                if place < 7, scanner.peek(3 * place + 2) != UInt8(ascii: " ") { return isFound }
            }
            scanner.skip(23)
            scanner.skipSpaces()
            isFound = true
        }
    }

    /// Reads `12: (b7)`, `12:` and bytes behind it.
    private mutating func readPrefix() throws(AssemblyError) -> (byte: UInt8, column: Int)? {
        guard scanner.next?.isDigit ?? false else { return nil }
        let place = scanner.place
        let digits = scanner.take(while: \.isDigit)
        guard scanner.skip(if: UInt8(ascii: ":")) else { throw expected("':' behind the number of the slot") }
        let number = Int(String(decoding: digits, as: UTF8.self)) ?? .max
        if numbering.map({ number != $0 + nextSlot }) ?? true {
            // Numbers may begin anywhere, and at a label anew.
            guard numbering == nil || isBehindLabel && number == 0 else {
                throw AssemblyError(
                    .unexpected(
                        found: "slot \(String(decoding: digits.prefix(20), as: UTF8.self))",
                        expected: ["slot \(numbering! + nextSlot)"]), line: place.line, column: place.column)
            }
            guard number <= Int(Int32.max) else {
                throw AssemblyError(
                    .outsideRange(
                        found: String(decoding: digits.prefix(20), as: UTF8.self), field: "the slot", minimum: 0,
                        maximum: Int64(Int32.max)), line: place.line, column: place.column)
            }
            numbering = number - nextSlot
        }
        scanner.skipSpaces()
        if skipBytesOfSlot() { return nil }
        let start = scanner.place
        guard scanner.skip(if: UInt8(ascii: "(")) else { return nil }
        guard let high = scanner.next?.digitValue, let low = scanner.peek(1)?.digitValue,
            scanner.peek(2) == UInt8(ascii: ")")
        else { throw expected("an opcode of two hexadecimal digits and ')'") }
        scanner.skip(3)
        scanner.skipSpaces()
        return (UInt8(high << 4 | low), start.column)
    }
}

extension UInt8 {
    /// Letters, `_`, `.` and `$`.
    var beginsName: Bool { isLetter || [UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "$")].contains(self) }

    /// What begins names, and digits.
    var isNamePart: Bool { beginsName || isDigit }
}
