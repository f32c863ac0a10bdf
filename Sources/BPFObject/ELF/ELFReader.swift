import ExtendedBPF

/// The sections, symbols and relocations of a relocatable 64-bit ELF file, in either byte order.
///
/// The bytes need not be trusted: what does not fit together is an error. Source: the System V gABI, chapters 4 and 5.
struct ELFReader {
    /// A section as the file describes it.
    struct Section {
        var name = ""
        /// `SHT_…`.
        var type: UInt32
        var flags: ELFImage.Flags
        /// Its bytes' place in the file; empty for one without any.
        var content: Range<Int>
        /// `sh_link` and `sh_info`.
        var link, info: Int
    }

    /// A symbol as the file describes it.
    struct Symbol {
        var name: String
        /// `STT_…`; nil for one that is not known here.
        var kind: ELFImage.Symbol.Kind?
        var section: Int
        var value, size: Int
    }

    /// A place that depends on a symbol (`Elf64_Rel`).
    struct Relocation {
        /// The distance in bytes from the start of the section.
        var offset: Int
        var symbol: Int
        var type: UInt32
    }

    /// `SHT_…`.
    enum SectionType {
        static let bits: UInt32 = 1
        static let symbols: UInt32 = 2
        static let noBits: UInt32 = 8
        static let relocations: UInt32 = 9
    }

    /// `e_machine`.
    let machine: UInt16
    let byteOrder: ByteOrder
    /// By number, the unused section 0 among them.
    private(set) var sections: [Section] = []
    /// By number, the unused symbol 0 among them.
    private(set) var symbols: [Symbol] = []

    private let file: Fields

    /// Reads the headers and symbols of `bytes`.
    init(_ bytes: [UInt8]) throws(ELFError) {
        guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { throw ELFError(.notELF, at: 0) }
        guard bytes.count >= 64 else { throw ELFError(.truncated(needed: 64, available: bytes.count), at: 0) }
        guard bytes[4] == 2 else { throw ELFError(.not64Bit, at: 4) }
        switch bytes[5] {
        case 1: byteOrder = .little
        case 2: byteOrder = .big
        case let order: throw ELFError(.unknownByteOrder(order), at: 5)
        }
        file = Fields(bytes: bytes, order: byteOrder)
        machine = UInt16(try file.number(18, bytes: 2))
        try readSections()
        try readSymbols()
    }

    private mutating func readSections() throws(ELFError) {
        let table = try file.number(40, bytes: 8)
        var names: [Int] = []
        for index in 0..<(try file.number(60, bytes: 2)) {
            let header = table + 64 * index
            try file.check(header, bytes: 64)
            let type = UInt32(try file.number(header + 4, bytes: 4))
            let start = try file.number(header + 24, bytes: 8)
            let size = type == SectionType.noBits ? 0 : try file.number(header + 32, bytes: 8)
            let isEmpty = index == 0 || size == 0
            if !isEmpty { try file.check(start, bytes: size) }
            names.append(try file.number(header, bytes: 4))
            sections.append(
                Section(
                    type: type, flags: ELFImage.Flags(rawValue: UInt64(try file.number(header + 8, bytes: 8))),
                    content: isEmpty ? 0..<0 : start..<start + size, link: try file.number(header + 40, bytes: 4),
                    info: try file.number(header + 44, bytes: 4)))
        }
        let strings = try section(file.number(62, bytes: 2), namedAt: 62)
        for (index, name) in names.enumerated() { sections[index].name = try file.string(name, in: strings.content) }
    }

    private mutating func readSymbols() throws(ELFError) {
        guard let table = sections.first(where: { $0.type == SectionType.symbols }) else { return }
        let strings = try section(table.link, namedAt: table.content.lowerBound)
        for start in stride(from: table.content.lowerBound, to: table.content.upperBound, by: 24) {
            symbols.append(
                Symbol(
                    name: try file.string(file.number(start, bytes: 4), in: strings.content),
                    kind: ELFImage.Symbol.Kind(rawValue: UInt8(try file.number(start + 4, bytes: 1)) & 15),
                    section: try file.number(start + 6, bytes: 2), value: try file.number(start + 8, bytes: 8),
                    size: try file.number(start + 16, bytes: 8)))
        }
    }

    private func section(_ number: Int, namedAt place: Int) throws(ELFError) -> Section {
        guard sections.indices.contains(number) else {
            throw ELFError(.noSuchSection(number, count: sections.count), at: place)
        }
        return sections[number]
    }

    /// The bytes of a section.
    func content(of section: Section) -> ArraySlice<UInt8> { file.bytes[section.content] }

    /// The relocations of the section of that number.
    func relocations(of section: Int) throws(ELFError) -> [Relocation] {
        var relocations: [Relocation] = []
        for table in sections where table.type == SectionType.relocations && table.info == section {
            for start in stride(from: table.content.lowerBound, to: table.content.upperBound, by: 16) {
                let symbol = try file.number(start + 12 - (byteOrder == .big ? 4 : 0), bytes: 4)
                guard symbols.indices.contains(symbol) else {
                    throw ELFError(.noSuchSymbol(symbol, count: symbols.count), at: start)
                }
                let type = try file.number(start + 8 + (byteOrder == .big ? 4 : 0), bytes: 4)
                relocations.append(
                    Relocation(offset: try file.number(start, bytes: 8), symbol: symbol, type: UInt32(type)))
            }
        }
        return relocations
    }
}

/// Numbers and strings at places of a file.
private struct Fields {
    let bytes: [UInt8]
    let order: ByteOrder

    /// Throws unless the file has `count` bytes from `offset` on.
    func check(_ offset: Int, bytes count: Int) throws(ELFError) {
        let available = max(0, bytes.count - offset)
        guard count <= available else { throw ELFError(.truncated(needed: count, available: available), at: offset) }
    }

    /// A number of 1 to 8 bytes; offsets and sizes above 2⁶⁰ are in no file.
    func number(_ offset: Int, bytes count: Int) throws(ELFError) -> Int {
        try check(offset, bytes: count)
        let field = bytes[offset..<offset + count]
        let number = (order == .little ? field.reversed() : Array(field)).reduce(0) { $0 << 8 | UInt64($1) }
        guard number < 1 << 60 else { throw ELFError(.tooLarge(number), at: offset) }
        return Int(number)
    }

    func string(_ offset: Int, in strings: Range<Int>) throws(ELFError) -> String {
        guard offset < strings.count,
            let end = bytes[strings.lowerBound + offset..<strings.upperBound].firstIndex(of: 0)
        else { throw ELFError(.stringOutOfRange(offset: offset, size: strings.count), at: strings.lowerBound) }
        return String(decoding: bytes[strings.lowerBound + offset..<end], as: UTF8.self)
    }
}
