import ClassicBPF

/// The form of `tcpdump -ddd`: a line with the number of instructions, then a line `code jt jf k` for each, all decimal.
public enum DecimalForm {
    /// The text of `program`, a line feed behind each line.
    public static func text(_ program: Program) -> String {
        String(decoding: write(program.instructions), as: UTF8.self)
    }

    /// Reads the instructions in `text`. They are not validated.
    ///
    /// - Throws: ``AssemblyError`` at the first byte that does not fit.
    /// - Complexity: O(*n*) in the length of the text.
    public static func parse(_ text: [UInt8]) throws(AssemblyError) -> [Instruction] {
        do {
            return try read(text).instructions
        } catch {
            throw error.errors[0]
        }
    }

    /// Reads the lines. Fields are separated by spaces or tabs, and empty lines may stand between the others.
    static func read(_ text: [UInt8]) throws(AssemblyErrors) -> ClassicSource {
        guard let first = TextScanner(text).next else {
            throw AssemblyErrors(AssemblyError(.emptyInput, line: 1, column: 1))
        }
        // The forms people have at hand instead.
        switch first {
        case UInt8(ascii: "("): throw AssemblyErrors(AssemblyError(.otherForm(option: "-d"), line: 1, column: 1))
        case UInt8(ascii: "{"): throw AssemblyErrors(AssemblyError(.otherForm(option: "-dd"), line: 1, column: 1))
        default: return try DecimalListReader.read(text, .lineEnd)
        }
    }

    static func write(_ instructions: [Instruction]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(16 * (instructions.count + 1))
        text.append(decimal: UInt32(truncatingIfNeeded: instructions.count))
        text.append(ascii: "\n")
        for instruction in instructions {
            text.append(fieldsOf: instruction)
            text.append(ascii: "\n")
        }
        return text
    }
}

/// The line that iptables' bpf match and tc take: what ``DecimalForm`` has, with commas for line ends.
///
/// tc and bpf_asm put a comma behind the last instruction too; that is read, and not written.
enum CommaForm {
    static func read(_ text: [UInt8]) throws(AssemblyErrors) -> ClassicSource {
        try DecimalListReader.read(text, .comma)
    }

    static func write(_ instructions: [Instruction]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(16 * (instructions.count + 1))
        text.append(decimal: UInt32(truncatingIfNeeded: instructions.count))
        for instruction in instructions {
            text.append(ascii: ",")
            text.append(fieldsOf: instruction)
        }
        text.append(ascii: "\n")
        return text
    }
}

extension [UInt8] {
    fileprivate mutating func append(fieldsOf instruction: Instruction) {
        append(decimal: UInt32(instruction.code))
        append(ascii: " ")
        append(decimal: UInt32(instruction.jt))
        append(ascii: " ")
        append(decimal: UInt32(instruction.jf))
        append(ascii: " ")
        append(decimal: instruction.k)
    }
}
