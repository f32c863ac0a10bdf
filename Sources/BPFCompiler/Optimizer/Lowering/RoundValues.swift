/// Puts in place of what was computed in front of a round what it has been handed.
struct RoundValues {
    private var graph: Graph
    /// By block, what is read in it or behind it.
    private let live: [Set<Value>]
    /// What is handed to some loop.
    private let handed: Set<Value>
    /// By first block of a loop, what is handed to it, in the order of its arguments.
    private let entered: [BlockID: [Value]]
    /// By block with parameters for such values, which they are for.
    private var added: [BlockID: [Value]] = [:]
    /// By number, the constants that the entry makes.
    private var constants: [UInt32: Value] = [:]

    /// Lets `graph`, that of a round, read nothing but what it computes and what its entry hands on.
    ///
    /// - Parameters:
    ///   - live: By block, what is read in it or behind it. Blocks that parting has made have no entry.
    ///   - handed: What is handed to some loop.
    ///   - entered: By first block of a loop, what is handed to it besides its parameters.
    static func run(
        on graph: Graph, _ live: [Set<Value>], _ handed: Set<Value>, _ entered: [BlockID: [Value]]
    ) -> Graph {
        var values = RoundValues(graph: graph, live: live, handed: handed, entered: entered)
        values.run()
        return values.graph
    }

    private init(graph: Graph, live: [Set<Value>], handed: Set<Value>, entered: [BlockID: [Value]]) {
        self.graph = graph
        self.live = live
        self.handed = handed
        self.entered = entered
    }

    private mutating func run() {
        let order = DominatorTree(graph).order
        let predecessors = graph.predecessors
        // By block, what stands for handed values at its end.
        var ends: [BlockID: [Value: Value]] = [:]
        for id in order {
            if let values = entered[id] {
                added[id] = values
            } else if predecessors[id.number].count > 1 {
                // Blocks made by parting hand on what the one in front of them has.
                let isOld = id.number < live.count
                added[id] = isOld ? handed.intersection(live[id.number]).sorted { $0.number < $1.number } : []
            }
        }
        for id in order {
            var current: [Value: Value] = [:]
            if let values = added[id] {
                for value in values { current[value] = graph.addParameter(to: id) }
            } else if let predecessor = predecessors[id.number].first {
                current = ends[predecessor]!
            }
            replaceUses(in: id, &current)
            ends[id] = current
        }
    }

    private mutating func replaceUses(in id: BlockID, _ current: inout [Value: Value]) {
        for value in graph.blocks[id.number].instructions {
            let instruction = graph.instruction(value)!
            for operand in instruction.operands { makeConstant(operand) }
            let replaced = instruction.mapOperands { self.current($0, current) }
            if replaced != instruction { graph.redefine(value, as: replaced) }
            // It is computed anew here.
            current[value] = nil
        }
        let terminator = graph.blocks[id.number].terminator
        for value in Array(terminator.operands) + terminator.shared + terminator.edges.flatMap(\.arguments) {
            makeConstant(value)
        }
        graph.blocks[id.number].terminator = terminator.mapValues { self.current($0, current) }.mapEdges { edge in
            // The entry hands everything over already.
            guard entered[edge.target] == nil, let values = added[edge.target] else { return edge }
            return Edge(target: edge.target, arguments: edge.arguments + values.map { self.current($0, current) })
        }
    }

    /// What stands for `value` where `current` holds.
    private func current(_ value: Value, _ current: [Value: Value]) -> Value {
        if let constant = graph.instruction(value)?.constant { return constants[constant] ?? value }
        return current[value] ?? value
    }

    /// Lets the entry make the constant that `value` is, which may stand where no round comes by.
    private mutating func makeConstant(_ value: Value) {
        guard let constant = graph.instruction(value)?.constant, constants[constant] == nil else { return }
        constants[constant] = graph.append(.constant(constant), to: .entry)
    }
}
