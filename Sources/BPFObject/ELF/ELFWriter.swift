import ExtendedBPF

extension ELFImage {
    /// The bytes of the file.
    ///
    /// In this order: the header, the sections as they were added, one `.rel` section for each that has relocations,
    /// `.symtab`, `.strtab` (names of symbols and of sections), the section headers.
    func bytes(_ order: ByteOrder) -> [UInt8] {
        var writer = ELFWriter(self, order)
        return writer.write()
    }
}

/// One pass over an image: lays the sections out and collects their headers.
private struct ELFWriter {
    private let image: ELFImage
    /// The file from its start, zeros where its header goes, which is known last.
    private var body: ByteWriter
    private var headers: [Header] = [.unused]
    private var strings = StringTable()
    /// By handle, the symbol's number in the file.
    private let symbolNumbers: [Int]
    private let orderedSymbols: [ELFImage.Symbol]

    /// `Elf64_Shdr`, less the address, which is 0 in a relocatable file.
    private struct Header {
        var name: UInt32
        var type: UInt32
        var flags: ELFImage.Flags = []
        var offset = 0
        var size = 0
        var link = 0
        var info = 0
        var alignment = 0
        var entrySize = 0

        static let unused = Header(name: 0, type: 0)
    }

    private enum SectionType {
        static let programBits: UInt32 = 1
        static let symbolTable: UInt32 = 2
        static let stringTable: UInt32 = 3
        static let relocations: UInt32 = 9
    }

    private static let headerSize = 64
    private static let sectionHeaderSize = 64
    private static let symbolSize = 24
    private static let relocationSize = 16

    init(_ image: ELFImage, _ order: ByteOrder) {
        self.image = image
        body = ByteWriter(order)
        body.append(contentsOf: [UInt8](repeating: 0, count: Self.headerSize))
        // The format wants local symbols before all others; number 0 is the unused one.
        let handles = image.symbols.indices
        let ordered =
            handles.filter { image.symbols[$0].binding == .local }
            + handles.filter { image.symbols[$0].binding != .local }
        var numbers = Array(repeating: 0, count: handles.count)
        for (place, handle) in ordered.enumerated() { numbers[handle] = place + 1 }
        symbolNumbers = numbers
        orderedSymbols = ordered.map { image.symbols[$0] }
    }

    mutating func write() -> [UInt8] {
        let relocated = image.sections.indices.filter { !image.sections[$0].relocations.isEmpty }
        let symbolTable = 1 + image.sections.count + relocated.count
        for section in image.sections {
            place(
                section.name, SectionType.programBits, section.content, flags: section.flags,
                alignment: section.alignment)
        }
        for index in relocated {
            place(
                ".rel" + image.sections[index].name, SectionType.relocations,
                relocationTable(image.sections[index].relocations), flags: .infoLink, link: symbolTable,
                info: index + 1, alignment: 8, entrySize: Self.relocationSize)
        }
        place(
            ".symtab", SectionType.symbolTable, makeSymbolTable(), link: symbolTable + 1,
            info: 1 + orderedSymbols.count { $0.binding == .local }, alignment: 8, entrySize: Self.symbolSize)
        // Its own name has to be in it before its size is taken.
        _ = strings.offset(of: ".strtab")
        place(".strtab", SectionType.stringTable, strings.bytes, alignment: 1)
        body.align(to: 8)

        var file = ByteWriter(body.order)
        writeFileHeader(to: &file)
        file.append(contentsOf: Array(body.bytes[Self.headerSize...]))
        for header in headers { write(header, to: &file) }
        return file.bytes
    }

    private mutating func place(
        _ name: String, _ type: UInt32, _ content: [UInt8], flags: ELFImage.Flags = [], link: Int = 0, info: Int = 0,
        alignment: Int, entrySize: Int = 0
    ) {
        body.align(to: alignment)
        headers.append(
            Header(
                name: strings.offset(of: name), type: type, flags: flags, offset: body.bytes.count,
                size: content.count, link: link, info: info, alignment: alignment, entrySize: entrySize))
        body.append(contentsOf: content)
    }

    private func relocationTable(_ relocations: [ELFImage.Relocation]) -> [UInt8] {
        var table = ByteWriter(body.order)
        for relocation in relocations {
            table.append(UInt64(relocation.offset))
            table.append(UInt64(symbolNumbers[relocation.symbol.rawValue]) << 32 | UInt64(relocation.type))
        }
        return table.bytes
    }

    private mutating func makeSymbolTable() -> [UInt8] {
        var table = ByteWriter(body.order)
        table.append(contentsOf: [UInt8](repeating: 0, count: Self.symbolSize))
        for symbol in orderedSymbols {
            table.append(strings.offset(of: symbol.name))
            table.append(symbol.binding.rawValue << 4 | symbol.kind.rawValue)
            table.append(symbol.visibility.rawValue)
            table.append(UInt16(symbol.section.rawValue))
            table.append(UInt64(symbol.value))
            table.append(UInt64(symbol.size))
        }
        return table.bytes
    }

    private func writeFileHeader(to file: inout ByteWriter) {
        file.append(contentsOf: [0x7f, 0x45, 0x4c, 0x46])
        file.append(contentsOf: [2, file.order == .little ? 1 : 2, 1])  // ELFCLASS64, ELFDATA2…, EV_CURRENT
        file.append(contentsOf: [UInt8](repeating: 0, count: 9))  // System V ABI 0, padding
        file.append(UInt16(1))  // ET_REL
        file.append(image.machine)
        file.append(UInt32(1))  // EV_CURRENT
        file.append(UInt64(0))  // no entry point
        file.append(UInt64(0))  // no program headers
        file.append(UInt64(body.bytes.count))
        file.append(UInt32(0))  // no flags
        file.append(UInt16(Self.headerSize))
        file.append(UInt16(0))
        file.append(UInt16(0))
        file.append(UInt16(Self.sectionHeaderSize))
        file.append(UInt16(headers.count))
        file.append(UInt16(headers.count - 1))  // .strtab is the last
    }

    private func write(_ header: Header, to file: inout ByteWriter) {
        file.append(header.name)
        file.append(header.type)
        file.append(header.flags.rawValue)
        file.append(UInt64(0))
        file.append(UInt64(header.offset))
        file.append(UInt64(header.size))
        file.append(UInt32(header.link))
        file.append(UInt32(header.info))
        file.append(UInt64(header.alignment))
        file.append(UInt64(header.entrySize))
    }
}
