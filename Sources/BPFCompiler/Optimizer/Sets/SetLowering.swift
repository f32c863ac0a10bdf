import ClassicBPF
import ExtendedBPF

/// Makes a look into a table of each question whether a number is in a set.
///
/// - Precondition: Only ends of blocks ask for the answer, as ``EqualityChains`` lets them.
struct SetLowering {
    private var graph: Graph
    private var tables: SearchTables
    /// By the answer to a question that became a look into a table, what the number found in the table has to equal.
    private var compared: [Value: Value] = [:]
    /// By parameter, what comes in for it.
    private let incoming: [[Value]]
    /// By the answer to one that has no table, the set and the number.
    private var left: [Value: (set: Int, number: Value)] = [:]

    /// - Parameter tables: Those of the function so far; a set has one for all that look into it.
    static func run(on graph: inout Graph, _ tables: inout SearchTables, _ order: ByteOrder) -> [String] {
        if graph.sets.isEmpty { return [] }
        var pass = SetLowering(graph: graph, tables: tables)
        let searches = pass.run(order)
        (graph, tables) = (pass.graph, pass.tables)
        graph.tables = tables.hashes
        return searches == 0 ? [] : ["made \(searches) looks into \(tables.hashes.count) tables"]
    }

    private init(graph: Graph, tables: SearchTables) {
        self.graph = graph
        self.tables = tables
        incoming = graph.incomingArguments
    }

    private mutating func run(_ order: ByteOrder) -> Int {
        let blocks = Array(graph.reachableBlocks)
        for id in blocks { lower(id, order) }
        for id in blocks {
            guard
                case .branch(_, let answer, _, let then, let otherwise) = graph.blocks[id.number].terminator
            else { continue }
            if let number = compared[answer] {
                graph.blocks[id.number].terminator = .branch(.equal, answer, number, then: then, otherwise: otherwise)
            } else if let (set, number) = left[answer] {
                let origin = graph.blocks[id.number].terminatorOrigin ?? graph.blocks[id.number].origin
                let cases = graph.sets[set].map { (number: $0, edge: then, origin: origin) }
                var search = EqualitySearch(graph: graph, chain: number, otherwise, origin)
                let entry = search.build(EqualitySearch.parts(of: cases))
                graph = search.graph
                graph.blocks[id.number].terminator = .jump(entry)
            }
        }
        return compared.count
    }

    private mutating func lower(_ id: BlockID, _ order: ByteOrder) {
        guard
            graph.blocks[id.number].instructions.contains(where: {
                if case .member? = graph.instruction($0) { true } else { false }
            })
        else { return }
        var instructions: [Value] = []
        for value in graph.blocks[id.number].instructions {
            if case .member(let set, let number)? = graph.instruction(value) {
                instructions += lower(value, set, number, order)
            }
            instructions.append(value)
        }
        graph.blocks[id.number].instructions = instructions
    }

    /// Makes `answer` the number that the table has where `number` would be, and returns what it is computed by.
    private mutating func lower(
        _ answer: Value, _ set: Int, _ number: Value, _ order: ByteOrder
    ) -> [Value] {
        var number = number
        var added: [Value] = []
        let origin = graph.origins[answer.number]
        func add(_ instruction: Graph.Instruction) -> Value {
            let value = graph.makeInstruction(instruction, origin: origin)
            added.append(value)
            return value
        }
        func add(_ op: Operation.ArithmeticOperator, _ left: Value, _ right: UInt32) -> Value {
            add(.arithmetic(op, left, add(.constant(right))))
        }
        let table: Int
        if let size = sizeInHostOrder(number), order == .little, size == .word || graph.sets[set].last! <= 0xffff,
            let known = tables.knownTable(of: graph.sets[set].map { $0.swapped(size) }.sorted())
        {
            // The other way of reading packets has the numbers in the order of the packet.
            table = known
            number = add(.swapped(size, number))
        } else if let found = tables.table(of: graph.sets[set]) {
            table = found
        } else {
            left[answer] = (set, number)
            return []
        }
        let hash = tables.hashes[table]
        let product = hash.factor == 1 ? number : add(.multiply, number, hash.factor)
        let shifted: Value
        switch hash.way {
        case .fixed(0): shifted = product
        case .fixed(let distance): shifted = add(.shiftRight, product, distance)
        case .table(_, let picker):
            let picked =
                switch picker {
                case .shift(let distance): add(.shiftRight, product, distance)
                case .mask(let mask): add(.and, product, mask)
                }
            shifted = add(.arithmetic(.shiftRight, product, add(.tableLoad(.distances, of: table, picked))))
        }
        let place = add(.and, shifted, hash.mask)
        graph.redefine(answer, as: .tableLoad(.numbers, of: table, place))
        compared[answer] = number
        return added
    }

    /// The width of a number that comes from the packet and has been brought into the host's order, or that is one of
    /// several such numbers.
    private func sizeInHostOrder(_ value: Value) -> Operation.Size? {
        let values = graph.instruction(value) == nil ? incoming[value.number] : [value]
        let sizes = values.map { value -> Operation.Size? in
            switch graph.instruction(value) {
            case .load(let size, _), .classicLoad(let size, _, _): size == .byte ? nil : size
            default: nil
            }
        }
        return Set(sizes).count == 1 ? sizes[0] : nil
    }
}
