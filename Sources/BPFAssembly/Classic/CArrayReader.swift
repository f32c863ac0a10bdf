import ClassicBPF

/// Reads the initialiser of an array of `struct sock_filter` as it stands in C.
///
/// Instructions are given in braces, by position or by `.code = …`, or by `BPF_STMT` and `BPF_JUMP`; the declaration of
/// the array may stand around them. Lines for the preprocessor are skipped, and so macros are not known.
struct CArrayReader {
    var scanner: TextScanner
    private var source = ClassicSource(instructions: [], lines: [])
    private var errors = ErrorCollector()

    static func read(_ text: [UInt8]) throws(AssemblyErrors) -> ClassicSource {
        var reader = CArrayReader(scanner: TextScanner(text))
        return try reader.read()
    }

    private init(scanner: TextScanner) { self.scanner = scanner }

    private mutating func read() throws(AssemblyErrors) -> ClassicSource {
        let count = scanner.text.count { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "(") }
        source.reserve(min(count, scanner.text.count / 4))
        var isInBraces = false
        do throws(AssemblyError) {
            isInBraces = try readStart()
            try readInstructions()
            try readEnd(isInBraces: isInBraces)
        } catch {
            errors.add(error)
        }
        try errors.finish()
        return source
    }

    /// Moves behind the brace that opens the array; false where there is none and instructions begin.
    private mutating func readStart() throws(AssemblyError) -> Bool {
        try skipBlank()
        if scanner.next?.isWordCharacter == true, macro == nil {
            while let byte = scanner.next, byte != UInt8(ascii: "=") {
                let isPart = byte.isWordCharacter || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
                guard isPart else { throw unexpected("'='") }
                scanner.skip()
                try skipBlank()
            }
            try expect("=")
            try expect("{")
            return true
        }
        let start = scanner
        guard scanner.skip(if: UInt8(ascii: "{")) else { return false }
        try skipBlank()
        if scanner.next == UInt8(ascii: "{") || macro != nil { return true }
        scanner = start
        return false
    }

    private mutating func readInstructions() throws(AssemblyError) {
        var goesOn = true
        while goesOn {
            try skipBlank()
            if scanner.isAtEnd || scanner.next == UInt8(ascii: "}") { break }
            let line = scanner.place.line
            var instruction = Instruction(code: 0)
            do throws(AssemblyError) {
                instruction = try readInstruction()
                try skipBlank()
                let separators = [UInt8(ascii: ","), UInt8(ascii: "}")]
                guard scanner.isAtEnd || scanner.next.map(separators.contains) == true else { throw unexpected("','") }
                goesOn = scanner.skip(if: UInt8(ascii: ","))
            } catch {
                errors.add(error)
                if errors.isFull { return }
                skipInstruction()
            }
            source.instructions.append(instruction)
            source.lines.append(line)
        }
    }

    /// Behind an error, goes on with the next line that begins as an instruction does, or ends the array.
    private mutating func skipInstruction() {
        repeat {
            scanner.skipToLineEnd()
            scanner.skipLineEnd()
            scanner.skipSpaces()
        } while !scanner.isAtEnd && scanner.next != UInt8(ascii: "{") && scanner.next != UInt8(ascii: "}")
            && macro == nil
    }

    private mutating func readEnd(isInBraces: Bool) throws(AssemblyError) {
        if source.instructions.isEmpty { throw unexpected("'{'", "BPF_STMT", "BPF_JUMP") }
        if isInBraces {
            try expect("}")
            try skipBlank()
            _ = scanner.skip(if: UInt8(ascii: ";"))
        }
        try skipBlank()
        guard scanner.isAtEnd else { throw unexpected("the end of the text") }
    }

    private mutating func readInstruction() throws(AssemblyError) -> Instruction {
        if scanner.next == UInt8(ascii: "{") { return try readBraces() }
        guard let macro else { throw unexpected("'{'", "BPF_STMT", "BPF_JUMP") }
        scanner.skip(8)
        try expect("(")
        var instruction = Instruction(code: 0)
        try readField(.code, of: &instruction)
        try expect(",")
        try readField(.k, of: &instruction)
        if macro == .jump {
            try expect(",")
            try readField(.jt, of: &instruction)
            try expect(",")
            try readField(.jf, of: &instruction)
        }
        try expect(")")
        return instruction
    }

    /// What stands in braces; a field that is not given is 0.
    private mutating func readBraces() throws(AssemblyError) -> Instruction {
        try expect("{")
        var instruction = Instruction(code: 0)
        var fields = Field.allCases[...]
        repeat {
            try skipBlank()
            if scanner.next == UInt8(ascii: "}"), fields.count < Field.allCases.count { break }
            if scanner.skip(if: UInt8(ascii: ".")) {
                fields = Field.allCases[try readDesignator()...]
                try expect("=")
            }
            guard let field = fields.popFirst() else { throw unexpected("'}'") }
            try readField(field, of: &instruction)
            try skipBlank()
        } while scanner.skip(if: UInt8(ascii: ","))
        guard scanner.skip(if: UInt8(ascii: "}")) else { throw unexpected("','", "'}'") }
        return instruction
    }

    /// The position of the field whose name stands here.
    private mutating func readDesignator() throws(AssemblyError) -> Int {
        let start = scanner.position
        let name = scanner.take { $0.isWordCharacter }
        if let index = Field.allCases.firstIndex(where: { name.elementsEqual($0.rawValue.utf8) }) { return index }
        scanner.skip(start - scanner.position)
        throw unexpected("code", "jt", "jf", "k")
    }

    private mutating func readField(_ field: Field, of instruction: inout Instruction) throws(AssemblyError) {
        try skipBlank()
        let place = scanner.place
        let value = try expression(field.rawValue)
        if field == .k {
            guard (Int64(Int32.min)...Int64(UInt32.max)).contains(value) else {
                throw AssemblyError(
                    .numberTooLarge(found: String(value), field: "k"), line: place.line, column: place.column)
            }
            instruction.k = UInt32(truncatingIfNeeded: value)
            return
        }
        let maximum: UInt32 = field == .code ? 65535 : 255
        guard (0...Int64(maximum)).contains(value) else {
            throw AssemblyError(
                .numberOutOfRange(found: String(value), field: field.rawValue, maximum: maximum), line: place.line,
                column: place.column)
        }
        switch field {
        case .code: instruction.code = UInt16(value)
        case .jt: instruction.jt = UInt8(value)
        case .jf: instruction.jf = UInt8(value)
        case .k: break
        }
    }

    /// The macro whose name stands here; both names have 8 bytes.
    private var macro: Macro? {
        guard scanner.next == UInt8(ascii: "B"), scanner.peek(8)?.isWordCharacter != true else { return nil }
        return Macro(name: scanner.text[scanner.position...].prefix(8))
    }

    mutating func skipBlank() throws(AssemblyError) { try scanner.skipBlank(.c) }

    private mutating func expect(_ character: Unicode.Scalar) throws(AssemblyError) {
        try skipBlank()
        guard scanner.skip(if: UInt8(ascii: character)) else { throw unexpected("'\(character)'") }
    }

    func unexpected(_ expected: String...) -> AssemblyError {
        scanner.error(.unexpected(found: scanner.found, expected: expected))
    }
}

/// The fields of `struct sock_filter`, in its order.
private enum Field: String, CaseIterable {
    case code, jt, jf, k
}

private enum Macro {
    case statement, jump

    init?(name: ArraySlice<UInt8>) {
        if name.elementsEqual("BPF_STMT".utf8) {
            self = .statement
        } else if name.elementsEqual("BPF_JUMP".utf8) {
            self = .jump
        } else {
            return nil
        }
    }
}
