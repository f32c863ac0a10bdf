import ClassicBPF

/// What is known of the values of a graph at some place in it: their ranges, and which of them differ.
struct KnownFacts {
    /// By value.
    private var ranges: [ValueRange]
    /// Pairs that are known to differ.
    private var different: Set<Pair> = []

    private struct Pair: Hashable {
        var left: Value
        /// A value's number, or a constant, which may be several values, from 2³² on.
        var right: Int
    }

    /// What a branch shows where one of its ways is taken.
    struct Shown {
        var comparison: Operation.Comparison
        var left: Value
        var right: Value
        var holds: Bool
    }

    /// How a fact is taken back.
    enum Undoing {
        case restore(Value, ValueRange)
        case forget(Value, Int)
    }

    /// What is known of every value of `graph` from what computes it.
    init(_ graph: Graph, _ order: [BlockID]) {
        ranges = Array(repeating: .unknown, count: graph.definitions.count)
        for block in order {
            for value in graph.blocks[block.number].instructions {
                ranges[value.number] = ValueRange(graph.instruction(value)!) { ranges[$0.number] }
            }
        }
    }

    /// What is known of `value`.
    subscript(value: Value) -> ValueRange { ranges[value.number] }

    /// Adds a fact and returns what takes it back.
    mutating func learn(_ fact: Shown) -> Few<Undoing> {
        var restoring: Undoing?
        // An impossible fact is one of a place that is never reached; nothing need be known there.
        if let refined = ranges[fact.left.number].refined(
            fact.comparison, ranges[fact.right.number], holds: fact.holds)
        {
            restoring = .restore(fact.left, ranges[fact.left.number])
            ranges[fact.left.number] = refined
        }
        let pair = pair(fact.left, fact.right)
        guard fact.comparison == .equal, !fact.holds, different.insert(pair).inserted else { return Few(restoring) }
        let forgetting = Undoing.forget(pair.left, pair.right)
        return restoring.map { Few($0, forgetting) } ?? Few(forgetting)
    }

    /// Takes a fact back; of several the one that was learnt last first.
    mutating func undo(_ undoing: Undoing) {
        switch undoing {
        case .restore(let value, let range): ranges[value.number] = range
        case .forget(let left, let right): different.remove(Pair(left: left, right: right))
        }
    }

    /// Whether `left comparison right` holds, or nil where that is not known.
    func outcome(_ comparison: Operation.Comparison, _ left: Value, _ right: Value) -> Bool? {
        if comparison == .equal, different.contains(pair(left, right)) { return false }
        return ranges[left.number].decides(comparison, ranges[right.number])
    }

    private func pair(_ left: Value, _ right: Value) -> Pair {
        Pair(left: left, right: ranges[right.number].constant.map { Int($0) + 1 << 32 } ?? right.number)
    }
}

extension KnownFacts {
    /// Goes down the dominator tree of `graph` and calls `visit` at each block with what is known at its end. What that
    /// adds it has to take back.
    static func walk(_ graph: Graph, _ tree: DominatorTree, _ visit: (BlockID, inout KnownFacts) -> Void) {
        enum Step {
            case enter(BlockID)
            case undo(Undoing)
        }
        var known = KnownFacts(graph, tree.order)
        let shown = shownAtEntry(graph, tree)
        let children = tree.children
        // Going down, a block's facts are added; coming back up, what they replaced is put back.
        var pending: [Step] = [.enter(.entry)]
        while let step = pending.popLast() {
            switch step {
            case .undo(let undoing): known.undo(undoing)
            case .enter(let block):
                if let fact = shown[block.number] {
                    for undoing in known.learn(fact) { pending.append(.undo(undoing)) }
                }
                visit(block, &known)
                for child in children[block.number].reversed() { pending.append(.enter(child)) }
            }
        }
    }

    /// What each way out of a block shows, in the order of its edges; nil for one that shows nothing.
    static func shown(by terminator: Terminator) -> Few<Shown?> {
        guard case .branch(let comparison, let left, let right, let then, let otherwise) = terminator,
            then.target != otherwise.target
        else { return terminator.edges.count == 2 ? Few(nil, nil) : Few(.some(nil)) }
        return Few(
            Shown(comparison: comparison, left: left, right: right, holds: true),
            Shown(comparison: comparison, left: left, right: right, holds: false))
    }

    /// By block, what its only way in has shown.
    private static func shownAtEntry(_ graph: Graph, _ tree: DominatorTree) -> [Shown?] {
        var result = [Shown?](repeating: nil, count: graph.blocks.count)
        let predecessors = graph.predecessorCounts
        for block in tree.order {
            let terminator = graph.blocks[block.number].terminator
            for (target, fact) in zip(terminator.targets, shown(by: terminator))
            where predecessors[target.number] == 1 {
                result[target.number] = fact
            }
        }
        return result
    }
}
