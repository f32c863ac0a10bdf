import ClassicBPF

/// Leads a way past a branch whose outcome is known on that way, though not on others.
///
///     if a == 1 goto x else b         if a == 1 goto x else b
///     x: … goto b                     x: … goto f
///     b: if a == 2 goto t else f      b: if a == 2 goto t else f
///
/// libpcap's own optimiser does the same, so this is for programs that did not go through it.
struct JumpThreading: Pass {
    static let name = "threading"

    private let graph: Graph
    private let tree: DominatorTree
    /// By block, whether a way can lead past it: it asks for nothing, and what it computes nobody else reads.
    private let canBePassed: [Bool]
    /// By block, whether it has no parameters and computes nothing but constants.
    private let onlyCompares: [Bool]
    private let predecessorCounts: [Int]

    static func run(on graph: inout Graph) -> [String] {
        let tree = DominatorTree(graph)
        let pass = JumpThreading(
            graph: graph, tree: tree, canBePassed: passableBlocks(in: graph, tree),
            predecessorCounts: graph.predecessorCounts)
        guard pass.canBePassed.contains(true) else { return [] }
        let threaded = pass.threadedEnds()
        guard threaded.count > 0 else { return [] }
        for (block, terminator) in threaded.ends { graph.blocks[block.number].terminator = terminator }
        pass.liftConstants(in: &graph)
        return ["led \(threaded.count) ways past branches that they decide"]
    }

    private init(graph: Graph, tree: DominatorTree, canBePassed: [Bool], predecessorCounts: [Int]) {
        self.graph = graph
        self.tree = tree
        self.canBePassed = canBePassed
        onlyCompares = graph.blocks.map { block in
            block.parameters.isEmpty && block.instructions.allSatisfy { graph.instruction($0)?.constant != nil }
        }
        self.predecessorCounts = predecessorCounts
    }

    /// The new ends of the blocks from which a way leads past a branch, and how many ways do.
    private func threadedEnds() -> (ends: [(block: BlockID, terminator: Terminator)], count: Int) {
        var ends: [(BlockID, Terminator)] = []
        var count = 0
        KnownFacts.walk(graph, tree) { block, known in
            let terminator = graph.blocks[block.number].terminator
            guard terminator.targets.contains(where: { canBePassed[$0.number] }) else { return }
            var shown = KnownFacts.shown(by: terminator).makeIterator()
            var threaded = 0
            let end = terminator.mapEdges { edge in
                guard let fact = shown.next(), canBePassed[edge.target.number] else { return edge }
                let undoings = fact.map { known.learn($0) } ?? Few()
                defer { for undoing in undoings.reversed() { known.undo(undoing) } }
                guard let onward = onward(edge, known) else { return edge }
                threaded += 1
                return onward
            }
            if threaded > 0 { ends.append((block, end)) }
            count += threaded
        }
        return (ends, count)
    }

    /// Where `edge` leads past the branches that are decided on it, or nil if the first is not.
    private func onward(_ edge: Edge, _ known: KnownFacts) -> Edge? {
        var edge = edge
        var result: Edge?
        // As many as nobody writes one behind the other; a loop of them has no end.
        for _ in 0..<256 {
            let number = edge.target.number
            guard canBePassed[number] else { break }
            // Most do nothing but compare what is there already.
            let passed = onlyCompares[number] ? nil : Passed(graph.blocks[number], edge.arguments, graph, known)
            switch graph.blocks[number].terminator {
            case .jump(let next): edge = passed?.onward(next) ?? next
            case .branch(let comparison, let left, let right, let then, let otherwise):
                let outcome =
                    passed.map { $0.outcome(comparison, left, right) } ?? known.outcome(comparison, left, right)
                guard let holds = outcome else { return result }
                let next = holds ? then : otherwise
                edge = passed?.onward(next) ?? next
                if comparison != .equal || !isLink(edge.target, of: left) { result = edge }
            default: return result
            }
        }
        return result
    }

    /// Whether a block goes on with a chain of equalities on `value`, of which searches are made: a way into its middle
    /// would break it in two.
    private func isLink(_ id: BlockID, of value: Value) -> Bool {
        guard case .branch(.equal, value, _, _, _) = graph.blocks[id.number].terminator else { return false }
        return predecessorCounts[id.number] == 1
    }

