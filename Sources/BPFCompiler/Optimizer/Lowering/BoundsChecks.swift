import ClassicBPF

/// Makes of the requirements of single loads as few checks as there can be: each asks at once for all that every way
/// on from there either asks for too or fails.
///
/// Loads behind the same index form a *window*; within one only how far the packet reaches is asked.
///
/// - Precondition: Addresses have been lowered.
struct BoundsChecks {
    /// What a hook asks of windows and packets.
    struct Limits: Hashable, Sendable {
        /// The most bytes from the first to the last of a window, at least 4.
        var windowSize: UInt32
        /// The most bytes a packet can have.
        var packetSize: UInt32
        /// Whether a window holds only loads that are all aligned when one of them is.
        var aligned: Bool
    }

    private let limits: Limits
    private var graph: Graph
    private let tree: DominatorTree
    private let predecessors: [[BlockID]]
    private var merged = 0

    /// Replaces every `requireBytes` of `graph`.
    ///
    /// - Complexity: O(*n*) times the number of windows with more than one requirement.
    static func run(on graph: inout Graph, _ limits: Limits) -> [String] {
        var checks = BoundsChecks(
            limits: limits, graph: graph, tree: DominatorTree(graph), predecessors: graph.predecessors)
        checks.run()
        checks.endWhereNothingReaches()
        graph = checks.graph
        return checks.merged == 0 ? [] : ["made \(checks.merged) checks part of others"]
    }

    private init(limits: Limits, graph: Graph, tree: DominatorTree, predecessors: [[BlockID]]) {
        self.limits = limits
        self.graph = graph
        self.tree = tree
        self.predecessors = predecessors
    }

    private mutating func run() {
        let places = requirements()
        for (index, offsets) in places.sorted(by: { ($0.key?.number ?? -1) < ($1.key?.number ?? -1) }) {
            for window in windows(of: offsets) {
                let key = Graph.Window(index: index, start: window.start)
                for member in window.members {
                    if case .requireBytes(let size, let address)? = graph.instruction(member.requirement) {
                        graph.windows[Graph.Load(size: size, address: address)] = key
                    }
                    graph.redefine(member.requirement, as: .requireEnd(key, member.offset + member.size))
                }
                if window.members.count > 1 { merge(key) }
            }
        }
    }

    /// Lets the filter fail at once where more is asked for than any packet has.
    private mutating func endWhereNothingReaches() {
        for id in tree.order {
            let place = graph.blocks[id.number].instructions.firstIndex { value in
                if case .requireEnd(_, let end)? = graph.instruction(value) { end > limits.packetSize } else { false }
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

    private func windows(of requirements: [Member]) -> [Stretch] {
        var result: [Stretch] = []
        for member in requirements.sorted(by: { ($0.offset, $0.size) < ($1.offset, $1.size) }) {
            let place = result.lastIndex { $0.takes(member, limits) }
            if let place {
                result[place].add(member)
            } else {
                result.append(Stretch(member))
            }
        }
        return result
    }

    /// A window being put together.
    private struct Stretch {
        let start: UInt32
        var members: [Member] = []
        /// The widest load so far, and its offset modulo its width.
        private var width: UInt32 = 1
        private var phase: UInt32 = 0

        init(_ member: Member) {
            start = member.offset
            add(member)
        }

        func takes(_ member: Member, _ limits: Limits) -> Bool {
            let common = min(width, member.size)
            return member.offset + member.size - start <= limits.windowSize
                && (!limits.aligned || member.offset % common == phase % common)
        }

        mutating func add(_ member: Member) {
            members.append(member)
            guard member.size > width else { return }
            width = member.size
            phase = member.offset % member.size
        }
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
        if case .loop = terminator { return .end(0) }
        return terminator.edges.map { atEntry[$0.target.number] }.min() ?? .failure
    }
}
