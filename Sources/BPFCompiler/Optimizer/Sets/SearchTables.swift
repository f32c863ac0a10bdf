import ExtendedBPF

/// The tables of one function, a set of numbers each.
struct SearchTables: Sendable {
    /// What is in them.
    private(set) var hashes: [PerfectHash] = []
    /// By its numbers in ascending order, the table of a set; nil where none was found for it.
    private var places: [[UInt32]: Int?] = [:]
    /// The most numbers a table may have.
    var mostNumbers = 1 << 17

    /// The table of `numbers`, made where there is none yet, or nil where none can be found.
    ///
    /// - Parameter numbers: In ascending order.
    mutating func table(of numbers: [UInt32]) -> Int? {
        if let known = places[numbers] { return known }
        guard numbers.count <= mostNumbers, let hash = PerfectHash(numbers) else {
            places[numbers] = .some(nil)
            return nil
        }
        hashes.append(hash)
        places[numbers] = hashes.count - 1
        return hashes.count - 1
    }

    /// The table of `numbers` if it has been made.
    func knownTable(of numbers: [UInt32]) -> Int? { places[numbers] ?? nil }

    /// What instructions refer to a table by until the program has a name.
    static func name(of table: Int) -> String { "set\(table + 1)" }

    /// The tables, named after the function.
    func data(ofFunctionNamed name: String, _ order: ByteOrder) -> [DataTable] {
        hashes.enumerated().map { number, hash in
            DataTable(
                name: "\(name)_\(Self.name(of: number))", elementSize: hash.elementSize == 2 ? .halfword : .word,
                elements: hash.elements(order))
        }
    }
}

extension PerfectHash {
    /// How many bytes stand in front of the numbers.
    var numberOffset: Int {
        if case .table(let distances, _) = way { distances.count } else { 0 }
    }

    /// The distances, as many in an element as it has bytes, then the numbers. One table and not two, because its address
    /// takes an instruction.
    fileprivate func elements(_ order: ByteOrder) -> [UInt64] {
        var elements: [UInt64] = []
        if case .table(let distances, _) = way {
            let size = Int(elementSize)
            for start in stride(from: 0, to: distances.count, by: size) {
                let bytes = distances[start..<start + size]
                elements.append((order == .big ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | UInt64($1) })
            }
        }
        return elements + slots.map(UInt64.init)
    }
}
