import ClassicBPF

/// Makes of the requirements of single loads as few checks as there can be: each asks at once for all that every way
/// on from there either asks for too or fails.
///
/// Loads behind the same index form a *window*; within one only how far the packet reaches is asked.
///
/// - Precondition: Addresses have been lowered.
struct BoundsChecks {
    /// The most bytes from the first to the last of a window behind an index.
    private let windowSize: UInt32
    /// The same for windows at a fixed place.
    private let fixedWindowSize: UInt32
    private var graph: Graph
    private let tree: DominatorTree
    private let predecessors: [[BlockID]]
    private var merged = 0

    /// Replaces every `requireBytes` of `graph`.
    ///
    /// - Parameters:
    ///   - windowSize: The most bytes from the first to the last of a window behind an index, at least 4.
    ///   - fixedWindowSize: The same for windows at a fixed place.
    ///   - packetSize: The most bytes a packet can have.
    /// - Complexity: O(*n*) times the number of windows with more than one requirement.
    static func run(
        on graph: inout Graph, windowSize: UInt32, fixedWindowSize: UInt32, packetSize: UInt32
    ) -> [String] {
        var checks = BoundsChecks(
            windowSize: windowSize, fixedWindowSize: fixedWindowSize, graph: graph, tree: DominatorTree(graph), predecessors: graph.predecessors)
        checks.run()
        checks.endWhereNothingReaches(packetSize)
        graph = checks.graph
        return checks.merged == 0 ? [] : ["made \(checks.merged) checks part of others"]
    }

    private init(
        windowSize: UInt32, fixedWindowSize: UInt32, graph: Graph, tree: DominatorTree, predecessors: [[BlockID]]
    ) {
        self.windowSize = windowSize
        self.fixedWindowSize = fixedWindowSize
        self.graph = graph
        self.tree = tree
        self.predecessors = predecessors
    }

    private mutating func run() {
        let places = requirements()
        for (index, offsets) in places.sorted(by: { ($0.key?.number ?? -1) < ($1.key?.number ?? -1) }) {
            for window in windows(of: offsets, spanning: index == nil ? fixedWindowSize : windowSize) {
                let key = Graph.Window(index: index, start: window.start)
                for member in window.members {
                    graph.redefine(member.requirement, as: .requireEnd(key, member.offset + member.size))
                }
                if window.members.count > 1 { merge(key) }
            }
        }
    }

    /// Lets the filter fail at once where more is asked for than any packet has.
    private mutating func endWhereNothingReaches(_ packetSize: UInt32) {
        for id in tree.order {
            let place = graph.blocks[id.number].instructions.firstIndex { value in
                if case .requireEnd(_, let end)? = graph.instruction(value) { end > packetSize } else { false }
            }
            guard let place else { continue }
            graph.blocks[id.number].terminatorOrigin = graph.origins[graph.blocks[id.number].instructions[place].number]
            graph.blocks[id.number].instructions.removeSubrange(place...)
            graph.blocks[id.number].terminator = .return(graph.append(.constant(graph.failure), to: id))
        }
    }

    private typealias Member = (requirement: Value, offset: UInt32, size: UInt32)

    /// By index, the requirements of loads behind it.
    private func requirements() -> [Value?: [Member]] {
        var result: [Value?: [Member]] = [:]
        for id in tree.order {
            for value in graph.blocks[id.number].instructions {
                guard case .requireBytes(let size, let address)? = graph.instruction(value) else { continue }
                result[address.index, default: []].append((value, address.offset, size.rawValue))
            }
        }
        return result
    }

    private func windows(of requirements: [Member], spanning size: UInt32) -> [(start: UInt32, members: [Member])] {
        var result: [(start: UInt32, members: [Member])] = []
        for member in requirements.sorted(by: { ($0.offset, $0.size) < ($1.offset, $1.size) }) {
            if let last = result.last, member.offset + member.size - last.start <= size {
                result[result.count - 1].members.append(member)
            } else {
                result.append((member.offset, [member]))
            }
        }
        return result
    }

    // MARK: One window

    /// What is certain to be asked for on every way that does not fail: the end of the window, or that all ways fail.
    private enum Demand: Comparable {
        case end(UInt32)
        case failure
    }

    private mutating func merge(_ window: Graph.Window) {
        let demands = demandsBehindRequirements(of: window)
        var checked = [UInt32](repeating: 0, count: graph.blocks.count)
        for id in tree.order {
            // Ways back of a loop come from blocks behind this one, where nothing less is known.
            let ways = predecessors[id.number].filter { !tree.dominates(id, $0) }
            var known = ways.map { checked[$0.number] }.min() ?? 0
            var kept: [Value] = []
            for value in graph.blocks[id.number].instructions {
                if case .requireEnd(window, let end)? = graph.instruction(value) {
                    guard end > known else {
                        merged += 1
                        continue
                    }
                    known = end
                    if case .end(let demanded)? = demands[value], demanded > end { known = demanded }
                    graph.redefine(value, as: .requireEnd(window, known))
                }
                kept.append(value)
            }
            graph.blocks[id.number].instructions = kept
            checked[id.number] = known
        }
    }

    /// By requirement of the window, what is demanded behind it.
    private func demandsBehindRequirements(of window: Graph.Window) -> [Value: Demand] {
        var atRequirement: [Value: Demand] = [:]
        var atEntry = [Demand](repeating: .failure, count: graph.blocks.count)
        var hasChanged = true
        // Once, and again where there are loops, until nothing changes.
        while hasChanged {
            hasChanged = false
            for id in tree.order.reversed() {
                var demand = demandAtEnd(of: id, atEntry)
                let block = graph.blocks[id.number]
                for value in block.instructions.reversed() {
                    if case .requireEnd(window, let end)? = graph.instruction(value) {
                        atRequirement[value] = demand
                        demand = demand == .failure ? .end(end) : max(demand, .end(end))
                    }
                    // Before its index is computed the window is another one.
                    if value == window.index { demand = .end(0) }
                }
                if let index = window.index, block.parameters.contains(index) { demand = .end(0) }
                if atEntry[id.number] != demand {
                    atEntry[id.number] = demand
                    hasChanged = !tree.isAcyclic
                }
            }
        }
        return atRequirement
    }

    private func demandAtEnd(of id: BlockID, _ atEntry: [Demand]) -> Demand {
        let terminator = graph.blocks[id.number].terminator
        if case .return(let value) = terminator {
            return graph.instruction(value)?.constant == graph.failure ? .failure : .end(0)
        }
        return terminator.edges.map { atEntry[$0.target.number] }.min() ?? .failure
    }
}
