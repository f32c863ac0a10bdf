/// Which blocks every way to a block goes through.
///
/// Source: L. Georgiadis, "Linear-time algorithms for dominators and related problems", 2005, chapter 2 (SEMI-NCA): a
/// block that thousands lead to, such as the one that accepts, costs no walk for each of them.
struct DominatorTree {
    /// The reachable blocks, each behind at least one of its predecessors; the entry first.
    let order: [BlockID]

    /// Whether the graph has no loops.
    let isAcyclic: Bool

    /// By block, its nearest strict dominator; the entry is its own. Nil for blocks that nothing reaches.
    private let parents: [BlockID?]
    /// By block, the numbers of the blocks it dominates, counted down the tree; its own is the first.
    private let subtrees: [Range<Int>]

    /// Finds the dominators in `graph`.
    ///
    /// - Complexity: O(*n* log *n*) in the number of edges, for all but contrived graphs.
    init(_ graph: Graph) {
        let search = DepthFirstSearch(graph)
        let order = search.order
        var places = [Int](repeating: -1, count: graph.blocks.count)
        for (place, block) in order.enumerated() { places[block.number] = place }
        let parents = Self.parents(graph, search)
        self.order = order
        self.parents = parents
        subtrees = Self.subtrees(order, parents)
        isAcyclic = order.allSatisfy { block in
            graph.blocks[block.number].terminator.targets.allSatisfy { places[$0.number] > places[block.number] }
        }
    }

    /// The nearest strict dominator of `block`, or nil for the entry and for blocks that nothing reaches.
    func parent(of block: BlockID) -> BlockID? {
        block == .entry ? nil : parents[block.number]
    }

    /// By block, those of which it is the nearest strict dominator, each behind at least one of its predecessors.
    var children: [[BlockID]] {
        var result = [[BlockID]](repeating: [], count: parents.count)
        for block in order { if let parent = parent(of: block) { result[parent.number].append(block) } }
        return result
    }

    /// Whether every way to `block` goes through `dominator`; a block dominates itself.
    func dominates(_ dominator: BlockID, _ block: BlockID) -> Bool {
        block == dominator || subtrees[dominator.number].contains(subtrees[block.number].lowerBound)
    }

    private static func parents(_ graph: Graph, _ search: DepthFirstSearch) -> [BlockID?] {
        // Blocks are called by their places in the order of the search from here on.
        let count = search.preorder.count
        var predecessors = Buckets(count: count, capacity: 2 * count)
        for (place, block) in search.preorder.enumerated() {
            for target in graph.blocks[block.number].terminator.targets {
                predecessors.append(place, to: search.places[target.number])
            }
        }
        var semidominators = Array(0..<count)
        var forest = Forest(parents: search.parents)
        for block in (1..<max(count, 1)).reversed() {
            for predecessor in predecessors[block] {
                semidominators[block] = min(semidominators[block], forest.lowest(above: predecessor, below: block))
            }
            forest.lowest[block] = semidominators[block]
        }
        var dominators = search.parents
        for block in 1..<max(count, 1) {
            while dominators[block] > semidominators[block] { dominators[block] = dominators[dominators[block]] }
        }
        var result = [BlockID?](repeating: nil, count: graph.blocks.count)
        for (place, block) in search.preorder.enumerated() { result[block.number] = search.preorder[dominators[place]] }
        return result
    }

    /// Numbers the blocks down the tree, without recursion: filters can be long chains.
    private static func subtrees(_ order: [BlockID], _ parents: [BlockID?]) -> [Range<Int>] {
        var sizes = [Int](repeating: 0, count: parents.count)
        for block in order.reversed() {
            sizes[block.number] += 1
            if block != .entry { sizes[parents[block.number]!.number] += sizes[block.number] }
        }
        var result = [Range<Int>](repeating: -1 ..< -1, count: parents.count)
        var next = [Int](repeating: 0, count: parents.count)
        for block in order {
            let start = block == .entry ? 0 : next[parents[block.number]!.number]
            if block != .entry { next[parents[block.number]!.number] += sizes[block.number] }
            result[block.number] = start..<(start + sizes[block.number])
            next[block.number] = start + 1
        }
        return result
    }

    /// The part of the search's tree whose semidominators are known, with short cuts.
    private struct Forest {
        /// By block, one above it in the tree.
        private var ancestors: [Int]
        /// By block, the lowest semidominator from it up to below its ancestor; the block itself where not known yet.
        var lowest: [Int]
        private var path: [Int] = []

        init(parents: [Int]) {
            ancestors = parents
            lowest = Array(parents.indices)
        }

        /// The lowest semidominator from `block` up the tree to the last block behind `limit`.
        mutating func lowest(above block: Int, below limit: Int) -> Int {
            var top = block
            while ancestors[top] > limit {
                path.append(top)
                top = ancestors[top]
            }
            while let next = path.popLast() {
                lowest[next] = min(lowest[next], lowest[top])
                ancestors[next] = ancestors[top]
                top = next
            }
            return lowest[block]
        }
    }
}

/// The order in which a search in depth comes by the blocks of a graph.
private struct DepthFirstSearch {
    /// The reachable blocks as they are entered; the entry first.
    private(set) var preorder: [BlockID] = [.entry]
    /// By the place in ``preorder``, the place of the block from which it was entered.
    private(set) var parents: [Int] = [0]
    /// By block, its place in ``preorder``, or −1.
    private(set) var places: [Int]
    /// The reachable blocks, each in front of those it leads to but for the ways back of loops.
    private(set) var order: [BlockID] = []

    /// Without recursion: filters can be long chains.
    init(_ graph: Graph) {
        places = Array(repeating: -1, count: graph.blocks.count)
        places[BlockID.entry.number] = 0
        var pending: [(block: BlockID, next: Int)] = [(.entry, 0)]
        while let (block, next) = pending.last {
            let targets = graph.blocks[block.number].terminator.targets
            guard next < targets.count else {
                order.append(block)
                pending.removeLast()
                continue
            }
            pending[pending.count - 1].next += 1
            let target = targets[next]
            guard places[target.number] < 0 else { continue }
            places[target.number] = preorder.count
            preorder.append(target)
            parents.append(places[block.number])
            pending.append((target, 0))
        }
        order.reverse()
    }
}
