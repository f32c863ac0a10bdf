import ClassicBPF

/// The text of a graph, for people and for tests.
///
///     b0:
///       require half packet[12]
///       %0 = half packet[12]
///       if %0 == 0x800 goto b1 else b2
///
/// Values and blocks are numbered in the order of the text; constants stand where they are used, and blocks that
/// nothing reaches are left out.
struct GraphPrinter {
    private let graph: Graph
    private var names: [Value: Int] = [:]
    private var blockNames: [BlockID: Int] = [:]
    private var order: [BlockID] = []

    /// The text of `graph`, a line feed behind each line.
    static func text(_ graph: Graph) -> String {
        var printer = GraphPrinter(graph)
        printer.nameEverything()
        return printer.order.map { printer.text($0) }.joined()
    }

    private init(_ graph: Graph) { self.graph = graph }

    private mutating func nameEverything() {
        for id in graph.reachableBlocks {
            order.append(id)
            blockNames[id] = order.count - 1
            let block = graph.blocks[id.number]
            for value in block.parameters + block.instructions.filter(isNamed) { names[value] = names.count }
        }
    }

    private func isNamed(_ value: Value) -> Bool {
        guard let instruction = graph.instruction(value) else { return true }
        return !instruction.isRequirement && instruction.constant == nil
    }

    private func text(_ id: BlockID) -> String {
        let block = graph.blocks[id.number]
        let parameters = block.parameters.isEmpty ? "" : "(\(block.parameters.map(name).joined(separator: ", ")))"
        let lines = block.instructions.compactMap { value -> String? in
            let instruction = graph.instruction(value)!
            if instruction.constant != nil { return nil }
            return instruction.isRequirement ? text(instruction) : "\(name(value)) = \(text(instruction))"
        }
        return (["b\(blockNames[id]!)\(parameters):"] + (lines + [text(block.terminator)]).map { "  \($0)" })
            .map { $0 + "\n" }.joined()
    }

    private func name(_ value: Value) -> String {
        if let constant = graph.instruction(value)?.constant { return text(constant) }
        return names[value].map { "%\($0)" } ?? "%?"
    }

    private func text(_ constant: UInt32) -> String {
        constant < 10 ? "\(constant)" : "0x\(String(constant, radix: 16))"
    }

    private func text(_ instruction: Graph.Instruction) -> String {
        switch instruction {
        case .constant(let number): text(number)
        case .arithmetic(let op, let left, let right): "\(name(left)) \(op.symbol) \(name(right))"
        case .load(let size, let address): "\(size) \(text(address))"
        case .rawLoad(let size, let address): "raw \(size) \(text(address))"
        case .classicLoad(let size, let address, _): "classic \(size) \(text(address))"
        case .length: "length"
        case .metadata(let ext): ext.name
        case .search(let ext, let a, let x): "\(ext.name)(\(name(a)), \(name(x)))"
        case .member(let set, let value): "\(name(value)) in set\(set + 1)"
        case .tableLoad(let part, let table, let index): "set\(table + 1).\(part)[\(name(index))]"
        case .swapped(let size, let value): "swapped \(size) \(name(value))"
        case .requireBytes(let size, let address): "require \(size) \(text(address))"
        case .requireEnd(let window, let end): "require \(text(window, end))"
        case .requireNonzero(let value): "require \(name(value)) != 0"
        case .requireInterface(let value): "require interface, or return \(name(value))"
        }
    }

    private func text(_ address: Graph.Address) -> String {
        switch address.index {
        case let index? where address.offset == 0: "packet[\(name(index))]"
        case let index?: "packet[\(name(index)) + \(address.offset)]"
        case nil: "packet[\(address.offset)]"
        }
    }

    private func text(_ window: Graph.Window, _ end: UInt32) -> String {
        window.index.map { "packet[..<\(name($0)) + \(end)]" } ?? "packet[..<\(end)]"
    }

    private func text(_ terminator: Terminator) -> String {
        switch terminator {
        case .jump(let edge): "goto \(text(edge))"
        case .branch(let comparison, let left, let right, let then, let otherwise):
            "if \(name(left)) \(comparison.symbol) \(name(right)) goto \(text(then)) else \(text(otherwise))"
        case .return(let value): "return \(name(value))"
        case .loop(.start, let values): "return loop(\(list(values)))"
        case .loop(.next, let values): "next round(\(list(values)))"
        case .loop(.end, let values): "end the loop with \(list(values))"
        case .unreachable: "unreachable"
        }
    }

    private func list(_ values: [Value]) -> String { values.map(name).joined(separator: ", ") }

    private func text(_ edge: Edge) -> String {
        let arguments = edge.arguments.isEmpty ? "" : "(\(edge.arguments.map(name).joined(separator: ", ")))"
        return "b\(blockNames[edge.target] ?? -1)\(arguments)"
    }
}

extension Operation.ArithmeticOperator {
    fileprivate var symbol: String {
        switch self {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .or: "|"
        case .and: "&"
        case .shiftLeft: "<<"
        case .shiftRight: ">>"
        case .modulo: "%"
        case .xor: "^"
        }
    }
}

extension Operation.Comparison {
    fileprivate var symbol: String {
        switch self {
        case .equal: "=="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .anyBitSet: "&"
        }
    }
}
