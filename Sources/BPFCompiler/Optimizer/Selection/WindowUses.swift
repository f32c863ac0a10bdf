import ClassicBPF

/// When the windows of a graph hold bytes that are still read, as stretches of the program, and what is read of them.
///
/// A window is held from a check of it, which copies it, to the last load or further check that some way leads to.
struct WindowUses {
    /// All windows, in the order they are first asked for.
    private(set) var windows: [Graph.Window] = []

    private var ends: [Graph.Window: UInt32] = [:]
    private var loads: [Graph.Window: [Load]] = [:]
    /// In ascending order; the program's instructions are counted in the order of blocks.
    private var stretches: [Graph.Window: [Range<Int>]] = [:]

    typealias Load = (size: Operation.Size, offset: UInt32)

    /// What a block does with a window, by the moments of its instructions.
    private struct BlockUse {
        var firstCheck: Int?
        var last: Int
    }

    /// Finds the uses of all windows of `graph`.
    ///
    /// - Complexity: O(*n*) in the number of instructions, plus the number of blocks each window is held in.
    init(_ graph: Graph) {
        let order = DominatorTree(graph).order
        for id in order {
            for value in graph.blocks[id.number].instructions {
                guard case .requireEnd(let window, let end)? = graph.instruction(value) else { continue }
                if ends[window] == nil { windows.append(window) }
                ends[window] = max(ends[window] ?? 0, end)
            }
        }
        var uses: [Graph.Window: [BlockID: BlockUse]] = [:]
        var moments = [Range<Int>](repeating: 0..<0, count: graph.blocks.count)
        var moment = 0
        for id in order {
            let start = moment
            for value in graph.blocks[id.number].instructions {
                moment += 1
                switch graph.instruction(value)! {
                case .requireEnd(let window, _):
                    uses[window, default: [:]][id, default: BlockUse(firstCheck: moment, last: moment)].last = moment
                case .load(let size, let address), .rawLoad(let size, let address):
                    let load = Graph.Load(size: size, address: address)
                    guard let window = graph.windows[load], ends[window] != nil else { continue }
                    loads[window, default: []].append((size, address.offset))
                    uses[window, default: [:]][id, default: BlockUse(last: moment)].last = moment
                default: break
                }
            }
            moment += 1
            moments[id.number] = start..<moment
        }
        let predecessors = graph.predecessors
        for window in windows {
            let held = Self.blocksHolding(uses[window]!, at: graph, predecessors)
            stretches[window] = Self.stretches(uses[window]!, held, moments)
        }
    }

    /// How far `window` is asked for at most.
    func end(of window: Graph.Window) -> UInt32 { ends[window]! }

    /// What is loaded from `window`, once for each load.
    func loads(from window: Graph.Window) -> [Load] { loads[window] ?? [] }

    /// Whether both windows are held at some moment.
    func overlap(_ left: Graph.Window, _ right: Graph.Window) -> Bool {
        let (left, right) = (stretches[left]!, stretches[right]!)
        var place = 0
        for stretch in left {
            while place < right.count, right[place].upperBound <= stretch.lowerBound { place += 1 }
            if place == right.count { return false }
            if right[place].lowerBound < stretch.upperBound { return true }
        }
        return false
    }

    // MARK: One window

    /// The blocks that a window comes into with its bytes, and those that leave with them.
    private static func blocksHolding(
        _ uses: [BlockID: BlockUse], at graph: Graph, _ predecessors: [[BlockID]]
    ) -> (start: Set<BlockID>, end: Set<BlockID>) {
        let checks = uses.filter { $0.value.firstCheck != nil }.map(\.key)
        // Where there is one check, it stands in front of all loads; where there are several, it is one of those.
        let checked = checks.count == 1 ? nil : blocks(behind: checks, in: graph)
        var start: Set<BlockID> = []
        var end: Set<BlockID> = []
        var pending = uses.keys.filter { checked?.contains($0) ?? ($0 != checks[0]) }
        start.formUnion(pending)
        while let block = pending.popLast() {
            for before in predecessors[block.number] {
                guard uses[before]?.firstCheck != nil || checked?.contains(before) ?? true else { continue }
                end.insert(before)
                if checked?.contains(before) ?? (before != checks[0]), start.insert(before).inserted {
                    pending.append(before)
                }
            }
        }
        return (start, end)
    }

    /// The blocks that some way from the end of one of `starts` leads to.
    private static func blocks(behind starts: [BlockID], in graph: Graph) -> Set<BlockID> {
        var reached: Set<BlockID> = []
        var pending = starts
        while let block = pending.popLast() {
            for edge in graph.blocks[block.number].terminator.edges where reached.insert(edge.target).inserted {
                pending.append(edge.target)
            }
        }
        return reached
    }

    private static func stretches(
        _ uses: [BlockID: BlockUse], _ held: (start: Set<BlockID>, end: Set<BlockID>), _ moments: [Range<Int>]
    ) -> [Range<Int>] {
        Set(uses.keys).union(held.start).union(held.end).compactMap { block in
            let whole = moments[block.number]
            let use = uses[block]
            guard let start = held.start.contains(block) ? whole.lowerBound : use?.firstCheck else { return nil }
            let end = held.end.contains(block) ? whole.upperBound : use.map { $0.last + 1 } ?? start
            return start < end ? start..<end : nil
        }.sorted { $0.lowerBound < $1.lowerBound }
    }
}
