/// The parts of a graph that stand in a row and all have to be passed: from each, every way leads to the next or to the
/// filter's failure.
struct Conjunctions {
    /// The rows of at least two parts, those within parts of others behind these.
    private(set) var sequences: [Sequence] = []

    /// The blocks where the parts of a row begin, and what follows the last.
    struct Sequence {
        var heads: [BlockID]
        var end: BlockID
    }

    /// A part of a row.
    struct Part {
        /// Where it begins.
        var head: BlockID
        /// All its blocks, the head among them.
        var blocks: [BlockID]
        /// Where the ways lead that pass it.
        var exit: BlockID
    }

    /// A part with more blocks than these stays where it is, so that finding them takes no time to speak of.
    private static let mostBlocks = 64

    /// Finds the rows in `graph`; those of one with loops are none.
    init(_ graph: Graph) {
        let tree = DominatorTree(graph)
        guard tree.isAcyclic else { return }
        let next = Self.meetings(in: graph, tree)
        var isHead = [Bool](repeating: false, count: graph.blocks.count)
        for start in tree.order where !isHead[start.number] {
            var heads: [BlockID] = []
            var head = start
            while let exit = next[head.number], let part = Self.part(from: head, to: exit, in: graph),
                part.blocks.allSatisfy({ tree.dominates(head, $0) })
            {
                heads.append(head)
                isHead[head.number] = true
                head = exit
                guard tree.dominates(heads[heads.count - 1], exit) else { break }
            }
            if heads.count > 1 { sequences.append(Sequence(heads: heads, end: head)) }
        }
    }

    /// The parts of a row as they are now, or nil if one cannot be moved.
    static func parts(of sequence: Sequence, in graph: Graph) -> [Part]? {
        var parts: [Part] = []
        for (head, exit) in zip(sequence.heads, sequence.heads.dropFirst() + [sequence.end]) {
            guard let part = part(from: head, to: exit, in: graph) else { return nil }
            parts.append(part)
        }
        return parts
    }

    /// The blocks from `head` on up to `exit`, or nil where some way leads elsewhere, there are too many, or one does
    /// what must not be moved.
    private static func part(from head: BlockID, to exit: BlockID, in graph: Graph) -> Part? {
        guard graph.blocks[exit.number].parameters.isEmpty, !graph.isFailure(exit) else { return nil }
        var blocks = [head]
        var seen: Set<BlockID> = [head]
        var place = 0
        while place < blocks.count {
            let block = graph.blocks[blocks[place].number]
            place += 1
            if case .return = block.terminator { return nil }
            guard block.instructions.allSatisfy({ graph.instruction($0)!.isMovable }) else { return nil }
            for target in block.terminator.targets where target != exit && !graph.isFailure(target) {
                guard seen.insert(target).inserted else { continue }
                blocks.append(target)
                if blocks.count > mostBlocks { return nil }
            }
        }
        return Part(head: head, blocks: blocks, exit: exit)
    }

    /// By block, the nearest one that all ways on go through but those that fail, or nil.
    private static func meetings(in graph: Graph, _ tree: DominatorTree) -> [BlockID?] {
        var places = [Int](repeating: 0, count: graph.blocks.count)
        for (place, block) in tree.order.enumerated() { places[block.number] = place }
        var next = [BlockID?](repeating: nil, count: graph.blocks.count)
        func meeting(_ left: BlockID, _ right: BlockID) -> BlockID? {
            var (left, right) = (left, right)
            for _ in 0..<mostBlocks {
                if left == right { return left }
                let behind = places[left.number] < places[right.number] ? next[left.number] : next[right.number]
                guard let behind else { return nil }
                if places[left.number] < places[right.number] { left = behind } else { right = behind }
            }
            return nil
        }
        for id in tree.order.reversed() {
            let ways = graph.blocks[id.number].terminator.targets.filter { !graph.isFailure($0) }
            guard let first = ways.first else { continue }
            next[id.number] = ways.count == 1 ? first : meeting(first, ways[1])
        }
        return next
    }
}

extension Graph {
    /// Whether a block does nothing but end the filter as a failed requirement does.
    func isFailure(_ id: BlockID) -> Bool {
        guard blocks[id.number].parameters.isEmpty, case .return(let value) = blocks[id.number].terminator else {
            return false
        }
        return instruction(value)?.constant == failure
            && blocks[id.number].instructions.allSatisfy { instruction($0)?.constant != nil }
    }
}

extension Graph.Instruction {
    /// Whether it may be computed earlier or later: a random number is another one each time, and a packet without an
    /// interface may end the filter with another number.
    fileprivate var isMovable: Bool {
        if case .requireInterface = self { false } else { isRepeatable }
    }
}