    /// A way that leads past a block keeps what that hands on, which then has to be known further up. Constants cost
    /// nothing wherever they stand.
    private func liftConstants(in graph: inout Graph) {
        // By block, the nearest one up the tree that no way leads past.
        var homes = Array(graph.blocks.indices)
        for id in tree.order where canBePassed[id.number] {
            guard let parent = tree.parent(of: id) else { continue }
            homes[id.number] = homes[parent.number]
            let instructions = graph.blocks[id.number].instructions
            let constants = instructions.filter { graph.instruction($0)?.constant != nil }
            guard !constants.isEmpty else { continue }
            graph.blocks[id.number].instructions = instructions.filter { graph.instruction($0)?.constant == nil }
            graph.blocks[homes[id.number]].instructions += constants
        }
    }

    /// By block, whether a way can lead past it.
    private static func passableBlocks(in graph: Graph, _ tree: DominatorTree) -> [Bool] {
        var result = [Bool](repeating: false, count: graph.blocks.count)
        for id in tree.order where id != .entry {
            let block = graph.blocks[id.number]
            result[id.number] =
                block.terminator.targets.count > 0
                && !block.instructions.contains { graph.instruction($0)!.mayEndFilter }
        }
        // The first block of a loop stays the first.
        for id in tree.order {
            for target in graph.blocks[id.number].terminator.targets where tree.dominates(target, id) {
                result[target.number] = false
            }
        }
        let homes = graph.homes
        func note(_ value: Value, readIn block: BlockID) {
            if homes[value.number] != block, graph.instruction(value)?.constant == nil {
                result[homes[value.number].number] = false
            }
        }
        for id in tree.order {
            let block = graph.blocks[id.number]
            for value in block.instructions {
                for operand in graph.instruction(value)!.operands { note(operand, readIn: id) }
            }
            for operand in block.terminator.operands { note(operand, readIn: id) }
            for value in block.terminator.shared { note(value, readIn: id) }
            for edge in block.terminator.edges {
                for argument in edge.arguments where !block.parameters.contains(argument) {
                    // What is computed here cannot be handed on from elsewhere.
                    if homes[argument.number] == id, graph.instruction(argument)?.constant == nil {
                        result[id.number] = false
                    }
                    note(argument, readIn: id)
                }
            }
        }
        return result
    }
}

/// A block as it is for a way that leads to it with certain arguments.
private struct Passed {
    private let block: Graph.Block
    private let arguments: [Value]
    private let known: KnownFacts
    /// What is known of the values that the block computes.
    private var computed: [(value: Value, range: ValueRange)] = []

    init(_ block: Graph.Block, _ arguments: [Value], _ graph: Graph, _ known: KnownFacts) {
        self.block = block
        self.arguments = arguments
        self.known = known
        for value in block.instructions where graph.instruction(value)!.constant == nil {
            let range = ValueRange(graph.instruction(value)!) { self.range($0) }
            computed.append((value, range.and(known[value]) ?? range))
        }
    }

    /// Whether `left comparison right` holds at the end of the block, or nil where that is not known.
    func outcome(_ comparison: Operation.Comparison, _ left: Value, _ right: Value) -> Bool? {
        known.outcome(comparison, argument(left), argument(right))
            ?? range(left).decides(comparison, range(right))
    }

    /// A way out of the block, as one from in front of it.
    func onward(_ edge: Edge) -> Edge {
        Edge(target: edge.target, arguments: edge.arguments.map(argument))
    }

    /// What is handed to the block as `value`, if that is a parameter, or else the value.
    private func argument(_ value: Value) -> Value {
        block.parameters.firstIndex(of: value).map { arguments[$0] } ?? value
    }

    private func range(_ value: Value) -> ValueRange {
        computed.first { $0.value == value }?.range ?? known[argument(value)]
    }
}

extension Graph {
    /// By value, the block that it stands in; the entry for those that stand in none.
    fileprivate var homes: [BlockID] {
        var result = [BlockID](repeating: .entry, count: definitions.count)
        for number in blocks.indices {
            for value in blocks[number].parameters + blocks[number].instructions {
                result[value.number] = BlockID(number: number)
            }
        }
        return result
    }
}
