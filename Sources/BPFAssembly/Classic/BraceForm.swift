import ClassicBPF

/// The form of `tcpdump -dd`: a line `{ code, jt, jf, k },` for each instruction.
///
/// Each number may be decimal, hexadecimal or octal, as in C, and the last comma may be missing; bpf_asm -c's lines are
/// of this form too.
struct BraceForm: LineReader {
    var scanner: TextScanner
    static let beginning = "'{'"

    init(scanner: TextScanner) { self.scanner = scanner }

    mutating func readInstruction(at index: Int) throws(AssemblyError) -> Instruction {
        try expect("{")
        let code = try number("code", maximum: 65535)
        try expect(",")
        let jt = try number("jt", maximum: 255)
        try expect(",")
        let jf = try number("jf", maximum: 255)
        try expect(",")
        let k = try number("k", maximum: .max)
        try expect("}")
        scanner.skipSpaces()
        let hasComma = scanner.skip(if: UInt8(ascii: ","))
        scanner.skipSpaces()
        guard scanner.isAtLineEnd else {
            throw hasComma ? unexpected("the end of the line") : unexpected("','", "the end of the line")
        }
        return Instruction(code: UInt16(code), jt: UInt8(jt), jf: UInt8(jf), k: k)
    }

    private mutating func number(_ field: String, maximum: UInt32) throws(AssemblyError) -> UInt32 {
        scanner.skipSpaces()
        let start = scanner.position
        guard let number = scanner.number() else { throw unexpected(field) }
        if let value = number.upTo(maximum) { return value }
        scanner.skip(start - scanner.position)
        throw scanner.error(.numberOutOfRange(found: scanner.foundNumber, field: field, maximum: maximum))
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(AssemblyError) {
        scanner.skipSpaces()
        guard scanner.skip(if: UInt8(ascii: character)) else { throw unexpected("'\(character)'") }
    }

    private func unexpected(_ expected: String...) -> AssemblyError {
        scanner.error(.unexpected(found: scanner.found, expected: expected))
    }
}

extension BraceForm {
    /// The lines as tcpdump prints them.
    static func write(_ instructions: [Instruction]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(32 * instructions.count)
        for instruction in instructions {
            text.append("{ ")
            text.append(hex: UInt32(instruction.code))
            text.append(", ")
            text.append(decimal: UInt32(instruction.jt))
            text.append(", ")
            text.append(decimal: UInt32(instruction.jf))
            text.append(", ")
            text.append(hex: instruction.k, width: 8)
            text.append(" },\n")
        }
        return text
    }

    /// The lines in columns, as `bpf_asm -c` prints them: initialisers for an array of `struct sock_filter` in C.
    static func writeColumns(_ instructions: [Instruction]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(32 * instructions.count)
        for instruction in instructions {
            text.append("{ ")
            text.append(hex: UInt32(instruction.code), width: 2)
            for distance in [instruction.jt, instruction.jf] {
                text.append(distance < 10 ? ",  " : ", ")
                text.append(decimal: UInt32(distance))
            }
            text.append(", ")
            text.append(hex: instruction.k, width: 8)
            text.append(" },\n")
        }
        return text
    }
}
