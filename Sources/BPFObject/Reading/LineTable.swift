import ExtendedBPF

/// The lines that an object says its instructions come from, as its bytes say it.
///
/// They are looked at only when somebody asks. Source: the kernel's documentation of the BPF Type Format, ".BTF.ext
/// section".
struct LineTable: Hashable, Sendable {
    /// Where a function lies.
    struct Place: Hashable, Sendable {
        var section: String
        var bytes: Range<Int>
    }

    /// By name.
    private var functions: [String: Place] = [:]
    private(set) var types: [UInt8] = []
    private var records: [UInt8] = []
    private let byteOrder: ByteOrder

    init(of file: ELFReader) {
        byteOrder = file.byteOrder
        func content(_ name: String) -> [UInt8] {
            file.sections.first { $0.name == name }.map { Array(file.content(of: $0)) } ?? []
        }
        (types, records) = (content(".BTF"), content(".BTF.ext"))
        for symbol in file.symbols where symbol.kind == .function && file.sections.indices.contains(symbol.section) {
            functions[symbol.name] = Place(
                section: file.sections[symbol.section].name, bytes: symbol.value..<symbol.value + symbol.size)
        }
    }

    /// A line as a record has it.
    struct Line {
        /// Counted in bytes from the start of the section.
        var place: Int
        var fileName, text: String
        var number: Int
    }

    /// The lines of each section.
    func lines() throws(BTFError) -> [String: [Line]] {
        guard !types.isEmpty, !records.isEmpty else { return [:] }
        let reader = try BTFReader(types)
        let words = Words(bytes: records, order: byteOrder)
        let headerSize = try words.number(at: 4)
        var place = headerSize + (try words.number(at: 16))
        let end = place + (try words.number(at: 20))
        if place == end { return [:] }
        let size = try words.number(at: place)
        guard size >= LineRecord.size else { throw BTFError(.shortHeader(bytes: size, least: LineRecord.size)) }
        place += 4
        var found: [String: [Line]] = [:]
        while place < end {
            let section = try reader.string(at: UInt32(words.number(at: place)))
            let count = try words.number(at: place + 4)
            place += 8
            for record in 0..<count {
                let start = place + record * size
                found[section, default: []].append(
                    Line(
                        place: try words.number(at: start),
                        fileName: try reader.string(at: UInt32(words.number(at: start + 4))),
                        text: try reader.string(at: UInt32(words.number(at: start + 8))),
                        number: try words.number(at: start + 12) >> 10))
            }
            place += count * size
        }
        return found
    }

    func place(of function: String) -> Place? { functions[function] }
}

extension ObjectReader {
    /// The most lines of a source that are kept; one of this project's has one for each instruction of the filter.
    private static let lineLimit = 1 << 20

    /// The program of an entry with marks of the lines it came from, and their text, as far as the object says it.
    ///
    /// Lines of other files than the first instruction's are left out.
    /// - Throws: ``ELFError`` where the records are damaged.
    public func withLines(_ entry: Entry) throws(ELFError) -> (program: Program, source: SourceText?) {
        let all: [String: [LineTable.Line]]
        do throws(BTFError) {
            all = try lines.lines()
        } catch {
            throw ELFError(.types(error.reason))
        }
        var program = entry.program
        var source: SourceText?
        for index in program.functions.indices {
            let function = program.functions[index]
            guard let place = lines.place(of: function.name) else { continue }
            let starts = Dictionary(uniqueKeysWithValues: function.slots.enumerated().map { ($1.byteOffset, $0) })
            for line in all[place.section] ?? [] where place.bytes.contains(line.place) {
                if source == nil { source = SourceText(fileName: line.fileName, lines: []) }
                guard source?.fileName == line.fileName, (1...Self.lineLimit).contains(line.number),
                    let instruction = starts[line.place - place.bytes.lowerBound],
                    program.functions[index].lines.last.map({ $0.instruction < instruction }) != false
                else { continue }
                program.functions[index].lines.append(LineMark(instruction: instruction, line: line.number))
                let missing = line.number - source!.lines.count
                if missing > 0 { source!.lines += [String](repeating: "", count: missing) }
                source!.lines[line.number - 1] = line.text
            }
        }
        return (program, source)
    }
}
