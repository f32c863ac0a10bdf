import ClassicBPF

/// The form of `tcpdump -ddd`: a line with the number of instructions, then a line `code jt jf k` for each, all decimal.
public enum DecimalForm {
    /// The text of `program`, a line feed behind each line.
    public static func text(_ program: Program) -> String {
        program.instructions.reduce(into: "\(program.count)\n") { text, instruction in
            text += "\(instruction.code) \(instruction.jt) \(instruction.jf) \(instruction.k)\n"
        }
    }

    /// Reads the instructions in `text`. They are not validated.
    ///
    /// Fields are separated by spaces or tabs, lines end with a line feed or with carriage return and line feed; empty
    /// lines may follow the last one.
    ///
    /// - Throws: ``AssemblyError`` at the first byte that does not fit.
    /// - Complexity: O(*n*) in the length of the text.
    public static func parse(_ text: [UInt8]) throws(AssemblyError) -> [Instruction] {
        var scanner = NumberScanner(text)
        guard !scanner.isAtEnd else { throw AssemblyError(.emptyInput, line: 1, column: 1) }
        // The forms people have at hand instead.
        switch text.first {
        case UInt8(ascii: "("): throw AssemblyError(.otherForm(option: "-d"), line: 1, column: 1)
        case UInt8(ascii: "{"): throw AssemblyError(.otherForm(option: "-dd"), line: 1, column: 1)
        default: break
        }
        let stated = try scanner.number("the number of instructions", maximum: .max)
        try scanner.endLine(after: "the number of instructions")

        var instructions: [Instruction] = []
        while !scanner.skipEmptyLines() {
            let code = try scanner.number("code", maximum: 65535)
            let jt = try scanner.number("jt", maximum: 255)
            let jf = try scanner.number("jf", maximum: 255)
            let k = try scanner.number("k", maximum: .max)
            try scanner.endLine(after: "k")
            instructions.append(Instruction(code: UInt16(code), jt: UInt8(jt), jf: UInt8(jf), k: k))
        }
        guard instructions.count == stated else {
            throw AssemblyError(.wrongCount(stated: stated, found: instructions.count), line: 1, column: 1)
        }
        return instructions
    }
}
