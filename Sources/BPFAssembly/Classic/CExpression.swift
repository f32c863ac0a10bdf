extension CArrayReader {
    /// Reads a constant expression of C: numbers and names with `|`, `+`, `-`, `~`, brackets and casts to integer types.
    ///
    /// Brackets are kept in a list, so that they may be as deep as ``deepestBracket``.
    mutating func expression(_ field: String) throws(AssemblyError) -> Int64 {
        var outer: [PartialExpression] = []
        var inner = PartialExpression()
        while true {
            try skipBlank()
            if try isOperator("-") {
                inner.negate()
            } else if try isOperator("~") {
                inner.complement()
            } else if try isOperator("+") {
                continue
            } else if try isOperator("(") {
                if try skipCast() { continue }
                guard outer.count < Self.deepestBracket else {
                    throw scanner.error(.tooDeep(limit: Self.deepestBracket))
                }
                outer.append(inner)
                inner = PartialExpression()
            } else {
                inner.add(try operand(field))
                while !outer.isEmpty {
                    guard try isOperator(")") else { break }
                    let value = inner.value
                    inner = outer.removeLast()
                    inner.add(value)
                }
                if try isOperator("|") {
                    inner.closeSum()
                } else if try isOperator("-") {
                    inner.negate()
                } else if try !isOperator("+") {
                    guard outer.isEmpty else { throw unexpected("an operator", "')'") }
                    return inner.value
                }
            }
        }
    }

    /// The most brackets within each other, so that a text of nothing else does not need many times its own memory.
    private static let deepestBracket = 1_000_000

    private mutating func operand(_ field: String) throws(AssemblyError) -> Int64 {
        guard let byte = scanner.next, byte.isWordCharacter else { throw unexpected(field) }
        let start = scanner.position
        if byte.isDigit {
            if let number = scanner.cNumber() {
                if number < WrittenNumber.tooLarge { return Int64(number) }
                scanner.skip(start - scanner.position)
                throw scanner.error(.numberTooLarge(found: scanner.foundNumber, field: field))
            }
            scanner.skip(start - scanner.position)
            throw scanner.error(.malformedNumber(found: scanner.found))
        }
        let word = scanner.take { $0.isWordCharacter }
        if let value = CConstants.value(of: word) { return Int64(Int32(bitPattern: value)) }
        scanner.skip(start - scanner.position)
        throw scanner.error(.unknownConstant(quotation(word)))
    }

    /// Moves behind the words of a type and the bracket that closes a cast, if those are next.
    private mutating func skipCast() throws(AssemblyError) -> Bool {
        try skipBlank()
        guard isAtTypeWord else { return false }
        while isAtTypeWord {
            _ = scanner.take { $0.isWordCharacter }
            try skipBlank()
        }
        guard scanner.skip(if: UInt8(ascii: ")")) else { throw unexpected("')'") }
        return true
    }

    private var isAtTypeWord: Bool {
        guard scanner.next?.isWordCharacter == true else { return false }
        let word = scanner.text[scanner.position...].prefix(20).prefix { $0.isWordCharacter }
        return Self.typeWords.contains(String(decoding: word, as: UTF8.self))
    }

    private static let typeWords: Set<String> = [
        "const", "unsigned", "signed", "int", "long", "short", "char", "u_int", "u_short", "u_char", "u_int32_t",
        "u_int16_t", "u_int8_t", "uint32_t", "uint16_t", "uint8_t", "int32_t", "__u32", "__u16", "__u8", "__s32", "u32",
        "u16", "u8", "bpf_u_int32", "bpf_int32",
    ]

    private mutating func isOperator(_ character: Unicode.Scalar) throws(AssemblyError) -> Bool {
        try skipBlank()
        return scanner.skip(if: UInt8(ascii: character))
    }
}

/// An expression up to some operator: alternatives joined by `|` so far, the sum being read, and the signs in front of
/// the operand to come. The numbers stay far below 2⁶³ however many of 32 bits are added.
private struct PartialExpression {
    private var alternatives: Int64 = 0
    private var sum: Int64 = 0
    private var factor: Int64 = 1
    private var summand: Int64 = 0

    var value: Int64 { alternatives | sum }

    mutating func negate() { factor = -factor }

    /// `~x` is `-x - 1`.
    mutating func complement() {
        summand -= factor
        factor = -factor
    }

    mutating func add(_ operand: Int64) {
        sum += factor * operand + summand
        (factor, summand) = (1, 0)
    }

    mutating func closeSum() {
        alternatives |= sum
        sum = 0
    }
}

extension TextScanner {
    /// Moves behind an unsigned number of C with its suffix, as 0x1fU; nil where it is followed by something else.
    fileprivate mutating func cNumber() -> UInt64? {
        var radix: UInt32 = 10
        if next == UInt8(ascii: "0"), let second = peek(1) {
            switch second | 0x20 {
            case UInt8(ascii: "x"): (radix, _) = (16, skip(2))
            case UInt8(ascii: "b"): (radix, _) = (2, skip(2))
            default: radix = 8
            }
        }
        guard let number = digits(radix: radix) else { return nil }
        while let letter = next.map({ $0 | 0x20 }), letter == UInt8(ascii: "u") || letter == UInt8(ascii: "l") {
            skip()
        }
        return next?.isWordCharacter == true ? nil : number
    }
}
