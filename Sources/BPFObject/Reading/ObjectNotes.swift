import ExtendedBPF

/// What an object says of its functions for people: their declarations, source lines, and what loaders look up.
public struct ObjectNotes: Hashable, Sendable {
    /// What is known of one function.
    public struct Notes: Hashable, Sendable {
        /// The declaration in C, or nil where the object has no types.
        public var declaration: String?
        /// By slot in the function, what stands there: source lines and questions to the kernel's types.
        public var lines: [Slot: [String]] = [:]
    }

    /// By name of the function.
    public private(set) var functions: [String: Notes] = [:]

    /// Reads what is in sections `.BTF` and `.BTF.ext` of the object that `bytes` are; nothing where they are missing.
    ///
    /// Source: the kernel's documentation of the BPF Type Format, ".BTF.ext section".
    /// - Throws: ``ELFError`` for what does not fit together.
    public init(_ bytes: [UInt8]) throws(ELFError) {
        let file = try ELFReader(bytes)
        guard let types = file.sections.first(where: { $0.name == ".BTF" }) else { return }
        let records = file.sections.first { $0.name == ".BTF.ext" }
        do throws(BTFError) {
            let btf = try BTFReader(Array(file.content(of: types)))
            let table = try records.map { section throws(BTFError) in
                try RecordReader(Array(file.content(of: section)), btf)
            }
            for (number, section) in file.sections.enumerated() where section.flags.contains(.execute) {
                try addFunctions(of: section.name, number, file, btf, table)
            }
        } catch {
            throw ELFError(.types(error.reason))
        }
    }

    private mutating func addFunctions(
        of section: String, _ number: Int, _ file: ELFReader, _ btf: BTFReader, _ records: RecordReader?
    ) throws(BTFError) {
        let declarations = try records?.declarations(section) ?? [:]
        let lines = try records?.lines(section) ?? [:]
        for symbol in file.symbols where symbol.kind == .function && symbol.section == number {
            guard functions[symbol.name] == nil else { continue }
            var notes = Notes(declaration: declarations[symbol.value])
            for (place, texts) in lines where place >= symbol.value && place - symbol.value < symbol.size {
                notes.lines[Slot(rawValue: (place - symbol.value) / Instruction.slotSize)] = texts
            }
            functions[symbol.name] = notes
        }
    }
}

/// The three tables of `.BTF.ext`.
private struct RecordReader {
    private let words: Words
    private let btf: BTFReader
    private let headerSize: Int

    init(_ bytes: [UInt8], _ btf: BTFReader) throws(BTFError) {
        words = Words(bytes: bytes, order: btf.byteOrder)
        self.btf = btf
        headerSize = try words.number(at: 4)
    }

    /// By place in the section, the declarations of functions.
    func declarations(_ section: String) throws(BTFError) -> [Int: String] {
        var found: [Int: String] = [:]
        for record in try places(of: section, table: 8, least: 8) {
            found[try words.number(at: record)] = try btf.declaration(
                ofFunction: UInt32(words.number(at: record + 4)))
        }
        return found
    }

    /// By place in the section, source lines and, behind them, questions to the kernel's types.
    func lines(_ section: String) throws(BTFError) -> [Int: [String]] {
        var found: [Int: [String]] = [:]
        for record in try places(of: section, table: 16, least: 16) {
            let text = try btf.string(at: UInt32(words.number(at: record + 8)))
            let number = try words.number(at: record + 12) >> 10
            // Line 0 is code of the compiler's own.
            guard number > 0 else { continue }
            let trimmed = text.drop { $0 == " " || $0 == "\t" }
            found[try words.number(at: record), default: []].append("\(number): \(trimmed)")
        }
        guard headerSize >= 32 else { return found }
        for record in try places(of: section, table: 24, least: 16) {
            if let text = try question(record) { found[try words.number(at: record), default: []].append(text) }
        }
        return found
    }

    /// What a loader asks the kernel's types that no reference of an instruction shows.
    private func question(_ record: Int) throws(BTFError) -> String? {
        let kind = try words.number(at: record + 12)
        guard Self.questions.indices.contains(kind), KernelRecord.Kind(rawValue: UInt32(kind)) == nil else {
            return nil
        }
        let type = UInt32(try words.number(at: record + 4))
        let access = try btf.string(at: UInt32(words.number(at: record + 8)))
        let member = try btf.memberPath(access, inType: type)
        let name = try btf.declaration(of: "", type)
        return "CO-RE: \(Self.questions[kind]) \(name)\(member.isEmpty ? "" : ".\(member)")"
    }

    /// By `enum bpf_core_relo_kind`.
    private static let questions = [
        "offset of", "size of", "existence of", "sign of", "left shift of", "right shift of", "local number of",
        "number of", "existence of", "size of", "existence of a value of", "value of", "match of",
    ]

    /// Where the records for a section are in the table whose place stands at `table` of the header.
    private func places(of section: String, table: Int, least: Int) throws(BTFError) -> [Int] {
        var place = headerSize + (try words.number(at: table))
        let end = place + (try words.number(at: table + 4))
        if place == end { return [] }
        let size = try words.number(at: place)
        guard size >= least else { throw BTFError(.shortHeader(bytes: size, least: least)) }
        guard size <= words.bytes.count else {
            throw BTFError(.truncated(needed: size, available: words.bytes.count), at: place)
        }
        place += 4
        var found: [Int] = []
        while place < end {
            let isMeant = try btf.string(at: UInt32(words.number(at: place))) == section
            let count = try words.number(at: place + 4)
            place += 8
            if isMeant, count > 0 {
                // The last record is asked for first: a count that lies is an error, not a long list.
                _ = try words.number(at: place + (count - 1) * size)
                found += (0..<count).map { place + $0 * size }
            }
            place += count * size
        }
        return found
    }
}
