import ExtendedBPF

/// The form in which the kernel's verifier and `bpftool prog dump xlated` show a program, one instruction a line.
///
/// In front of an instruction stand its slot and its opcode in hexadecimal; source lines are comments behind a
/// semicolon, in front of the first instruction that came from them. A field that a loader is to fill in is shown by
/// its name. Source: the output of the running kernel.
public enum ExtendedListing {
    /// The listing of `program`, a line feed behind each line.
    ///
    /// - Parameters:
    ///   - source: The source lines that the program's line marks count, the first being line 1.
    ///   - headings: What stands above each function; nil for its name where there are several functions.
    /// - Complexity: O(*n*) in the number of instructions and source lines.
    public static func text(_ program: Program, source: [String] = [], headings: [String]? = nil) -> String {
        let linked = program.linked()
        let slots = linked.slots
        let isAlone = program.functions.count == 1
        let headings = headings ?? (isAlone ? [] : program.functions.map(\.name))
        var starts = starts(of: program, headings)
        var lines: [Int: Int] = [:]
        for mark in linked.lines { lines[mark.instruction] = mark.line }

        var text = ""
        for (index, instruction) in linked.instructions.enumerated() {
            if let heading = starts.removeValue(forKey: index) { text += "\(heading):\n" }
            if let line = lines[index], source.indices.contains(line - 1) { text += comment(source[line - 1]) }
            let opcode = String(instruction.opcode.rawValue, radix: 16)
            text += String(slots[index].rawValue).padded(leadingTo: 4)
            text += ": (\(opcode.count < 2 ? "0" : "")\(opcode)) "
            text += instruction.image(linked.references[index]) + "\n"
        }
        return text
    }

    /// By index of its first instruction, what stands above each function.
    private static func starts(of program: Program, _ headings: [String]) -> [Int: String] {
        var start = 0
        return zip(program.functions, headings).reduce(into: [:]) { starts, pair in
            starts[start] = pair.1
            start += pair.0.instructions.count
        }
    }

    /// A source line of several lines stays a comment in each, however they end: `\r\n` is one character.
    private static func comment(_ line: String) -> String {
        line.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { "; \($0)\n" }.joined()
    }
}
