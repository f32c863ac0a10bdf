import ExtendedBPF

extension ObjectReader {
    /// A section with data that programs refer to, of which loaders make an array with one value.
    public struct DataSection: Hashable, Sendable {
        /// Its name.
        public var name: String
        /// What is in it.
        public var bytes: [UInt8]
        /// Whether programs may only read it.
        public var isReadOnly: Bool
        /// Where in it that is which programs call by a name; its own name stands for its start.
        public var places: [String: Int]

        /// Makes a section of its parts.
        public init(name: String, bytes: [UInt8], isReadOnly: Bool, places: [String: Int]) {
            self.name = name
            self.bytes = bytes
            self.isReadOnly = isReadOnly
            self.places = places
        }
    }

    /// `entry` with the declarations of the maps that it refers to.
    ///
    /// - Throws: ``ELFError`` for a map that the types do not describe, or that is more than
    ///   `MapDeclaration` says.
    public func withMaps(_ entry: Program) throws(ELFError) -> Program {
        var program = entry
        let names = Set(
            entry.functions.flatMap(\.references.values).compactMap { reference -> String? in
                if case .map(let name) = reference { name } else { nil }
            })
        if names.isEmpty { return program }
        do throws(BTFError) {
            let types = try MapTypes(BTFReader(lines.types))
            for name in names.sorted() { program.maps.append(try types.declaration(of: name)) }
        } catch {
            throw ELFError(.types(error.reason))
        }
        return program
    }

    /// The maps in section `.maps` that `MapDeclaration` can describe.
    static func maps(of file: ELFReader) throws(ELFError) -> [MapDeclaration] {
        guard let section = file.sections.first(where: { $0.name == ".BTF" }) else { return [] }
        do throws(BTFError) {
            let types = try BTFReader(Array(file.content(of: section)))
            return try types.variables(inSection: ".maps").compactMap { try? MapTypes(types).declaration(of: $0.name) }
        } catch {
            throw ELFError(.types(error.reason))
        }
    }

    static func dataSections(of file: ELFReader) -> [DataSection] {
        file.sections.enumerated().compactMap { number, section in
            guard section.type == ELFReader.SectionType.bits, section.flags.contains(.allocate),
                !section.flags.contains(.execute), !section.content.isEmpty,
                [".rodata", ".data"].contains(where: section.name.hasPrefix)
            else { return nil }
            var places = [section.name: 0]
            for symbol in file.symbols where symbol.section == number && symbol.kind == .object {
                places[symbol.name] = symbol.value
            }
            return DataSection(
                name: section.name, bytes: Array(file.content(of: section)),
                isReadOnly: section.name.hasPrefix(".rodata"), places: places)
        }
    }
}

/// Reads how the types of an object describe its maps: as variables of structures the members of which stand for numbers.
///
/// Source: libbpf's documentation of the section `.maps`.
struct MapTypes {
    let types: BTFReader

    init(_ types: BTFReader) { self.types = types }

    func declaration(of name: String) throws(BTFError) -> MapDeclaration {
        let variable = try types.typeID(of: .variable, named: name)
        let structure = try offset(of: types.head(at: start(of: variable.rawValue)).sizeOrType)
        let head = try types.head(at: structure)
        guard head.kind == .structure else { throw BTFError(.unloadableMap(name, "its type is no structure")) }
        var numbers: [String: UInt32] = [:]
        for index in 0..<head.count {
            let member = structure + BTFReader.headSize + 12 * index
            let field = string(at: types.word(at: member))
            let type = types.word(at: member + 4)
            switch field {
            case "type", "key_size", "value_size", "max_entries", "map_flags": numbers[field] = try number(type)
            case "key", "value": numbers["\(field)_size"] = try size(ofPointee: type)
            default: throw BTFError(.unloadableMap(name, "its member '\(field)' is not known here"))
            }
        }
        guard let kind = MapDeclaration.Kind(rawValue: numbers["type"] ?? 0) else {
            throw BTFError(.unloadableMap(name, "maps of type \(numbers["type"] ?? 0) are not made here"))
        }
        return MapDeclaration(
            name: name, kind: kind, keySize: numbers["key_size"] ?? 0, valueSize: numbers["value_size"] ?? 0,
            maxEntries: numbers["max_entries"] ?? 0, flags: .init(rawValue: numbers["map_flags"] ?? 0))
    }

    private func start(of id: UInt32) throws(BTFError) -> Int {
        guard id > 0, id <= types.typeCount else { throw BTFError(.typeOutOfRange(id: id, count: types.typeCount)) }
        return types.typeOffsets[Int(id) - 1]
    }

    /// Where the type starts that `id` is or stands for.
    private func offset(of id: UInt32) throws(BTFError) -> Int {
        var id = id
        for _ in 0...types.typeCount {
            let offset = try start(of: id)
            let head = try types.head(at: offset)
            guard head.kind.isTransparent else { return offset }
            id = head.sizeOrType
        }
        throw BTFError(.circularType(id: id))
    }

    /// A number is written as a pointer to an array of so many elements.
    private func number(_ id: UInt32) throws(BTFError) -> UInt32 {
        let array = try offset(of: types.head(at: offset(of: id)).sizeOrType)
        guard try types.head(at: array).kind == .array else { return 0 }
        return types.word(at: array + BTFReader.headSize + 8)
    }

    private func size(ofPointee id: UInt32) throws(BTFError) -> UInt32 {
        try size(of: types.head(at: offset(of: id)).sizeOrType)
    }

    func size(of id: UInt32) throws(BTFError) -> UInt32 {
        var (id, factor) = (id, UInt32(1))
        for _ in 0...types.typeCount {
            let offset = try offset(of: id)
            let head = try types.head(at: offset)
            switch head.kind {
            case .pointer: return factor &* 8
            case .array:
                factor = factor &* types.word(at: offset + BTFReader.headSize + 8)
                id = types.word(at: offset + BTFReader.headSize)
            default: return factor &* head.sizeOrType
            }
        }
        throw BTFError(.circularType(id: id))
    }

    private func string(at position: UInt32) -> String {
        String(
            decoding: types.bytes[types.strings].dropFirst(Int(position)).prefix { $0 != 0 }, as: UTF8.self)
    }
}
