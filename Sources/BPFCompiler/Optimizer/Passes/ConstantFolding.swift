import ClassicBPF

/// Computes what depends on constants only, takes branches whose outcome is known, and drops what changes nothing.
enum ConstantFolding: Pass {
    static let name = "constants"

    static func run(on graph: inout Graph) -> [String] {
        var folded = 0
        var replacements = Replacements(in: graph)
        var constants = Constants(in: graph)
        for id in DominatorTree(graph).order {
            for value in graph.blocks[id.number].instructions {
                let instruction = graph.instruction(value)!.mapOperands { replacements[$0] ?? $0 }
                graph.redefine(value, as: instruction)
                switch fold(instruction, constants) {
                case .constant(let number):
                    if instruction != .constant(number) {
                        graph.redefine(value, as: .constant(number))
                        folded += 1
                    }
                    constants[value] = number
                case .same(let other):
                    replacements.replace(value, by: other)
                    folded += 1
                case .instruction(let simpler):
                    graph.redefine(value, as: simpler)
                    folded += 1
                case nil: break
                }
            }
        }
        for number in graph.blocks.indices {
            if !replacements.isEmpty { graph.blocks[number].instructions.removeAll { replacements[$0] != nil } }
        }
        graph.replaceUses(replacements)
        folded += dropFulfilledRequirements(in: &graph, constants)
        let branches = foldBranches(in: &graph, constants)
        var notes: [String] = []
        if folded > 0 { notes.append("computed \(folded) values") }
        if branches > 0 { notes.append("decided \(branches) branches") }
        return notes
    }

    /// The values that are known, by their numbers.
    private struct Constants {
        private var numbers: [UInt32?]

        init(in graph: Graph) { numbers = Array(repeating: nil, count: graph.definitions.count) }

        subscript(value: Value) -> UInt32? {
            get { numbers[value.number] }
            set { numbers[value.number] = newValue }
        }
    }

    private enum Folded {
        case constant(UInt32)
        case same(Value)
        case instruction(Graph.Instruction)
    }

    private static func fold(_ instruction: Graph.Instruction, _ constants: Constants) -> Folded? {
        switch instruction {
        case .constant(let number):
            return .constant(number)
        case .arithmetic(let op, let left, let right):
            if let l = constants[left], let r = constants[right] { return .constant(op.apply(l, r)) }
            return constants[right].flatMap { neutral(op, left, $0) }
        case .load(let size, let address):
            return constantAddress(address, constants).map { .instruction(.load(size, $0)) }
        case .requireBytes(let size, let address):
            return constantAddress(address, constants).map { .instruction(.requireBytes(size, $0)) }
        default:
            return nil
        }
    }

    /// What `left op number` is for a number that makes it trivial.
    private static func neutral(
        _ op: Operation.ArithmeticOperator, _ left: Value, _ number: UInt32
    ) -> Folded? {
        switch (op, number) {
        case (.add, 0), (.subtract, 0), (.or, 0), (.xor, 0), (.shiftLeft, 0), (.shiftRight, 0): .same(left)
        case (.multiply, 1), (.divide, 1), (.and, .max): .same(left)
        case (.multiply, 0), (.and, 0), (.modulo, 1): .constant(0)
        case (.or, .max): .constant(.max)
        default: nil
        }
    }

    /// The address with its index added, where that is a constant.
    private static func constantAddress(_ address: Graph.Address, _ constants: Constants) -> Graph.Address? {
        address.index.flatMap { constants[$0] }.map { Graph.Address(index: nil, offset: address.offset &+ $0) }
    }

    private static func dropFulfilledRequirements(in graph: inout Graph, _ constants: Constants) -> Int {
        var dropped = 0
        for number in graph.blocks.indices {
            func isFulfilled(_ value: Value) -> Bool {
                guard case .requireNonzero(let divisor)? = graph.instruction(value) else { return false }
                return constants[divisor] ?? 0 != 0
            }
            guard graph.blocks[number].instructions.contains(where: isFulfilled) else { continue }
            let kept = graph.blocks[number].instructions.filter { !isFulfilled($0) }
            dropped += graph.blocks[number].instructions.count - kept.count
            graph.blocks[number].instructions = kept
        }
        return dropped
    }

    private static func foldBranches(in graph: inout Graph, _ constants: Constants) -> Int {
        var decided = 0
        for number in graph.blocks.indices {
            guard
                case .branch(let comparison, let left, let right, let then, let otherwise) =
                    graph.blocks[number].terminator
            else { continue }
            let holds: Bool? =
                if let l = constants[left], let r = constants[right] {
                    comparison.holds(l, r)
                } else if left == right, comparison != .anyBitSet {
                    comparison != .greater
                } else {
                    nil
                }
            guard holds != nil || then == otherwise else { continue }
            graph.blocks[number].terminator = .jump(holds == false ? otherwise : then)
            decided += 1
        }
        return decided
    }
}

extension Operation.ArithmeticOperator {
    /// The result on two numbers, by the kernel's rules. A division by 0, which no graph computes, gives 0.
    func apply(_ left: UInt32, _ right: UInt32) -> UInt32 {
        switch self {
        case .add: left &+ right
        case .subtract: left &- right
        case .multiply: left &* right
        case .divide: right == 0 ? 0 : left / right
        case .modulo: right == 0 ? 0 : left % right
        case .or: left | right
        case .and: left & right
        case .xor: left ^ right
        case .shiftLeft: left << (right & 31)
        case .shiftRight: left >> (right & 31)
        }
    }
}

extension Operation.Comparison {
    /// Whether it holds between two numbers.
    func holds(_ left: UInt32, _ right: UInt32) -> Bool {
        switch self {
        case .equal: left == right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .anyBitSet: left & right != 0
        }
    }
}
