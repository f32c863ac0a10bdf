/// A number in decimal or hexadecimal digits.
struct ExtendedNumber {
    /// The number without its sign, nil beyond 64 bits.
    var magnitude: UInt64?
    var isNegative: Bool
    var isHexadecimal: Bool
    var text: ArraySlice<UInt8>
    var place: (line: Int, column: Int)

    /// When a number above 2,147,483,647 stands for the bits of a negative one.
    enum BitUse { case never, inHexadecimal, always }

    /// The number if it is in `range`.
    func value(_ range: ClosedRange<Int64>, _ field: String) throws(AssemblyError) -> Int64 {
        if let value = signed, range.contains(value) { return value }
        throw outside(field, range.lowerBound, range.upperBound)
    }

    /// The number as the 32 bits of a constant.
    func constant(takesBits: BitUse) throws(AssemblyError) -> Int32 {
        let bits = takesBits == .always || takesBits == .inHexadecimal && isHexadecimal
        let maximum = bits ? Int64(UInt32.max) : Int64(Int32.max)
        return Int32(truncatingIfNeeded: try value(Int64(Int32.min)...maximum, "a 32-bit constant"))
    }

    /// The number as 64 bits.
    func wideConstant() throws(AssemblyError) -> UInt64 {
        if !isNegative, let magnitude { return magnitude }
        if let signed { return UInt64(bitPattern: signed) }
        throw outside("a 64-bit constant", .min, .max)
    }

    private var signed: Int64? {
        guard let magnitude else { return nil }
        if !isNegative { return Int64(exactly: magnitude) }
        return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }

    private func outside(_ field: String, _ minimum: Int64, _ maximum: Int64) -> AssemblyError {
        let digits = String(decoding: text.prefix(32), as: UTF8.self) + (text.count > 32 ? "…" : "")
        return AssemblyError(
            .outsideRange(found: digits, field: field, minimum: minimum, maximum: maximum), line: place.line,
            column: place.column)
    }
}

extension ExtendedReader {
    /// Reads a number with a minus in front or without.
    mutating func number(_ what: String) throws(AssemblyError) -> ExtendedNumber {
        guard scanner.next != UInt8(ascii: "+") else { throw expected(what) }
        return try signedNumber(what)
    }

    /// Reads a number with a sign or without, no space between them.
    mutating func signedNumber(_ what: String) throws(AssemblyError) -> ExtendedNumber {
        let before = scanner
        let start = scanner.position
        let isNegative = scanner.skip(if: UInt8(ascii: "-"))
        if !isNegative { _ = scanner.skip(if: UInt8(ascii: "+")) }
        let isHexadecimal = scanner.next == UInt8(ascii: "0") && (scanner.peek(1) ?? 0) | 0x20 == UInt8(ascii: "x")
        if isHexadecimal { scanner.skip(2) }
        let digits = scanner.take(while: \.isNamePart)
        guard !digits.isEmpty, digits.allSatisfy({ isHexadecimal ? $0.digitValue != nil : $0.isDigit }) else {
            throw before.error(.unexpected(found: before.found, expected: [what]))
        }
        var magnitude: UInt64? = 0
        for digit in digits {
            let radix: UInt64 = isHexadecimal ? 16 : 10
            guard let (high, low) = magnitude?.multipliedFullWidth(by: radix), high == 0 else {
                magnitude = nil
                break
            }
            let (sum, overflow) = low.addingReportingOverflow(UInt64(digit.digitValue!))
            magnitude = overflow ? nil : sum
        }
        return ExtendedNumber(
            magnitude: magnitude, isNegative: isNegative, isHexadecimal: isHexadecimal,
            text: scanner.text[start..<scanner.position], place: before.place)
    }
}
