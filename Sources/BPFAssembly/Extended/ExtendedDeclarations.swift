import ExtendedBPF

// Maps and tables, which text declares so that it can refer to them:
//
//     .map counts: array key 4B value 8B max_entries 256
//     .table greeting: u8 104, 105, 0
//
// The words of a map are those of `bpftool map show`.

extension MapDeclaration.Kind {
    /// The kind as bpftool calls it.
    var listingName: String {
        switch self {
        case .hash: "hash"
        case .array: "array"
        case .perCPUHash: "percpu_hash"
        case .perCPUArray: "percpu_array"
        case .lruHash: "lru_hash"
        case .longestPrefixMatch: "lpm_trie"
        case .ringBuffer: "ringbuf"
        }
    }
}

/// The lines that declare maps and tables.
public enum DeclarationListing {
    /// A line for each map and for each 16 elements of a table; empty where there are none.
    ///
    /// - Parameter definesMacros: Whether lines stand in front by which LLVM's assembler takes the others for uses of
    ///   macros that make nothing, so that the names are symbols of another file to it.
    /// - Complexity: O(*n*).
    public static func text(_ maps: [MapDeclaration], _ tables: [DataTable], definesMacros: Bool = false) -> String {
        if maps.isEmpty, tables.isEmpty { return "" }
        var text =
            definesMacros ? ".macro .map declaration:vararg\n.endm\n.macro .table declaration:vararg\n.endm\n" : ""
        for map in maps {
            text += ".map \(map.name): \(map.kind.listingName)"
            if map.keySize > 0 { text += " key \(map.keySize)B" }
            if map.valueSize > 0 { text += " value \(map.valueSize)B" }
            text += " max_entries \(map.maxEntries)"
            if !map.flags.isEmpty { text += " flags 0x\(String(map.flags.rawValue, radix: 16))" }
            text += "\n"
        }
        for table in tables {
            for start in stride(from: 0, to: table.elements.count, by: 16) {
                let elements = table.elements[start..<min(start + 16, table.elements.count)]
                text += ".table \(table.name): u\(table.elementSize.bytes * 8) "
                text += elements.map { String($0) }.joined(separator: ", ") + "\n"
            }
        }
        return text
    }
}

extension ExtendedReader {
    /// Reads a declaration, if one is next.
    mutating func readDeclaration() throws(AssemblyError) -> Bool {
        let before = scanner
        if skip(".map"), isAtSpace {
            try readMapDeclaration()
        } else {
            scanner = before
            guard skip(".table"), isAtSpace else {
                scanner = before
                return false
            }
            try readTable()
        }
        scanner.skipSpaces()
        return true
    }

    private var isAtSpace: Bool { scanner.next == UInt8(ascii: " ") || scanner.next == UInt8(ascii: "\t") }

    /// Reads a name and the colon behind it.
    private mutating func declaredName(_ what: String) throws(AssemblyError) -> String {
        scanner.skipSpaces()
        let declared = text(try name(what))
        guard scanner.skip(if: UInt8(ascii: ":")) else { throw expected("':'") }
        scanner.skipSpaces()
        return declared
    }

    private mutating func readMapDeclaration() throws(AssemblyError) {
        let start = scanner
        let declared = try declaredName("the name of a map")
        let before = scanner
        let kindName = text(try name("a kind of map"))
        guard let kind = MapDeclaration.Kind.allCases.first(where: { $0.listingName == kindName }) else {
            let names = MapDeclaration.Kind.allCases.map { "'\($0.listingName)'" }
            throw before.error(.unexpected(found: before.found, expected: names))
        }
        var map = MapDeclaration(name: declared, kind: kind, maxEntries: 0)
        if let size = try value(behind: "key", hasUnit: true) { map.keySize = size }
        if let size = try value(behind: "value", hasUnit: true) { map.valueSize = size }
        guard let count = try value(behind: "max_entries") else { throw expected("'max_entries'") }
        map.maxEntries = count
        if let flags = try value(behind: "flags") { map.flags.formUnion(MapDeclaration.Flags(rawValue: flags)) }
        guard declaredMaps.insert(declared).inserted else { throw start.error(.duplicate("map '\(declared)'")) }
        maps.append(map)
    }

    /// Reads `key 4B`, if that word is next.
    private mutating func value(behind word: StaticString, hasUnit: Bool = false) throws(AssemblyError) -> UInt32? {
        scanner.skipSpaces()
        let before = scanner
        guard skip(word), isAtSpace else {
            scanner = before
            return nil
        }
        scanner.skipSpaces()
        guard hasUnit else { return UInt32(try number("a number").value(0...Int64(UInt32.max), "\(word)")) }
        let start = scanner
        let digits = scanner.take(while: \.isDigit)
        guard let size = UInt32(String(decoding: digits.prefix(11), as: UTF8.self)), digits.count <= 10,
            scanner.skip(if: UInt8(ascii: "B")), !(scanner.next?.isNamePart ?? false)
        else { throw start.error(.unexpected(found: start.found, expected: ["a number of bytes as 4B"])) }
        return size
    }

    private static let elementTypes: [(StaticString, Size)] = [
        ("u8", .byte), ("u16", .halfword), ("u32", .word), ("u64", .doubleword),
    ]

    private mutating func readTable() throws(AssemblyError) {
        let start = scanner
        let declared = try declaredName("the name of a table")
        guard let size = Self.elementTypes.first(where: { skip($0.0) })?.1, isAtSpace else {
            throw expected("'u8'", "'u16'", "'u32'", "'u64'")
        }
        // Lines of one table follow one another.
        if tables.last?.name != declared || tables.last?.elementSize != size {
            guard declaredTables.insert(declared).inserted else {
                throw start.error(.duplicate("table '\(declared)'"))
            }
            tables.append(DataTable(name: declared, elementSize: size, elements: []))
        }
        repeat {
            scanner.skipSpaces()
            let element = try number("an element")
            guard !element.isNegative, let value = element.magnitude,
                value <= UInt64.max >> (64 - 8 * UInt64(size.bytes))
            else {
                throw AssemblyError(
                    .unexpected(
                        found: String(decoding: element.text.prefix(32), as: UTF8.self),
                        expected: ["an element of \(size.bytes * 8) bits, without a sign"]), line: element.place.line,
                    column: element.place.column)
            }
            tables[tables.count - 1].elements.append(value)
            scanner.skipSpaces()
        } while scanner.skip(if: UInt8(ascii: ","))
    }
}
