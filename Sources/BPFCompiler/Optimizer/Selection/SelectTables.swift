import ExtendedBPF

extension Selector {
    /// Loads an element of a table.
    mutating func emitTableLoad(
        _ part: Graph.TablePart, of table: Int, _ index: Value, into result: MachineRegister
    ) {
        let address = tableAddress(table)
        let place = function.makeRegister()
        append(.move64(.r0, .r0), dst: place, src: register(of: index))
        append(.alu64(.add, .r0, .r0), dst: place, src: address)
        switch part {
        case .distances: append(.load(.byte, .r0, .r0, 0), dst: result, src: place)
        case .numbers:
            let hash = graph.tables[table]
            let size: Size = hash.elementSize == 2 ? .halfword : .word
            append(.load(size, .r0, .r0, Int16(hash.numberOffset)), dst: result, src: place)
        }
    }

    /// The register with a table's address. Where every way here has been through another search in the table, it is
    /// there already.
    private mutating func tableAddress(_ table: Int) -> MachineRegister {
        let register = tables.registers[table] ?? function.makeRegister()
        tables.registers[table] = register
        if tables.isThere(table) { return register }
        tables.put(table)
        var wide = Instruction.loadWide(.r0, 0)
        wide.srcReg = .r2
        append(wide, dst: register, .data(SearchTables.name(of: table), offset: 0))
        return register
    }
}

/// Where in a graph the addresses of tables are in their registers; each table has one.
struct TableAddresses {
    /// By table, its register.
    var registers: [Int: MachineRegister] = [:]
    /// By block, the tables whose addresses are there at its start, a bit each; empty where there are no tables.
    private var starts: [UInt64] = []
    private var current: UInt64 = 0

    /// The tables that bits tell of. More are seldom, and would need more registers than there are.
    private static let limit = 64

    /// - Complexity: O(*n*) in the number of instructions.
    init(of graph: Graph, _ tree: DominatorTree) {
        if graph.tables.isEmpty { return }
        starts = Array(repeating: 0, count: graph.blocks.count)
        var ends = [UInt64?](repeating: nil, count: graph.blocks.count)
        let predecessors = graph.predecessors
        for id in tree.order {
            // From behind, in a loop, nothing is known.
            if id != .entry { starts[id.number] = predecessors[id.number].reduce(.max) { $0 & (ends[$1.number] ?? 0) } }
            ends[id.number] = graph.blocks[id.number].instructions.reduce(starts[id.number]) { tables, value in
                guard case .tableLoad(_, let table, _)? = graph.instruction(value), table < Self.limit else {
                    return tables
                }
                return tables | 1 << UInt64(table)
            }
        }
    }

    /// Goes on with the start of a block.
    mutating func begin(_ block: BlockID) { current = starts.isEmpty ? 0 : starts[block.number] }

    /// Whether the address of a table is in its register.
    func isThere(_ table: Int) -> Bool { table < Self.limit && current >> UInt64(table) & 1 != 0 }

    /// Notes that it is from here on.
    mutating func put(_ table: Int) { if table < Self.limit { current |= 1 << UInt64(table) } }
}
