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
        let start = count
        var rest = number
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest != 0 || count < start + width
        reverse(from: start)
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
        let start = count
        var rest = number
        repeat {
            let digit = UInt8(truncatingIfNeeded: rest & 0xf)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            rest >>= 4
        } while rest != 0 || count < start + width
        reverse(from: start)
    }

    private mutating func reverse(from start: Int) {
        var (low, high) = (start, count - 1)
        while low < high {
            swapAt(low, high)
            low += 1
            high -= 1
        }
    }

    /// Appends spaces until there are `width` bytes behind `start`.
    mutating func pad(from start: Int, to width: Int) {
        while count < start + width { append(ascii: " ") }
    }
}
