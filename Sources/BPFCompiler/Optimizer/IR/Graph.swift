import ClassicBPF

/// A filter in static single assignment form over 32-bit numbers: the optimiser's working copy.
///
/// A, X and the cells of M[] are gone, every number a filter computes is a ``Value``. Blocks end with a
/// ``Terminator`` and hand values to the next one as arguments of an ``Edge``, which become its parameters. Packets do
/// not change while a filter runs, so a load depends on its address alone; what may end the filter early is an
/// instruction of its own, a *requirement*.
struct Graph: Hashable, Sendable {
    /// The blocks, by ``BlockID``; execution starts with the first. One that nothing reaches is empty.
    var blocks: [Block] = []

    /// By load, the window it belongs to, once bounds have been put together.
    var windows: [Load: Window] = [:]

    /// What the filter returns where a requirement is not met.
    var failure: UInt32 = 0

    /// By the block a loop begins with, how often that is entered at most, where loops have been bounded.
    var rounds: [BlockID: Int] = [:]

    /// The sets that numbers are looked up in, each in ascending order.
    var sets: [[UInt32]] = []

    /// The tables that sets became. They are those of the whole function, in which there may be other graphs.
    var tables: [PerfectHash] = []

    /// What a loop that a helper function runs shares with its rounds, where the filter has been parted into what comes
    /// before second rounds, and a round.
    var loop: SharedState?

    /// Whether the graph is that of a round: a function that returns 0 for another one to follow, and 1 for the end.
    /// What it shares with others are the parameters of its entry.
    var isRound = false

    /// What each value is, by its number.
    private(set) var definitions: [Definition] = []

    /// By value, the classic instruction it came from.
    private(set) var origins: [Int] = []

    /// A run of instructions that is entered at its start and left at its end.
    struct Block: Hashable, Sendable {
        /// The values that come in with the edges.
        var parameters: [Value] = []
        /// What is computed and required, in order.
        var instructions: [Value] = []
        /// How the block ends.
        var terminator: Terminator = .unreachable
        /// The first classic instruction the block came from.
        var origin: Int
        /// The classic instruction its end came from; nil for the one the block came from.
        var terminatorOrigin: Int?
    }

    /// Where a value comes from.
    enum Definition: Hashable, Sendable {
        /// It comes into the block with an edge.
        case parameter(of: BlockID)
        /// It is computed by an instruction. A requirement's value is never used.
        case instruction(Instruction)
    }

    /// The instruction that computes `value`, or nil if it is a parameter.
    func instruction(_ value: Value) -> Instruction? {
        if case .instruction(let instruction) = definitions[value.number] { instruction } else { nil }
    }

    /// Appends an instruction to a block and returns its value.
    ///
    /// - Parameter origin: The classic instruction it came from; nil for that of the block's last instruction.
    @discardableResult
    mutating func append(_ instruction: Instruction, to block: BlockID, origin: Int? = nil) -> Value {
        let value = makeInstruction(
            instruction,
            origin: origin ?? blocks[block.number].instructions.last.map { origins[$0.number] }
                ?? blocks[block.number].origin)
        blocks[block.number].instructions.append(value)
        return value
    }

    /// Makes an instruction that stands in no block yet.
    mutating func makeInstruction(_ instruction: Instruction, origin: Int) -> Value {
        makeValue(.instruction(instruction), origin: origin)
    }

    /// Appends an empty block.
    mutating func appendBlock(origin: Int, _ terminator: Terminator = .unreachable) -> BlockID {
        blocks.append(Block(terminator: terminator, origin: origin))
        return BlockID(number: blocks.count - 1)
    }

    /// Moves the instructions of `block` from the place `place` on, and its end, to a new block, to which `block` then
    /// jumps. What has read its values still may.
    mutating func split(_ block: BlockID, at place: Int) -> BlockID {
        let rest = blocks[block.number].instructions[place...]
        let new = appendBlock(
            origin: rest.first.map { origins[$0.number] } ?? blocks[block.number].origin,
            blocks[block.number].terminator)
        blocks[new.number].instructions = Array(rest)
        blocks[new.number].terminatorOrigin = blocks[block.number].terminatorOrigin
        blocks[block.number].instructions.removeSubrange(place...)
        blocks[block.number].terminator = .jump(Edge(target: new))
        return new
    }

    /// Adds a parameter to a block and returns it. Every edge to the block must be given an argument for it.
    mutating func addParameter(to block: BlockID) -> Value {
        let value = makeValue(.parameter(of: block), origin: blocks[block.number].origin)
        blocks[block.number].parameters.append(value)
        return value
    }

    /// Replaces what computes `value`.
    ///
    /// - Precondition: It is computed by an instruction.
    mutating func redefine(_ value: Value, as instruction: Instruction) {
        precondition(self.instruction(value) != nil, "a parameter has no instruction")
        definitions[value.number] = .instruction(instruction)
    }

    private mutating func makeValue(_ definition: Definition, origin: Int) -> Value {
        definitions.append(definition)
        origins.append(origin)
        return Value(number: definitions.count - 1)
    }
}

extension Graph {
    /// The blocks that some way from the entry leads to.
    var reachableBlocks: BlockSet {
        var reached = BlockSet(in: self)
        reached.insert(.entry)
        var pending = [BlockID.entry]
        while let block = pending.popLast() {
            for target in blocks[block.number].terminator.targets where reached.insert(target) {
                pending.append(target)
            }
        }
        return reached
    }

