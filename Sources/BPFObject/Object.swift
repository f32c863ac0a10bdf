import ExtendedBPF

/// A program with all that a loader has to know of it, as an ELF file for bpftool, libbpf, `tc`, `ip` and others.
public struct Object: Hashable, Sendable {
    /// The program. Its first function is the one the kernel enters at; the others can be called by it and each other.
    public var program: Program
    /// The section of the first function, from which loaders know the program's type: `socket`, `classifier`, `xdp`.
    public var section: String
    /// The license, which decides whether the kernel allows GPL-only helpers.
    public var license: String
    /// The text the program was made from, or nil to leave source lines out; libbpf then warns that there are none.
    public var source: SourceText?
    /// The C structure that the context pointer of every function points to: `__sk_buff`, `xdp_md`.
    public var contextType: String
    /// The byte order of the machine that is to run the program.
    public var byteOrder: ByteOrder

    /// Makes an object; what cannot be written is an error of ``bytes()``.
    public init(
        program: Program, section: String, license: String = "GPL", source: SourceText? = nil, contextType: String,
        byteOrder: ByteOrder = .host
    ) {
        self.program = program
        self.section = section
        self.license = license
        self.source = source
        self.contextType = contextType
        self.byteOrder = byteOrder
    }

    /// The bytes of the file, the same for the same object.
    ///
    /// The first function is a global symbol in ``section``; the others are local ones in `.text`, calls of them from
    /// ``section`` are relocated as clang does it. `.BTF` gives every function the type
    /// `int name(struct contextType *ctx)`, `.BTF.ext` says where each function and each source line starts; the
    /// lines are shown as ``SourceText/lineSizeLimit`` says, those after the first 4 MiB of text and the numbers
    /// above 4,194,303 not exactly: their text is empty, the number that limit.
    /// - Throws: ``ObjectError`` for a name, a section, a license, a reference or a line mark that cannot be written.
    /// - Complexity: O(number of instructions).
    public func bytes() throws(ObjectError) -> [UInt8] {
        try validate()
        var tables = try DebugTables(program, contextType: contextType, source: source, byteOrder)
        let code = Code(program, byteOrder)
        var image = ELFImage(machine: 247)  // EM_BPF
        let records = add(code, to: &image, &tables)
        addLicense(to: &image, &tables)
        _ = image.add(ELFImage.Section(name: ".BTF", alignment: 4, content: try tables.bytes()))
        _ = image.add(
            ELFImage.Section(name: ".BTF.ext", alignment: 4, content: btfExtension(records, byteOrder)))
        return image.bytes(byteOrder)
    }

    private static let licenseSymbol = "_license"

    private func validate() throws(ObjectError) {
        try program.validateNames()
        try program.validateReferences()
        if let clash = program.functions.first(where: { $0.name == Self.licenseSymbol }) {
            throw ObjectError(.repeatedName(clash.name))
        }
        // Names with a dot in front are the file's own; loaders take the other two for something else.
        let isTaken = section.hasPrefix(".") || ["license", "version", "maps"].contains(section)
        if section.isEmpty || isTaken || section.utf8.contains(0) { throw ObjectError(.invalidSection(section)) }
        if license.isEmpty || license.utf8.contains(0) { throw ObjectError(.invalidLicense(license)) }
    }

    /// Adds the section that loaders take the license from, and what libbpf's linker wants to know of its symbol.
    private func addLicense(to image: inout ELFImage, _ tables: inout DebugTables) {
        let name = "license"
        let content = Array(license.utf8) + [0]
        let section = image.add(
            ELFImage.Section(name: name, flags: [.allocate, .write], alignment: 1, content: content))
        image.add(
            ELFImage.Symbol(
                name: Self.licenseSymbol, kind: .object, binding: .global, section: section, size: content.count))
        tables.addText(Self.licenseSymbol, size: content.count, section: name)
    }

    /// Adds the sections of code, with symbols and relocations, and returns what `.BTF.ext` is to say of them.
    private func add(_ code: Code, to image: inout ELFImage, _ tables: inout DebugTables) -> [SectionRecords] {
        var records: [SectionRecords] = []
        let main = addSection(section, code, 0..<1, to: &image, &tables, &records)
        let others = 1..<program.functions.count
        if others.isEmpty { return records }
        let text = addSection(".text", code, others, to: &image, &tables, &records)
        let target = image.add(ELFImage.Symbol(name: "", kind: .section, binding: .local, section: text))
        image.relocate(
            main,
            with: code.relocatedSlots.map {
                ELFImage.Relocation(offset: $0.byteOffset, symbol: target, type: 10)  // R_BPF_64_32
            })
        return records
    }

    private func addSection(
        _ name: String, _ code: Code, _ functions: Range<Int>, to image: inout ELFImage, _ tables: inout DebugTables,
        _ records: inout [SectionRecords]
    ) -> ELFImage.SectionNumber {
        let number = image.add(
            ELFImage.Section(
                name: name, flags: [.allocate, .execute], alignment: Instruction.slotSize,
                content: functions.flatMap { code.bytes[$0] }))
        var record = SectionRecords(sectionName: tables.offset(of: name), functions: [], lines: [])
        for index in functions {
            let start = code.starts[index]
            image.add(
                ELFImage.Symbol(
                    name: program.functions[index].name, kind: .function, binding: index == 0 ? .global : .local,
                    section: number, value: start.byteOffset, size: code.bytes[index].count))
            record.functions.append(
                tables.functionRecord(index, start: start.rawValue, unit: Instruction.slotSize))
            record.lines += tables.lineRecords(index, start: start.rawValue, unit: Instruction.slotSize)
        }
        records.append(record)
        return number
    }
}
