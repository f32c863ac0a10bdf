import ClassicBPF

/// Reads a form that has an instruction in each line, empty ones left out.
protocol LineReader {
    var scanner: TextScanner { get set }
    /// What a text begins with, as a message quotes it.
    static var beginning: String { get }

    init(scanner: TextScanner)

    /// Reads all of the line but its end.
    ///
    /// - Parameter index: The index of the instruction.
    mutating func readInstruction(at index: Int) throws(AssemblyError) -> Instruction
}

extension LineReader {
    /// Reads all of `text`. A line with an error counts as an instruction, so that the numbers of others stay right.
    static func read(_ text: [UInt8]) throws(AssemblyErrors) -> ClassicSource {
        var reader = Self(scanner: TextScanner(text))
        return try reader.readLines()
    }

    private mutating func readLines() throws(AssemblyErrors) -> ClassicSource {
        var source = ClassicSource(instructions: [], lines: [])
        var errors = ErrorCollector()
        while !errors.isFull, scanner.skipEmptyLines() {
            let line = scanner.place.line
            var instruction = Instruction(code: 0)
            do throws(AssemblyError) {
                instruction = try readInstruction(at: source.instructions.count)
            } catch {
                errors.add(error)
                scanner.skipToLineEnd()
            }
            scanner.skipLineEnd()
            source.instructions.append(instruction)
            source.lines.append(line)
        }
        if source.instructions.isEmpty {
            errors.add(scanner.error(.unexpected(found: scanner.found, expected: [Self.beginning])))
        }
        try errors.finish()
        return source
    }
}
