import ClassicBPF

/// Decides branches by what is known where they stand: the ranges of what they compare, and what the branches that
/// lead there have shown.
enum Facts: Pass {
    static let name = "facts"

    static func run(on graph: inout Graph) -> [String] {
        var walk = Walk(graph)
        let outcomes = walk.outcomes()
        for (block, holds) in outcomes {
            guard case .branch(_, _, _, let then, let otherwise) = graph.blocks[block.number].terminator else {
                continue
            }
            graph.blocks[block.number].terminator = .jump(holds ? then : otherwise)
        }
        return outcomes.isEmpty ? [] : ["decided \(outcomes.count) branches by what leads to them"]
    }

    /// What a branch that leads to a block has shown.
    private struct Shown {
        var comparison: Operation.Comparison
        var left: Value
        var right: Value
        var holds: Bool
    }

    /// A walk down the dominator tree, with what is known on the way.
    private struct Walk {
        private let graph: Graph
        private let tree: DominatorTree
        /// By value.
        private var ranges: [ValueRange]
        /// Pairs that are known to differ.
        private var different: Set<Pair> = []

        private struct Pair: Hashable {
            var left: Value
            var right: Value
        }

        init(_ graph: Graph) {
            self.graph = graph
            tree = DominatorTree(graph)
            ranges = Array(repeating: .unknown, count: graph.definitions.count)
        }

        /// The blocks whose branch is decided, and how.
        mutating func outcomes() -> [(block: BlockID, holds: Bool)] {
            for block in tree.order {
                for value in graph.blocks[block.number].instructions {
                    ranges[value.number] = ValueRange(graph.instruction(value)!) { ranges[$0.number] }
                }
            }
            let shown = shownAtEntry()
            var children = [[BlockID]](repeating: [], count: graph.blocks.count)
            for block in tree.order { if let parent = tree.parent(of: block) { children[parent.number].append(block) } }

            var result: [(BlockID, Bool)] = []
            // Going down, a block's facts are added; coming back up, what they replaced is put back.
            var pending: [Step] = [.enter(.entry)]
            while let step = pending.popLast() {
                switch step {
                case .restore(let value, let range): ranges[value.number] = range
                case .forget(let pair): different.remove(pair)
                case .enter(let block):
                    if let fact = shown[block.number] { pending += learn(fact) }
                    if let holds = outcome(of: block) { result.append((block, holds)) }
                    pending += children[block.number].reversed().map(Step.enter)
                }
            }
            return result
        }

        private enum Step {
            case enter(BlockID)
            case restore(Value, ValueRange)
            case forget(Pair)
        }

        /// By block, what its only way in has shown.
        private func shownAtEntry() -> [Shown?] {
            var shown = [Shown?](repeating: nil, count: graph.blocks.count)
            let predecessors = graph.predecessorCounts
            for block in tree.order {
                guard
                    case .branch(let comparison, let left, let right, let then, let otherwise) =
                        graph.blocks[block.number].terminator, then.target != otherwise.target
                else { continue }
                for (edge, holds) in [(then, true), (otherwise, false)]
                where predecessors[edge.target.number] == 1 {
                    shown[edge.target.number] = Shown(comparison: comparison, left: left, right: right, holds: holds)
                }
            }
            return shown
        }

        /// Adds a fact and returns the steps that take it back.
        private mutating func learn(_ fact: Shown) -> [Step] {
            var back: [Step] = []
            let right = ranges[fact.right.number]
            // An impossible fact is one of a block that is never reached; nothing need be known there.
            if let refined = ranges[fact.left.number].refined(fact.comparison, right, holds: fact.holds) {
                back.append(.restore(fact.left, ranges[fact.left.number]))
                ranges[fact.left.number] = refined
            }
            let pair = Pair(left: fact.left, right: fact.right)
            if fact.comparison == .equal, !fact.holds, different.insert(pair).inserted { back.append(.forget(pair)) }
            return back
        }

        private func outcome(of block: BlockID) -> Bool? {
            guard case .branch(let comparison, let left, let right, _, _) = graph.blocks[block.number].terminator else {
                return nil
            }
            if comparison == .equal, different.contains(Pair(left: left, right: right)) { return false }
            return ranges[left.number].decides(comparison, ranges[right.number])
        }
    }
}
