// Text is made as bytes: forms of a million instructions are written, which strings would make slow.
extension [UInt8] {
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(ascii character: Unicode.Scalar) {
        append(UInt8(ascii: character))
    }

    /// Appends `number` in decimal, with zeros in front where it has less than `width` digits.
    mutating func append(decimal number: UInt32, width: Int = 1) {
        append(number, radix: 10, width: width)
    }

    /// Appends the number that `bits` are in two's complement, in decimal.
    mutating func append(signed bits: UInt32) {
        let number = Int32(bitPattern: bits)
        if number < 0 { append(ascii: "-") }
        append(decimal: number.magnitude)
    }

    /// Appends `number` in hexadecimal with 0x in front, and zeros behind that where it has less than `width` digits.
    mutating func append(hex number: UInt32, width: Int = 1) {
        append("0x")
        append(number, radix: 16, width: width)
    }

    private mutating func append(_ number: UInt32, radix: UInt32, width: Int) {
        var place: UInt32 = 1
        var digits = 1
        while number / place >= radix {
            place *= radix
            digits += 1
        }
        for _ in 0..<Swift.max(0, width - digits) { append(ascii: "0") }
        var rest = number
        for _ in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: rest / place)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            rest %= place
            place /= radix
        }
    }

    /// Appends spaces until there are `width` bytes behind `start`.
    mutating func pad(from start: Int, to width: Int) {
        while count < start + width { append(ascii: " ") }
    }
}
