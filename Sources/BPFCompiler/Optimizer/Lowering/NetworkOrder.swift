import ClassicBPF

/// Leaves numbers from the packet in the order of their bytes wherever that does not matter, and turns the constants
/// they meet instead: an equality, a mask, a test of bits asks nothing of the order.
///
/// For little-endian programs only; elsewhere the packet's order is the machine's.
struct NetworkOrder {
    private var graph: Graph
    /// By value, the width of a number that can stay as it is; nil for the others.
    private var sizes: [Operation.Size?]

    static func run(on graph: inout Graph) -> [String] {
        var pass = NetworkOrder(graph: graph, sizes: Array(repeating: nil, count: graph.definitions.count))
        let count = pass.run()
        graph = pass.graph
        return count == 0 ? [] : ["left \(count) numbers in network order"]
    }

    private mutating func run() -> Int {
        let blocks = DominatorTree(graph).order
        let incoming = graph.incomingArguments
        for id in blocks {
            for parameter in graph.blocks[id.number].parameters {
                sizes[parameter.number] = commonSize(incoming[parameter.number])
            }
            for value in graph.blocks[id.number].instructions { sizes[value.number] = candidate(value) }
        }
        while excludeUnsuitable(blocks) {}
        var count = 0
        for id in blocks { count += convert(id) }
        return count
    }

    /// The width that `value` would have, from its own definition. Operands come before what is computed from them.
    private func candidate(_ value: Value) -> Operation.Size? {
        switch graph.instruction(value)! {
        case .load(let size, _): size == .byte ? nil : size
        case .arithmetic(let op, let left, let right) where [.and, .or, .xor].contains(op):
            common(left, right, op == .and)
        default: nil
        }
    }

    /// The width of candidates that all have the same. What comes in from behind, in a loop, is not known to be one.
    private func commonSize(_ values: [Value]) -> Operation.Size? {
        guard let first = values.first, let size = sizes[first.number] else { return nil }
        return values.allSatisfy { sizes[$0.number] == size } ? size : nil
    }

    /// The width of two operands that go together: both candidates of it, or one and a constant that fits.
    private func common(_ left: Value, _ right: Value, _ isMask: Bool) -> Operation.Size? {
        switch (sizes[left.number], sizes[right.number]) {
        case (let size?, let other?): size == other ? size : nil
        case (let size?, nil): fits(right, size, isMask) ? size : nil
        case (nil, let size?): fits(left, size, isMask) ? size : nil
        case (nil, nil): nil
        }
    }

    /// Whether `value` is a constant of that width, or a mask, of which the bits above do not count.
    private func fits(_ value: Value, _ size: Operation.Size, _ isMask: Bool) -> Bool {
        guard let constant = graph.instruction(value)?.constant else { return false }
        return isMask || size == .word || constant <= 0xffff
    }

    /// Takes out candidates that are used, or made, in a way that asks for their order; true if there were any.
    private mutating func excludeUnsuitable(_ blocks: [BlockID]) -> Bool {
        var hasChanged = false
        func exclude(_ values: some Sequence<Value>) {
            for value in values where sizes[value.number] != nil {
                sizes[value.number] = nil
                hasChanged = true
            }
        }
        for id in blocks {
            let block = graph.blocks[id.number]
            for value in block.instructions {
                let instruction = graph.instruction(value)!
                if case .arithmetic(let op, let left, let right) = instruction, let size = sizes[value.number] {
                    if common(left, right, op == .and) != size { exclude([value, left, right]) }
                } else if case .member(let set, let number) = instruction {
                    if sizes[number.number] == .half, graph.sets[set].last! > 0xffff { exclude([number]) }
                } else {
                    exclude(instruction.operands)
                }
            }
            if case .branch(let comparison, let left, let right, _, _) = block.terminator,
                comparison == .equal || comparison == .anyBitSet
            {
                if common(left, right, comparison == .anyBitSet) == nil { exclude([left, right]) }
            } else {
                exclude(block.terminator.operands)
            }
            exclude(block.terminator.shared)
            for edge in block.terminator.edges {
                for (parameter, argument) in zip(graph.blocks[edge.target.number].parameters, edge.arguments)
                where sizes[parameter.number] != sizes[argument.number] { exclude([parameter, argument]) }
            }
        }
        return hasChanged
    }

    private mutating func convert(_ id: BlockID) -> Int {
        var count = 0
        var instructions: [Value] = []
        for value in graph.blocks[id.number].instructions {
            if let size = sizes[value.number] {
                switch graph.instruction(value)! {
                case .load(_, let address):
                    graph.redefine(value, as: .rawLoad(size, address))
                    count += 1
                case .arithmetic(let op, let left, let right):
                    let operands = [left, right].map { operand in
                        let swapped = swapped(operand, size, graph.origins[value.number])
                        if swapped != operand { instructions.append(swapped) }
                        return swapped
                    }
                    graph.redefine(value, as: .arithmetic(op, operands[0], operands[1]))
                default: break
                }
            } else if case .member(let set, let number)? = graph.instruction(value), let size = sizes[number.number] {
                graph.redefine(value, as: .member(of: swapped(set, size), number))
            }
            instructions.append(value)
        }
        graph.blocks[id.number].instructions = instructions
        if case .branch(let comparison, let left, let right, let then, let otherwise) = graph.blocks[id.number]
            .terminator,
            let size = sizes[left.number] ?? sizes[right.number]
        {
            let operands = [left, right].map { operand in
                let swapped = swapped(operand, size, graph.origins[operand.number])
                if swapped != operand { graph.blocks[id.number].instructions.append(swapped) }
                return swapped
            }
            graph.blocks[id.number].terminator = .branch(
                comparison, operands[0], operands[1], then: then, otherwise: otherwise)
        }
        return count
    }

    /// The set of the same numbers in the order of the packet.
    private mutating func swapped(_ set: Int, _ size: Operation.Size) -> Int {
        let numbers = graph.sets[set].map { $0.swapped(size) }.sorted()
        if let known = graph.sets.firstIndex(of: numbers) { return known }
        graph.sets.append(numbers)
        return graph.sets.count - 1
    }

    /// A constant in the order of the packet; other values are in it already.
    private mutating func swapped(_ value: Value, _ size: Operation.Size, _ origin: Int) -> Value {
        guard let constant = graph.instruction(value)?.constant else { return value }
        return graph.makeInstruction(.constant(constant.swapped(size)), origin: origin)
    }
}

extension UInt32 {
    /// The number of that size with its bytes in the opposite order.
    func swapped(_ size: Operation.Size) -> UInt32 {
        switch size {
        case .byte: UInt32(UInt8(truncatingIfNeeded: self))
        case .half: UInt32(UInt16(truncatingIfNeeded: self).byteSwapped)
        case .word: byteSwapped
        }
    }
}
