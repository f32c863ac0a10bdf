/// A number as it stands in a text, which may be too large or too small for its field.
struct WrittenNumber {
    var isNegative: Bool
    /// Without the sign; ``tooLarge`` for all that is beyond 32 bits.
    var magnitude: UInt64

    static let tooLarge: UInt64 = 1 << 40

    /// The 32 bits of the number, negative ones in two's complement, or nil where they do not suffice.
    var bits: UInt32? {
        if isNegative { return magnitude <= 1 << 31 ? 0 &- UInt32(magnitude) : nil }
        return UInt32(exactly: magnitude)
    }

    /// The number, or nil where it is not in 0 … `maximum`.
    func upTo(_ maximum: UInt32) -> UInt32? {
        magnitude <= maximum && (!isNegative || magnitude == 0) ? UInt32(magnitude) : nil
    }
}

extension TextScanner {
    /// Moves behind the digits that stand here and returns their number, or nil where there is none.
    mutating func digits(radix: UInt32 = 10) -> UInt64? {
        guard let first = next?.digitValue, first < radix else { return nil }
        var number: UInt64 = 0
        while let digit = next?.digitValue, digit < radix {
            number = min(number * UInt64(radix) + UInt64(digit), WrittenNumber.tooLarge)
            skip()
        }
        return number
    }

    /// Moves behind a number as C writes it, with a sign before it or not: decimal, `0x…`, `0b…`, or octal with a 0.
    ///
    /// Returns nil, and stays, where none stands here or a letter, digit or underscore follows at once.
    mutating func number() -> WrittenNumber? {
        let start = position
        let isNegative = next == UInt8(ascii: "-")
        if isNegative || next == UInt8(ascii: "+") { skip() }
        var radix: UInt32 = 10
        if next == UInt8(ascii: "0"), let second = peek(1) {
            switch second | 0x20 {
            case UInt8(ascii: "x"): (radix, _) = (16, skip(2))
            case UInt8(ascii: "b"): (radix, _) = (2, skip(2))
            default: radix = 8
            }
        }
        guard let magnitude = digits(radix: radix), next?.isWordCharacter != true else {
            skip(start - position)
            return nil
        }
        return WrittenNumber(isNegative: isNegative, magnitude: magnitude)
    }
}

extension TextScanner {
    /// The number that stands here with its sign, as a message can quote it.
    var foundNumber: String {
        let hasSign = next == UInt8(ascii: "-") || next == UInt8(ascii: "+")
        let end = text[(position + (hasSign ? 1 : 0))...].prefix { $0.isWordCharacter }.endIndex
        return quotation(text[position..<end])
    }
}