    /// Whether some load is left to the kernel's own instruction, which ends the function where there is nothing.
    var hasEndingLoads: Bool {
        blocks.contains { block in
            block.instructions.contains {
                if case .classicLoad(_, _, by: .instruction)? = instruction($0) { true } else { false }
            }
        }
    }

    /// By block, the reachable blocks that lead to it, once for each edge.
    var predecessors: [[BlockID]] {
        var result = [[BlockID]](repeating: [], count: blocks.count)
        for id in reachableBlocks {
            for target in blocks[id.number].terminator.targets { result[target.number].append(id) }
        }
        return result
    }

    /// By block, how many edges from reachable blocks lead to it.
    var predecessorCounts: [Int] {
        var result = [Int](repeating: 0, count: blocks.count)
        for id in reachableBlocks {
            for target in blocks[id.number].terminator.targets { result[target.number] += 1 }
        }
        return result
    }

    /// By parameter, what comes in for it where something is reached.
    var incomingArguments: [[Value]] {
        var incoming = [[Value]](repeating: [], count: definitions.count)
        for id in reachableBlocks {
            for edge in blocks[id.number].terminator.edges {
                for (parameter, argument) in zip(blocks[edge.target.number].parameters, edge.arguments) {
                    incoming[parameter.number].append(argument)
                }
            }
        }
        return incoming
    }

    /// Replaces values wherever they are read. Chains of replacements are followed.
    mutating func replaceUses(_ replacements: Replacements) {
        guard !replacements.isEmpty else { return }
        for number in blocks.indices {
            for value in blocks[number].instructions {
                guard let instruction = instruction(value) else { continue }
                definitions[value.number] = .instruction(instruction.mapOperands(replacements.final))
            }
            blocks[number].terminator = blocks[number].terminator.mapValues(replacements.final)
        }
    }
}

/// A number that a filter computes, or the mark of a requirement.
struct Value: Hashable, Sendable {
    /// Its place in ``Graph/definitions``.
    var number: Int
}

/// A block by its place in ``Graph/blocks``.
struct BlockID: Hashable, Comparable, Sendable {
    var number: Int

    /// The block where execution starts.
    static let entry = BlockID(number: 0)

    static func < (left: BlockID, right: BlockID) -> Bool { left.number < right.number }
}

/// The way to another block, with the values for its parameters.
struct Edge: Hashable, Sendable {
    var target: BlockID
    var arguments: [Value] = []
}

/// What becomes of a loop where numbers are handed to its rounds.
enum LoopStep: Hashable, Sendable {
    /// It begins, and the filter ends with the number that its rounds leave.
    case start
    /// Another round follows.
    case next
    /// There is no other round; the number handed over is what the filter ends with.
    case end
}

/// Numbers of 32 bits in memory that the rounds of a loop share with each other and with what is in front of it.
struct SharedState: Hashable, Sendable {
    /// How many there are besides the result.
    var count: Int
    /// How many rounds there can be.
    var rounds: Int
    /// What the filter can end with in a round, but for failing, if those are few: the result is then the place in this
    /// list, counted from 1, and 0 if none of them has been reached. Else it is the number itself.
    var results: [UInt32]?
}

/// How a block ends.
enum Terminator: Hashable, Sendable {
    /// Goes on elsewhere.
    case jump(Edge)
    /// Goes to `then` where `left comparison right` holds, else to `otherwise`.
    case branch(Operation.Comparison, Value, Value, then: Edge, otherwise: Edge)
    /// Ends the filter with a number.
    case `return`(Value)
    /// Writes numbers to what a loop's rounds share (``Graph/loop``), and ends there.
    case loop(LoopStep, [Value])
    /// Is never reached.
    case unreachable

    /// The ways out, the taken side of a branch first.
    var edges: Few<Edge> {
        switch self {
        case .jump(let edge): Few(edge)
        case .branch(_, _, _, let then, let otherwise): Few(then, otherwise)
        case .return, .loop, .unreachable: Few()
        }
    }

    /// Where the ways out lead, the taken side of a branch first.
    var targets: Few<BlockID> {
        switch self {
        case .jump(let edge): Few(edge.target)
        case .branch(_, _, _, let then, let otherwise): Few(then.target, otherwise.target)
        case .return, .loop, .unreachable: Few()
        }
    }

    /// The values it hands to a loop's rounds.
    var shared: [Value] {
        if case .loop(_, let values) = self { values } else { [] }
    }

    /// The values it reads, those of its edges and of loops apart.
    var operands: Few<Value> {
        switch self {
        case .branch(_, let left, let right, _, _): Few(left, right)
        case .return(let value): Few(value)
        case .jump, .loop, .unreachable: Few()
        }
    }

    /// The same end with every edge replaced.
    func mapEdges(_ replace: (Edge) -> Edge) -> Terminator {
        switch self {
        case .jump(let edge): .jump(replace(edge))
        case .branch(let comparison, let left, let right, let then, let otherwise):
            .branch(comparison, left, right, then: replace(then), otherwise: replace(otherwise))
        case .return, .loop, .unreachable: self
        }
    }

    /// The same end with every value it reads replaced, those of its edges included.
    func mapValues(_ replace: (Value) -> Value) -> Terminator {
        let mapped = mapEdges { Edge(target: $0.target, arguments: $0.arguments.map(replace)) }
        return switch mapped {
        case .branch(let comparison, let left, let right, let then, let otherwise):
            .branch(comparison, replace(left), replace(right), then: then, otherwise: otherwise)
        case .return(let value): .return(replace(value))
        case .loop(let step, let values): .loop(step, values.map(replace))
        case .jump, .unreachable: mapped
        }
    }
}
