import ExtendedBPF

/// Puts the parts of an object into an ELF file.
struct ObjectWriter {
    private let object: Object
    private let code: Code
    private var tables: DebugTables
    private var image = ELFImage(machine: 247)  // EM_BPF
    private var records: [SectionRecords] = []
    /// What relocations are to.
    private var symbols: [Code.Relocation.Target: ELFImage.SymbolHandle] = [:]

    private var program: Program { object.program }

    /// Works out types, places and the bytes of the code.
    init(_ object: Object) throws(ObjectError) {
        self.object = object
        var result: CType?
        var isEntryApart = true
        if case .function(let kind) = object.kind {
            result = kind == .bool ? .bool : .int
            isEntryApart = false
        }
        tables = try DebugTables(
            object.program, contextType: object.contextType, source: object.source, object.byteOrder, result: result)
        let kernel = try KernelStructures(object.program, object.declarations, in: &tables.btf)
        try tables.addKernelFunctions(of: object.program, object.declarations)
        code = Code(object.program, isEntryApart: isEntryApart, kernel, object.byteOrder)
    }

    /// The bytes of the file.
    mutating func write() throws(ObjectError) -> [UInt8] {
        let sections = addCode()
        addMaps()
        addData()
        addKernelFunctions()
        for (section, functions) in sections { relocate(section, functions) }
        // A function has what the program it is linked into says.
        if case .program = object.kind {
            addLicense()
            if let version = object.kernelVersion { addVersion(version) }
        }
        _ = image.add(ELFImage.Section(name: ".BTF", alignment: 4, content: try tables.bytes()))
        _ = image.add(
            ELFImage.Section(name: ".BTF.ext", alignment: 4, content: btfExtension(records, object.byteOrder)))
        return image.bytes(object.byteOrder)
    }

    /// Adds the sections of code with the functions' symbols, and returns which functions are in which.
    private mutating func addCode() -> [(ELFImage.SectionNumber, Range<Int>)] {
        guard case .program(let section) = object.kind else {
            let all = program.functions.indices
            let text = addCode(".text", all)
            if !program.functionsByAddress.isEmpty { addText(text) }
            return [(text, all)]
        }
        let main = addCode(section, 0..<1)
        let others = 1..<program.functions.count
        if others.isEmpty { return [(main, 0..<1)] }
        let text = addCode(".text", others)
        addText(text)
        return [(main, 0..<1), (text, others)]
    }

    /// Adds the symbol that functions are found by.
    private mutating func addText(_ section: ELFImage.SectionNumber) {
        let symbol = image.add(ELFImage.Symbol(name: "", kind: .section, binding: .local, section: section))
        symbols[.text] = symbol
        symbols[.address] = symbol
    }

    private mutating func addCode(_ name: String, _ functions: Range<Int>) -> ELFImage.SectionNumber {
        let number = image.add(
            ELFImage.Section(
                name: name, flags: [.allocate, .execute], alignment: Instruction.slotSize,
                content: functions.flatMap { code.bytes[$0] }))
        var record = SectionRecords(sectionName: tables.offset(of: name), functions: [], lines: [], kernel: [])
        for index in functions {
            let start = code.starts[index]
            addSymbol(of: index, in: number)
            record.functions.append(
                tables.functionRecord(index, start: start.rawValue, unit: Instruction.slotSize))
            record.lines += tables.lineRecords(index, start: start.rawValue, unit: Instruction.slotSize)
            record.kernel += code.kernelNumbers[index].map {
                KernelRecord(
                    place: UInt32($0.slot.byteOffset), type: $0.place.type, access: $0.place.access, kind: $0.place.kind
                )
            }
        }
        records.append(record)
        return number
    }

    /// Hidden is what other files of a link may call but no loader has to verify by itself.
    private mutating func addSymbol(of function: Int, in section: ELFImage.SectionNumber) {
        var symbol = ELFImage.Symbol(
            name: program.functions[function].name, kind: .function, binding: function == 0 ? .global : .local,
            section: section, value: code.starts[function].byteOffset, size: code.bytes[function].count)
        if case .function = object.kind, function == 0 { symbol.visibility = .hidden }
        image.add(symbol)
    }

