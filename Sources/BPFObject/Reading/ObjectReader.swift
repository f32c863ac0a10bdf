import ExtendedBPF

/// The programs of an object, by whatever compiler, as instructions and what they refer to.
///
/// Of maps and tables programs have the names only; ``withMaps(_:)`` adds the maps' declarations, ``maps`` and ``tables``
/// are all.
public struct ObjectReader: Hashable, Sendable {
    /// A program as a loader puts it together: one that is entered at and all functions of `.text` that it needs.
    public struct Entry: Hashable, Sendable {
        /// The section of the program.
        public var section: String
        /// The program and its functions, the entry first.
        public var program: Program
    }

    /// The order of the bytes.
    public let byteOrder: ByteOrder
    /// What can be loaded, in the order of the file; where nothing can, each global function of `.text`.
    public let entries: [Entry]

    /// The maps that are declared, of the kinds that are known.
    public let maps: [MapDeclaration]
    /// The tables that programs read.
    public let tables: [DataTable]

    /// What the object states its license is, nil where it states none.
    public let license: String?
    /// The data that programs refer to.
    public let data: [DataSection]
    /// Where the lines of the instructions are described.
    let lines: LineTable

    /// Whether `bytes` begin as an object does.
    public static func isObject(_ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) }

    /// Reads the object that `bytes` are.
    ///
    /// - Throws: ``ELFError`` at the first thing that does not fit.
    public init(_ bytes: [UInt8]) throws(ELFError) {
        let file = try ELFReader(bytes)
        guard file.machine == 247 else { throw ELFError(.otherMachine(file.machine), at: 18) }
        byteOrder = file.byteOrder
        var sections: [(name: String, functions: [Function])] = []
        for (number, section) in file.sections.enumerated()
        where section.type == ELFReader.SectionType.bits && section.flags.contains(.execute) {
            sections.append((section.name, try functions(of: section, number, file)))
        }
        let callable = sections.filter { $0.name == ".text" }.flatMap(\.functions)
        var entries = sections.filter { $0.name != ".text" }.flatMap { section in
            section.functions.map {
                Entry(section: section.name, program: Self.program($0, calling: callable))
            }
        }
        if entries.isEmpty {
            let called = Set(callable.flatMap { $0.references.values })
            entries = callable.filter { !called.contains(.function($0.name)) }.map {
                Entry(section: ".text", program: Self.program($0, calling: callable))
            }
        }
        if entries.isEmpty { throw ELFError(.noPrograms) }
        self.entries = entries
        maps = try Self.maps(of: file)
        tables = try Self.tables(of: file, for: entries)
        license = file.sections.first { $0.name == "license" }.map {
            String(decoding: file.content(of: $0).prefix { $0 != 0 }, as: UTF8.self)
        }
        lines = LineTable(of: file)
        data = Self.dataSections(of: file)
    }

    /// `entry` with the functions that it calls, and they call.
    private static func program(_ entry: Function, calling callable: [Function]) -> Program {
        var functions = [entry]
        var index = 0
        while index < functions.count {
            for reference in functions[index].references.sorted(by: { $0.key < $1.key }).map(\.value) {
                guard case .function(let name) = reference, !functions.contains(where: { $0.name == name }),
                    let callee = callable.first(where: { $0.name == name })
                else { continue }
                functions.append(callee)
            }
            index += 1
        }
        return Program(functions: functions)
    }
}

/// The functions whose symbols lie in a section, by their place.
private func functions(
    of section: ELFReader.Section, _ number: Int, _ file: ELFReader
) throws(ELFError) -> [Function] {
    let symbols = file.symbols.filter { $0.kind == .function && $0.section == number }.sorted { $0.value < $1.value }
    let relocations = try file.relocations(of: number)
    let kernel = try kernelReferences(of: section, in: file)
    var functions: [Function] = []
    for symbol in symbols where !functions.contains(where: { $0.name == symbol.name }) {
        guard symbol.size <= section.content.count, symbol.value <= section.content.count - symbol.size else {
            throw ELFError(.functionOutOfRange(symbol.name), at: section.content.lowerBound)
        }
        let code = file.content(of: section).dropFirst(symbol.value).prefix(symbol.size)
        var function = Function(name: symbol.name)
        do {
            function.instructions = try Instruction.decode(code, file.byteOrder)
        } catch {
            throw ELFError(.notAnInstruction(section: section.name, "\(error)"))
        }
        let places = Dictionary(
            relocations.map { ($0.offset - symbol.value, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, slot) in function.slots.enumerated() {
            let place = slot.byteOffset + symbol.value
            function.references[index] =
                kernel[place]
                ?? reference(of: function.instructions[index], at: place, in: number, places[slot.byteOffset], file)
        }
        functions.append(function)
    }
    return functions
}

/// What an instruction refers to: what its relocation says or, for a call inside a section, the function there.
private func reference(
    of instruction: Instruction, at place: Int, in section: Int, _ relocation: ELFReader.Relocation?, _ file: ELFReader
) -> Reference? {
    let isCall = instruction.opcode == .call
    func callee(in section: Int, at place: Int) -> Reference? {
        let symbol = file.symbols.first { $0.kind == .function && $0.section == section && $0.value == place }
        return symbol.map { .function($0.name) }
    }
    guard let relocation else {
        guard isCall, instruction.callKind == .local else { return nil }
        return callee(in: section, at: place + (Int(instruction.imm) + 1) * Instruction.slotSize)
    }
    let symbol = file.symbols[relocation.symbol]
    if isCall {
        // A call of another section's function holds the distance from the section's start less 1.
        if symbol.kind == .section {
            return callee(in: symbol.section, at: (Int(instruction.imm) + 1) * Instruction.slotSize)
        }
        return symbol.section == 0 ? .kernelFunction(symbol.name) : .function(symbol.name)
    }
    guard instruction.isWide, file.sections.indices.contains(symbol.section) else { return nil }
    let target = file.sections[symbol.section]
    if target.flags.contains(.execute) {
        // Beside the section's symbol the instruction holds the distance in bytes.
        return symbol.kind == .section
            ? callee(in: symbol.section, at: Int(instruction.imm)) : .function(symbol.name)
    }
    return target.name == ".maps" || target.name == "maps"
        ? .map(symbol.name) : .data(symbol.kind == .section ? target.name : symbol.name, offset: Int(instruction.imm))
}
