import ExtendedBPF

// The tables of an object.
extension ObjectReader {
    /// The tables that the functions of `entries` read, in the order of the file.
    ///
    /// One that no symbol stands for is its whole section. What programs can write to is no table.
    static func tables(of file: ELFReader, for entries: [Entry]) throws(ELFError) -> [DataTable] {
        var names: Set<String> = []
        for function in entries.flatMap(\.program.functions) {
            for case .data(let name, _) in function.references.values { names.insert(name) }
        }
        if names.isEmpty { return [] }
        var types: BTFReader?
        if let section = file.sections.first(where: { $0.name == ".BTF" }) {
            types = try? BTFReader(Array(file.content(of: section)))
        }
        var tables: [DataTable] = []
        for (number, section) in file.sections.enumerated()
        where section.flags.contains(.allocate) && section.flags.isDisjoint(with: [.write, .execute]) {
            let content = file.content(of: section)
            if names.remove(section.name) != nil, !content.isEmpty {
                tables.append(DataTable(name: section.name, bytes: Array(content)))
            }
            let symbols = file.symbols.filter { $0.section == number && $0.kind == .object }
            for symbol in symbols.sorted(by: { $0.value < $1.value }) where names.contains(symbol.name) {
                guard symbol.size > 0, symbol.value <= content.count, symbol.size <= content.count - symbol.value else {
                    continue
                }
                names.remove(symbol.name)
                let bytes = Array(content.dropFirst(symbol.value).prefix(symbol.size))
                let size = (try? types?.elementSize(of: symbol.name, inSection: section.name)) ?? 1
                tables.append(DataTable(name: symbol.name, bytes, elementSize: size, file.byteOrder))
            }
        }
        return tables
    }
}

extension DataTable {
    /// Makes a table of the bytes that ``bytes(_:)`` gives; of single bytes where they are no whole elements.
    fileprivate init(name: String, _ bytes: [UInt8], elementSize: Int, _ order: ByteOrder) {
        let sizes: [Int: Size] = [2: .halfword, 4: .word, 8: .doubleword]
        guard let size = sizes[elementSize], bytes.count.isMultiple(of: elementSize) else {
            self.init(name: name, bytes: bytes)
            return
        }
        let elements = stride(from: 0, to: bytes.count, by: elementSize).map { start in
            let element = bytes[start..<start + elementSize]
            return (order == .little ? element.reversed() : Array(element)).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        self.init(name: name, elementSize: size, elements: elements)
    }
}

extension BTFReader {
    /// The variables of a section, in its order.
    func variables(inSection name: String) throws(BTFError) -> [(name: String, type: UInt32)] {
        for start in typeOffsets {
            let section = try head(at: start)
            guard section.kind == .dataSection, try string(at: section.name) == name else { continue }
            var variables: [(name: String, type: UInt32)] = []
            for index in 0..<section.count {
                let variable = try offset(ofType: word(at: start + Self.headSize + 12 * index))
                guard try head(at: variable).kind == .variable else { continue }
                variables.append((try string(at: word(at: variable)), word(at: variable + 8)))
            }
            return variables
        }
        return []
    }

    /// The bytes of an element of a variable that is an array, else 1.
    fileprivate func elementSize(of variable: String, inSection name: String) throws(BTFError) -> Int {
        guard let type = try variables(inSection: name).first(where: { $0.name == variable })?.type,
            let array = try underlying(type), try head(at: array).kind == .array
        else { return 1 }
        return Int(try MapTypes(self).size(of: word(at: array + 12)))
    }
}
