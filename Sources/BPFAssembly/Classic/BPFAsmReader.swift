import ClassicBPF

/// Reads the language of the kernel's bpf_asm, line ends of which mean nothing but the end of a comment.
///
/// What is read here and not there: names of labels with one letter or that are words of the language, several labels
/// before an instruction, extensions in square brackets and by bpfc's names, `[x+4]` without spaces.
struct BPFAsmReader {
    var scanner: TextScanner
    private var source = ClassicSource(instructions: [], lines: [])
    private var errors = ErrorCollector()
    private var labels = LabelTable()
    private var references: [Reference] = []
    /// Labels that no instruction has followed yet.
    private var pendingLabels: [Int] = []

    /// A field that a label stands for.
    private struct Reference {
        var instruction: UInt32
        /// The number of the label, four times, plus the number of the field.
        var labelAndField: UInt32
        /// Where the label stands in the text.
        var position: UInt32
    }

    private enum Field: UInt32 {
        case jt, jf, k
    }

    static func read(_ text: [UInt8]) throws(AssemblyErrors) -> ClassicSource {
        guard text.count <= UInt32.max else {
            let reason = AssemblyError.Reason.wrongSize(
                "the text", found: text.count, expected: "at most \(UInt32.max)")
            throw AssemblyErrors(AssemblyError(reason, line: 1, column: 1))
        }
        var reader = BPFAsmReader(scanner: TextScanner(text))
        return try reader.read()
    }

    private init(scanner: TextScanner) { self.scanner = scanner }

    private mutating func read() throws(AssemblyErrors) -> ClassicSource {
        source.reserve(min(scanner.text.count { $0 == UInt8(ascii: "\n") } + 1, scanner.text.count / 4))
        while !errors.isFull {
            do throws(AssemblyError) {
                try skipBlank()
                if scanner.isAtEnd { break }
                try readStatement()
            } catch {
                errors.add(error)
                scanner.skipToLineEnd()
            }
        }
        if let label = pendingLabels.first, scanner.isAtEnd { errors.add(error(.labelAtEnd(name(label)), label)) }
        if source.instructions.isEmpty, errors.collected == nil { errors.add(unexpected("a mnemonic", "a label")) }
        resolveReferences()
        try errors.finish()
        return source
    }

    /// Reads a label or an instruction.
    private mutating func readStatement() throws(AssemblyError) {
        let place = scanner.place
        let start = scanner.position
        let word = scanner.take { $0.isWordCharacter }
        guard let first = word.first, !first.isDigit else {
            scanner.skip(start - scanner.position)
            throw unexpected("a mnemonic", "a label")
        }
        guard let mnemonic = Mnemonic(word) else {
            let end = scanner
            try skipBlank()
            guard scanner.skip(if: UInt8(ascii: ":")) else {
                // What is in the next line may be right.
                scanner = end
                throw AssemblyError(
                    .unexpected(found: "'\(quotation(word))'", expected: ["a mnemonic", "a label with ':' behind it"]),
                    line: place.line, column: place.column)
            }
            return try define(start..<end.position, line: place.line, column: place.column)
        }
        // Counted even where it turns out to be wrong, so that jumps over it are judged as they are meant.
        source.instructions.append(Instruction(code: 0))
        source.lines.append(place.line)
        for label in pendingLabels { labels.setTarget(label, source.instructions.count - 1) }
        pendingLabels.removeAll(keepingCapacity: true)
        let instruction = try self.instruction(mnemonic)
        source.instructions[source.instructions.count - 1] = instruction
    }

    private mutating func define(_ range: Range<Int>, line: Int, column: Int) throws(AssemblyError) {
        let label = labels.number(of: range, in: scanner.text)
        let first = Int(labels.labels[label].line)
        guard first == 0 else {
            throw AssemblyError(.duplicateLabel(name(label), firstLine: first), line: line, column: column)
        }
        labels.define(label, line: line)
        pendingLabels.append(label)
    }

