import ClassicBPF

/// Makes the graph of a classic program: A, X and M[] become values.
///
/// Blocks are read in the order of the program. By the kernel's rules every way into a block comes from before it, so
/// what a cell holds there is known: the one value that all ways agree on, or else a parameter. Where libpcap's rules
/// let a way come from behind, every cell becomes a parameter first, and those that turn out needless are taken out by
/// a pass. Blocks that nothing reaches stay empty.
struct GraphBuilder {
    /// What the machine's cells hold: A, X, then M[0] to M[15]. A cell that was never written is nil; by libpcap's
    /// rules it may be read, and is 0.
    private struct State {
        var cells = [Value?](repeating: nil, count: 18)

        static let a = 0
        static let x = 1
        static func memory(_ cell: UInt32) -> Int { 2 + Int(cell) }
    }

    private let program: Program
    private let flow: ControlFlow
    private var graph = Graph()
    /// By block, what its cells hold at its end.
    private var ends: [State?]
    /// By block, the cells that its parameters stand for.
    private var parameterCells: [[Int]]
    private var predecessors: [[BlockID]]
    /// By its first instruction, each block.
    private let blockAtStart: [BlockID?]
    /// What A and X hold at the start.
    private let zero: Value
    /// The classic instruction that is being read.
    private var origin = 0

    /// The graph of `program`.
    ///
    /// - Complexity: O(*n*) in the number of instructions.
    static func build(_ program: Program) -> Graph {
        var builder = GraphBuilder(program)
        builder.build()
        return builder.graph
    }

    private init(_ program: Program) {
        self.program = program
        flow = ControlFlow(program)
        var starts = [BlockID?](repeating: nil, count: program.count)
        for (number, block) in flow.blocks.enumerated() { starts[block.instructions.lowerBound] = Self.id(number) }
        blockAtStart = starts
        ends = Array(repeating: nil, count: flow.blocks.count + 1)
        parameterCells = Array(repeating: [], count: flow.blocks.count + 1)
        predecessors = Array(repeating: [], count: flow.blocks.count + 1)
        predecessors[Self.id(0).number] = [.entry]
        for number in flow.blocks.indices where flow.reachableBlocks.contains(number) {
            for successor in flow.blocks[number].successors {
                predecessors[Self.id(successor).number].append(Self.id(number))
            }
        }
        graph.blocks = [Graph.Block(origin: 0)] + flow.blocks.map { Graph.Block(origin: $0.instructions.lowerBound) }
        zero = graph.append(.constant(0), to: .entry)
    }

    /// The block of the graph for a block of the program. In front of them all is the entry, where A and X become 0.
    private static func id(_ number: Int) -> BlockID { BlockID(number: number + 1) }

    private mutating func build() {
        var start = State()
        start.cells[State.a] = zero
        start.cells[State.x] = zero
        ends[BlockID.entry.number] = start
        graph.blocks[BlockID.entry.number].terminator = .jump(edge(to: 0))

        let reachable = flow.blocks.indices.filter(flow.reachableBlocks.contains)
        for number in reachable {
            var state = begin(Self.id(number))
            let instructions = flow.blocks[number].instructions
            // A block that ends because another begins goes on there; a jump or return will replace this.
            if instructions.upperBound < program.count {
                graph.blocks[Self.id(number).number].terminator = .jump(edge(to: instructions.upperBound))
            }
            for index in instructions {
                origin = index
                emit(index, in: Self.id(number), &state)
            }
            ends[Self.id(number).number] = state
        }
        for block in [.entry] + reachable.map(Self.id) { fillArguments(of: block) }
    }

    // MARK: What the cells hold

    private mutating func begin(_ block: BlockID) -> State {
        let ways = predecessors[block.number].map { ends[$0.number] }
        var state = State()
        for cell in state.cells.indices {
            // A way from behind is not known yet.
            let first = ways[0]?.cells[cell]
            if ways.allSatisfy({ $0 != nil && $0?.cells[cell] == first }) {
                state.cells[cell] = first
            } else {
                state.cells[cell] = graph.addParameter(to: block)
                parameterCells[block.number].append(cell)
            }
        }
        return state
    }

    /// Gives each way out of `block` what the cells hold at its end.
    private mutating func fillArguments(of block: BlockID) {
        let state = ends[block.number]!
        graph.blocks[block.number].terminator = graph.blocks[block.number].terminator.mapEdges { edge in
            Edge(
                target: edge.target,
                arguments: parameterCells[edge.target.number].map { state.cells[$0] ?? zero })
        }
    }

