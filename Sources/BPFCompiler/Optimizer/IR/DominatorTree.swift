/// Which blocks every way to a block goes through.
///
/// Source: K. Cooper, T. Harvey, K. Kennedy, "A simple, fast dominance algorithm", 2001.
struct DominatorTree {
    /// The reachable blocks, each behind at least one of its predecessors; the entry first.
    let order: [BlockID]

    /// Whether the graph has no loops.
    let isAcyclic: Bool

    /// By block, its nearest strict dominator; the entry is its own. Nil for blocks that nothing reaches.
    private let parents: [BlockID?]
    /// By block, its place in ``order``.
    private let places: [Int]

    /// Finds the dominators in `graph`.
    ///
    /// - Complexity: O(number of edges), times the depth of nested loops.
    init(_ graph: Graph) {
        let order = Self.reversePostorder(graph)
        var places = [Int](repeating: -1, count: graph.blocks.count)
        for (place, block) in order.enumerated() { places[block.number] = place }
        let predecessors = graph.predecessors

        var parents = [BlockID?](repeating: nil, count: graph.blocks.count)
        parents[BlockID.entry.number] = .entry
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for block in order.dropFirst() {
                let known = predecessors[block.number].filter { parents[$0.number] != nil }
                let parent = known.dropFirst().reduce(known[0]) { Self.meet($0, $1, parents, places) }
                if parents[block.number] != parent {
                    parents[block.number] = parent
                    hasChanged = true
                }
            }
        }
        self.order = order
        self.parents = parents
        self.places = places
        isAcyclic = order.allSatisfy { block in
            graph.blocks[block.number].terminator.edges.allSatisfy { places[$0.target.number] > places[block.number] }
        }
    }

    /// The nearest strict dominator of `block`, or nil for the entry and for blocks that nothing reaches.
    func parent(of block: BlockID) -> BlockID? {
        block == .entry ? nil : parents[block.number]
    }

    /// Whether every way to `block` goes through `dominator`; a block dominates itself.
    func dominates(_ dominator: BlockID, _ block: BlockID) -> Bool {
        var block = block
        // A dominator stands before what it dominates.
        while places[block.number] > places[dominator.number], let parent = parents[block.number] { block = parent }
        return block == dominator
    }

    /// The nearest block that dominates both.
    private static func meet(_ left: BlockID, _ right: BlockID, _ parents: [BlockID?], _ places: [Int]) -> BlockID {
        var (left, right) = (left, right)
        while left != right {
            while places[left.number] > places[right.number] { left = parents[left.number]! }
            while places[right.number] > places[left.number] { right = parents[right.number]! }
        }
        return left
    }

    /// The reachable blocks, each in front of those it leads to but for the ways back of loops. Without recursion:
    /// filters can be long chains.
    private static func reversePostorder(_ graph: Graph) -> [BlockID] {
        var isSeen = [Bool](repeating: false, count: graph.blocks.count)
        var postorder: [BlockID] = []
        var pending: [(block: BlockID, next: Int)] = [(.entry, 0)]
        isSeen[BlockID.entry.number] = true
        while let (block, next) = pending.last {
            let edges = graph.blocks[block.number].terminator.edges
            guard next < edges.count else {
                postorder.append(block)
                pending.removeLast()
                continue
            }
            pending[pending.count - 1].next += 1
            let target = edges[next].target
            if !isSeen[target.number] {
                isSeen[target.number] = true
                pending.append((target, 0))
            }
        }
        return postorder.reversed()
    }
}