    private mutating func relocate(_ section: ELFImage.SectionNumber, _ functions: Range<Int>) {
        for relocation in functions.flatMap({ code.relocations[$0] }) {
            guard let symbol = symbols[relocation.target] else { preconditionFailure("no symbol for a relocation") }
            let type: UInt32 =
                switch relocation.target {
                case .text, .kernelFunction: 10  // R_BPF_64_32
                case .map, .table, .address: 1  // R_BPF_64_64
                }
            image.relocate(
                section, ELFImage.Relocation(offset: relocation.slot.byteOffset, symbol: symbol, type: type))
        }
    }
}

// What is beside the code.
extension ObjectWriter {
    /// Adds the section `.maps`: zeros, of which the types alone say what they are.
    private mutating func addMaps() {
        if program.maps.isEmpty { return }
        var end = 0
        var places: [BTFType.Place] = []
        let section = ELFImage.SectionNumber(rawValue: image.sections.count + 1)
        for map in program.maps {
            let (type, bytes) = tables.btf.addMap(map)
            let variable = tables.btf.add(.variable(name: map.name, type: type, linkage: .global))
            places.append(BTFType.Place(variable: variable, offset: UInt32(end), size: bytes))
            symbols[.map(map.name)] = image.add(
                ELFImage.Symbol(
                    name: map.name, kind: .object, binding: .global, section: section, value: end, size: Int(bytes)))
            end += Int(bytes)
        }
        addData(".maps", [.allocate, .write], [UInt8](repeating: 0, count: end), places)
    }

    /// Adds the section `.rodata`: the tables, each at a multiple of its elements' size.
    private mutating func addData() {
        if program.data.isEmpty { return }
        let layout = DataLayout(of: program.data)
        var places: [BTFType.Place] = []
        let section = ELFImage.SectionNumber(rawValue: image.sections.count + 1)
        for (table, start) in zip(layout.tables, layout.offsets) {
            let type = tables.btf.id(
                of: .array(of: .unsigned(UInt32(table.elementSize.bytes)), count: UInt32(table.elements.count)))
            let variable = tables.btf.add(.variable(name: table.name, type: type, linkage: .static))
            places.append(BTFType.Place(variable: variable, offset: UInt32(start), size: UInt32(table.size)))
            // Local, so that two objects with a table of one name can be linked.
            symbols[.table(table.name)] = image.add(
                ELFImage.Symbol(
                    name: table.name, kind: .object, binding: .local, section: section, value: start, size: table.size))
        }
        addData(".rodata", .allocate, layout.bytes(object.byteOrder), places)
    }

    private mutating func addData(
        _ name: String, _ flags: ELFImage.Flags, _ content: [UInt8], _ places: [BTFType.Place]
    ) {
        _ = image.add(ELFImage.Section(name: name, flags: flags, alignment: 8, content: content))
        _ = tables.btf.add(.dataSection(name: name, bytes: UInt32(content.count), variables: places))
    }

    /// Adds the symbols of kernel functions, which a loader has to find.
    private mutating func addKernelFunctions() {
        for name in program.kernelFunctions {
            symbols[.kernelFunction(name)] = image.add(
                ELFImage.Symbol(name: name, kind: .none, binding: .global, section: .undefined))
        }
    }

    /// Adds the section that loaders take the license from, and what libbpf's linker wants to know of its symbol.
    private mutating func addLicense() {
        let content = Array(object.license.utf8) + [0]
        addVariable(Object.OwnSymbol.license, content, section: "license", alignment: 1)
        tables.addText(Object.OwnSymbol.license, size: content.count, section: "license")
    }

    private mutating func addVersion(_ version: UInt32) {
        var content = ByteWriter(object.byteOrder)
        content.append(version)
        addVariable(Object.OwnSymbol.version, content.bytes, section: "version", alignment: 4)
        let type = tables.btf.id(of: .unsigned(4))
        tables.addVariable(Object.OwnSymbol.version, type, size: content.bytes.count, section: "version")
    }

    private mutating func addVariable(_ name: String, _ content: [UInt8], section: String, alignment: Int) {
        let number = image.add(
            ELFImage.Section(name: section, flags: [.allocate, .write], alignment: alignment, content: content))
        image.add(
            ELFImage.Symbol(name: name, kind: .object, binding: .global, section: number, size: content.count))
    }
}