    private mutating func instruction(_ mnemonic: Mnemonic) throws(AssemblyError) -> Instruction {
        try skipBlank()
        switch mnemonic {
        case .load(let size): return try load(size)
        case .loadImmediate: return Instruction(.load(.immediate(try constant(markIsOptional: true))))
        case .loadIndex: return try loadIndex()
        case .loadIndexImmediate: return Instruction(.loadIndex(.immediate(try constant(markIsOptional: true))))
        case .loadIndexByte: return Instruction(.loadIndex(.headerLength(try headerLength())))
        case .store: return Instruction(.store(try memory()))
        case .storeIndex: return Instruction(.storeIndex(try memory()))
        case .jump:
            try refer(to: .k)
            return Instruction(.jump(0))
        case .branch(let comparison, let isInverted): return try branch(comparison, isInverted: isInverted)
        case .arithmetic(let op): return Instruction(.arithmetic(op, try operand()))
        case .negate: return Instruction(.negate)
        case .result: return try result()
        case .transferAToX: return Instruction(.transferAToX)
        case .transferXToA: return Instruction(.transferXToA)
        }
    }

    private mutating func branch(
        _ comparison: Operation.Comparison, isInverted: Bool
    ) throws(AssemblyError) -> Instruction {
        let operand = try operand()
        try expect(",")
        try refer(to: isInverted ? .jf : .jt)
        if !isInverted {
            try skipBlank()
            if scanner.skip(if: UInt8(ascii: ",")) { try refer(to: .jf) }
        }
        return Instruction(.branch(comparison, operand, jt: 0, jf: 0))
    }

    /// Reads the label that stands for a field of the last instruction.
    private mutating func refer(to field: Field) throws(AssemblyError) {
        try skipBlank()
        let start = scanner.position
        guard let byte = scanner.next, byte.isWordCharacter, !byte.isDigit else { throw unexpected("a label") }
        while scanner.next?.isWordCharacter == true { scanner.skip() }
        let label = labels.number(of: start..<scanner.position, in: scanner.text)
        references.append(
            Reference(
                instruction: UInt32(source.instructions.count - 1), labelAndField: UInt32(label) << 2 | field.rawValue,
                position: UInt32(start)))
    }

    /// Puts the distances to the labels where those are referred to.
    private mutating func resolveReferences() {
        for reference in references where !errors.isFull {
            let (index, label) = (Int(reference.instruction), Int(reference.labelAndField >> 2))
            let target = Int(labels.labels[label].target)
            guard target >= 0 else {
                if labels.labels[label].line == 0 {
                    errors.add(error(.undefinedLabel(name(label)), at: Int(reference.position)))
                }
                continue
            }
            let distance = target - index - 1
            guard reference.labelAndField & 3 != Field.k.rawValue else {
                source.instructions[index].k = UInt32(truncatingIfNeeded: distance)
                continue
            }
            guard let short = UInt8(exactly: distance) else {
                errors.add(
                    error(.branchTooFar(to: "'\(name(label))'", distance: distance), at: Int(reference.position)))
                continue
            }
            if reference.labelAndField & 3 == Field.jt.rawValue {
                source.instructions[index].jt = short
            } else {
                source.instructions[index].jf = short
            }
        }
    }

    private func name(_ label: Int) -> String { quotation(scanner.text[labels.range(label)]) }

    private func error(_ reason: AssemblyError.Reason, _ label: Int) -> AssemblyError {
        error(reason, at: labels.range(label).lowerBound)
    }

    private func error(_ reason: AssemblyError.Reason, at position: Int) -> AssemblyError {
        let before = scanner.text[..<position]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        var column = position - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
        if line == 1, scanner.text.starts(with: [0xef, 0xbb, 0xbf]) { column -= 3 }
        return AssemblyError(reason, line: line, column: column)
    }
}
