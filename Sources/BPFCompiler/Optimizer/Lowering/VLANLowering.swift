import ClassicBPF

/// Shows a filter the packet in a view of its outer VLAN tag, without a copy of it.
///
/// The filter is there twice behind a branch at the start: for packets that are as the view shows them, and for those
/// whose tag stands elsewhere, with every address moved to where the byte really is. Addresses are lowered on the way.
///
/// - Precondition: Each load stands right behind its requirement, as the builder puts them.
struct VLANLowering {
    /// The filter for packets that are as the view shows them.
    private let graph: Graph
    private let view: VLANView
    private let hook: Hook
    private let areas: AddressLowering.Areas
    /// Whether the verifier walks through every round of a loop.
    private let areFollowed: Bool

    static func run(
        on graph: inout Graph, _ view: VLANView, _ hook: Hook, _ areas: AddressLowering.Areas, areFollowed: Bool = true
    ) -> [String] {
        let lowering = VLANLowering(graph: graph, view: view, hook: hook, areas: areas, areFollowed: areFollowed)
        let specialized = lowering.specialized()
        guard let specialized else {
            AddressLowering.run(on: &graph, areas, areFollowed: areFollowed)
            return []
        }
        graph = specialized
        return ["made two of the filter, for packets with a VLAN tag and without"]
    }

    /// Whether the hook can have a tag beside the bytes.
    private var hasTagBesideBytes: Bool { hook.extensions.contains(.vlanAvail) }

    /// The filter in both forms, addresses lowered, or nil where one does for all packets.
    private func specialized() -> Graph? {
        guard view.movesBytes(on: hook), let other = moved(view == .wire ? .backIn : .out) else { return nil }
        var joined = Graph()
        joined.failure = graph.failure
        // Where the verifier walks through every round, it does better with the kernel's instructions.
        func keepRounds(from entry: BlockID) {
            if areFollowed { return }
            for (header, count) in graph.rounds { joined.rounds[BlockID(number: entry.number + header.number)] = count }
        }
        _ = joined.appendBlock(origin: 0)
        let plainEntry = joined.append(contentsOf: lowersAddressesFirst ? addressLowered(graph, areas) : graph)
        let otherEntry = joined.append(contentsOf: other)
        keepRounds(from: plainEntry)
        keepRounds(from: otherEntry)
        if view == .wire {
            branch(from: .entry, ifTagIsBeside: otherEntry, else: plainEntry, in: &joined)
        } else {
            var block = BlockID.entry
            if hasTagBesideBytes {
                block = joined.appendBlock(origin: 0)
                branch(from: .entry, ifTagIsBeside: plainEntry, else: block, in: &joined)
            }
            branch(from: block, ifTagIsInBytes: otherEntry, else: plainEntry, in: &joined)
        }
        if !lowersAddressesFirst { AddressLowering.run(on: &joined, areas, areFollowed: areFollowed) }
        return joined
    }

    // MARK: The filter for moved bytes

    /// The filter for packets of which a tag is put back or taken out, or nil if it is the same.
    private func moved(_ tag: TagMovement) -> Graph? {
        var other = graph
        if lowersAddressesFirst { other = addressLowered(other, areas.moved(by: tag)) }
        let ranges = areFollowed ? RangeAnalysis(other) : LoopRanges.analysis(of: other)
        return TagAddresses.move(in: &other, tag, hasAreas: !lowersAddressesFirst, ranges) ? other : nil
    }

    /// Whether addresses in the header areas are plain ones, relative to the packet that is shown, before they are
    /// moved. The kernel's instructions know the areas of the packet that is there instead.
    private var lowersAddressesFirst: Bool {
        if case .offsets = areas { true } else { false }
    }

    private func addressLowered(_ graph: Graph, _ areas: AddressLowering.Areas) -> Graph {
        var graph = graph
        AddressLowering.run(on: &graph, areas)
        return graph
    }

    // MARK: The choice

    private func branch(from block: BlockID, ifTagIsBeside tagged: BlockID, else other: BlockID, in graph: inout Graph)
    {
        let isThere = graph.append(.metadata(.vlanAvail), to: block)
        let zero = graph.append(.constant(0), to: block)
        graph.blocks[block.number].terminator = .branch(
            .equal, isThere, zero, then: Edge(target: other), otherwise: Edge(target: tagged))
    }

    private func branch(
        from block: BlockID, ifTagIsInBytes tagged: BlockID, else other: BlockID, in graph: inout Graph
    ) {
        var block = block
        // A packet without a type has no tag; where it makes the filter fail anyway, the load may do so.
        if self.graph.demandedLength < 14 {
            let length = graph.append(.length, to: block)
            let header = graph.append(.constant(14), to: block)
            let next = graph.appendBlock(origin: 0)
            graph.blocks[block.number].terminator = .branch(
                .greaterOrEqual, length, header, then: Edge(target: next), otherwise: Edge(target: other))
            block = next
        }
        let address = Graph.Address(index: nil, offset: 12)
        graph.append(.requireBytes(.half, address), to: block)
        let type = graph.append(.load(.half, address), to: block)
        let next = graph.appendBlock(origin: 0)
        let customer = graph.append(.constant(0x8100), to: block)
        graph.blocks[block.number].terminator = .branch(
            .equal, type, customer, then: Edge(target: tagged), otherwise: Edge(target: next))
        let service = graph.append(.constant(0x88a8), to: next)
        graph.blocks[next.number].terminator = .branch(
            .equal, type, service, then: Edge(target: tagged), otherwise: Edge(target: other))
    }
}

extension AddressLowering.Areas {
    /// The areas of a packet as it is shown when its tag is put back or taken out.
    fileprivate func moved(by tag: TagMovement) -> AddressLowering.Areas {
        guard case .offsets(let linkLayer, let network) = self, tag == .backIn else { return self }
        return .offsets(linkLayer: linkLayer, network: network + 4)
    }
}

extension Graph {
    /// The least number of bytes that packets have for which the filter does not fail.
    ///
    /// Only requirements of constant addresses count, so there may be more.
    fileprivate var demandedLength: UInt32 {
        let tree = DominatorTree(self)
        // By block, what is demanded from its start on; ways back of loops demand nothing less than ways on.
        var demands = [UInt32](repeating: .max, count: blocks.count)
        for id in tree.order.reversed() {
            let block = blocks[id.number]
            var demand = block.terminator.edges.map { demands[$0.target.number] }.min() ?? 0
            if case .return(let value) = block.terminator, instruction(value)?.constant == failure { demand = .max }
            for value in block.instructions.reversed() {
                switch instruction(value)! {
                case .requireBytes(let size, let address) where address.index == nil && address.offset < 0x8000_0000:
                    demand = max(demand, address.offset + size.rawValue)
                // It may end the filter with another number.
                case .requireInterface: demand = 0
                default: break
                }
            }
            demands[id.number] = demand
        }
        return demands[BlockID.entry.number]
    }
}