    // MARK: Instructions

    private mutating func emit(_ index: Int, in block: BlockID, _ state: inout State) {
        let a = state.cells[State.a]!
        let x = state.cells[State.x]!
        switch program.operation(at: index) {
        case .load(let source): state.cells[State.a] = load(source, a, x, in: block, state)
        case .loadIndex(let source): state.cells[State.x] = loadIndex(source, in: block, state)
        case .store(let cell): state.cells[State.memory(cell)] = a
        case .storeIndex(let cell): state.cells[State.memory(cell)] = x
        case .arithmetic(let op, let operand):
            let right = value(of: operand, x, in: block)
            if operand == .index, op == .divide || op == .modulo { append(.requireNonzero(x), to: block) }
            state.cells[State.a] = append(.arithmetic(op, a, right), to: block)
        case .negate:
            state.cells[State.a] = append(.arithmetic(.subtract, zero, a), to: block)
        case .transferAToX: state.cells[State.x] = a
        case .transferXToA: state.cells[State.a] = x
        case .jump(let distance):
            end(block, with: .jump(edge(to: program.jumpTarget(from: index, distance: distance))))
        case .branch(let comparison, let operand, let jt, let jf):
            let right = value(of: operand, x, in: block)
            let then = edge(to: index + 1 + Int(jt))
            let otherwise = edge(to: index + 1 + Int(jf))
            end(block, with: .branch(comparison, a, right, then: then, otherwise: otherwise))
        case .result(.constant(let k)):
            end(block, with: .return(append(.constant(k), to: block)))
        case .result(.a):
            end(block, with: .return(a))
        }
    }

    private mutating func load(
        _ source: Operation.Source, _ a: Value, _ x: Value, in block: BlockID, _ state: State
    ) -> Value {
        switch source {
        case .immediate(let k): return append(.constant(k), to: block)
        case .absolute(let size, let k): return load(size, Graph.Address(index: nil, offset: k), in: block)
        case .indirect(let size, let k): return load(size, Graph.Address(index: x, offset: k), in: block)
        case .memory(let cell): return state.cells[State.memory(cell)] ?? zero
        case .length: return append(.length, to: block)
        case .extension(.xorX): return append(.arithmetic(.xor, a, x), to: block)
        case .extension(.poff): return append(.search(.poff, a: zero, x: zero), to: block)
        case .extension(let ext) where [.nla, .nlan].contains(ext):
            return append(.search(ext, a: a, x: x), to: block)
        case .extension(let ext):
            if ext == .ifidx || ext == .hatype { append(.requireInterface(orReturn: a), to: block) }
            return append(.metadata(ext), to: block)
        }
    }

    private mutating func loadIndex(_ source: Operation.IndexSource, in block: BlockID, _ state: State) -> Value {
        switch source {
        case .immediate(let k): return append(.constant(k), to: block)
        case .memory(let cell): return state.cells[State.memory(cell)] ?? zero
        case .length: return append(.length, to: block)
        case .headerLength(let k):
            let byte = load(.byte, Graph.Address(index: nil, offset: k), in: block)
            let mask = append(.constant(15), to: block)
            let words = append(.arithmetic(.and, byte, mask), to: block)
            let two = append(.constant(2), to: block)
            return append(.arithmetic(.shiftLeft, words, two), to: block)
        }
    }

    private mutating func load(_ size: Operation.Size, _ address: Graph.Address, in block: BlockID) -> Value {
        append(.requireBytes(size, address), to: block)
        return append(.load(size, address), to: block)
    }

    private mutating func value(of operand: Operation.Operand, _ x: Value, in block: BlockID) -> Value {
        switch operand {
        case .constant(let k): append(.constant(k), to: block)
        case .index: x
        }
    }

    @discardableResult
    private mutating func append(_ instruction: Graph.Instruction, to block: BlockID) -> Value {
        graph.append(instruction, to: block, origin: origin)
    }

    private mutating func end(_ block: BlockID, with terminator: Terminator) {
        graph.blocks[block.number].terminator = terminator
        graph.blocks[block.number].terminatorOrigin = origin
    }

    /// The way to the block that begins at a classic instruction; its arguments come when all blocks are known.
    private func edge(to instruction: Int) -> Edge {
        Edge(target: blockAtStart[instruction]!)
    }

}
