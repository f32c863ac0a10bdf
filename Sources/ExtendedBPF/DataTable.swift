/// A table of constants that a program reads; loaders put all tables of a program into one read-only map.
///
/// Elements are numbers and not bytes, because their bytes are the order of the machine the program is for.
public struct DataTable: Hashable, Sendable {
    /// The name, a C identifier.
    public var name: String
    /// The size of an element.
    public var elementSize: Size
    /// The elements; of each the lower bits count that ``elementSize`` has room for.
    public var elements: [UInt64]

    /// Makes a table.
    public init(name: String, elementSize: Size, elements: [UInt64]) {
        self.name = name
        self.elementSize = elementSize
        self.elements = elements
    }

    /// Makes a table of bytes.
    public init(name: String, bytes: [UInt8]) {
        self.init(name: name, elementSize: .byte, elements: bytes.map(UInt64.init))
    }

    /// How many bytes the elements fill.
    public var size: Int { elements.count * elementSize.bytes }

    /// The elements one behind the other as a machine of that byte order stores them.
    public func bytes(_ order: ByteOrder) -> [UInt8] {
        let count = elementSize.bytes
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        for element in elements {
            for place in 0..<count {
                let shift = 8 * (order == .little ? place : count - 1 - place)
                bytes.append(UInt8(truncatingIfNeeded: element >> UInt64(shift)))
            }
        }
        return bytes
    }
}

/// All tables of a program as the one value of the map that loaders make of them.
public struct DataLayout: Hashable, Sendable {
    /// The tables in the order of the program.
    public let tables: [DataTable]
    /// By place in ``tables``, the distance in bytes from the start: a multiple of the size of the table's elements.
    public let offsets: [Int]
    /// How many bytes there are.
    public let size: Int

    /// Places the tables one behind the other.
    public init(of tables: [DataTable]) {
        var end = 0
        var offsets: [Int] = []
        for table in tables {
            let unit = table.elementSize.bytes
            let start = (end + unit - 1) / unit * unit
            offsets.append(start)
            end = start + table.size
        }
        self.tables = tables
        self.offsets = offsets
        size = end
    }

    /// The distance in bytes of table `name`, or nil if there is none; what ``Reference/data(_:offset:)`` says is added.
    public func offset(of name: String) -> Int? {
        tables.firstIndex { $0.name == name }.map { offsets[$0] }
    }

    /// The contents, zeros between the tables.
    public func bytes(_ order: ByteOrder) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        for (table, offset) in zip(tables, offsets) {
            bytes += [UInt8](repeating: 0, count: offset - bytes.count)
            bytes += table.bytes(order)
        }
        return bytes
    }
}
