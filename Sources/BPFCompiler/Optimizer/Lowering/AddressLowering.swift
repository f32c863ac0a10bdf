import ClassicBPF

/// Makes every load one from a plain offset into the packet, or an instruction that knows the header areas.
///
/// A classic address is a 32-bit sum; from 2³¹ on it lies in one of the header areas or nowhere. Where the sum cannot
/// reach 2³¹, nothing is to be done. Elsewhere the hook decides: it has the kernel's own instructions for classic loads,
/// or its headers begin at known places, so that an address in an area is one in the packet after a subtraction.
///
/// - Precondition: Each load stands right behind its requirement, as the builder puts them.
struct AddressLowering {
    /// How a hook reaches the header areas.
    enum Areas: Hashable, Sendable {
        /// A load at any address knows them.
        case classicLoads(by: Graph.AreaReader)
        /// The link-layer header is at `linkLayer`, nil where there is none, and the network header at `network`.
        case offsets(linkLayer: UInt32?, network: UInt32)
    }

    private let areas: Areas
    private var graph: Graph
    private let ranges: RangeAnalysis

    /// - Parameter areFollowed: Whether the verifier walks through every round of a loop.
    static func run(on graph: inout Graph, _ areas: Areas, areFollowed: Bool = true) {
        // It does better with the kernel's instructions then, which are one way only.
        let isOneWay = if case .classicLoads(by: .instruction) = areas { true } else { false }
        let ranges = isOneWay && areFollowed ? RangeAnalysis(graph) : LoopRanges.analysis(of: graph)
        var lowering = AddressLowering(areas: areas, graph: graph, ranges: ranges)
        lowering.run()
        graph = lowering.graph
    }

    private mutating func run() {
        // Splitting appends blocks, which are visited in turn.
        var number = 0
        while number < graph.blocks.count {
            let block = BlockID(number: number)
            number += 1
            while let place = firstPlaceToLower(in: block) { lower(at: place, in: block) }
        }
    }

    private func firstPlaceToLower(in block: BlockID) -> Int? {
        graph.blocks[block.number].instructions.firstIndex { value in
            if case .requireBytes(_, let address)? = graph.instruction(value) { !isPlain(address) } else { false }
        }
    }

    /// Whether the address lies in the packet, if anywhere, as it stands.
    private func isPlain(_ address: Graph.Address) -> Bool {
        guard let index = address.index else { return address.offset < Self.firstArea }
        // A value that this lowering made is below 2³¹.
        guard index.number < knownValues else { return true }
        let (sum, overflows) = ranges[index].bounds.upperBound.addingReportingOverflow(address.offset)
        return !overflows && sum < Self.firstArea
    }

    private var knownValues: Int { ranges.count }
    private static let firstArea: UInt32 = 0x8000_0000

    private mutating func lower(at place: Int, in block: BlockID) {
        let requirement = graph.blocks[block.number].instructions[place]
        guard case .requireBytes(let size, let address)? = graph.instruction(requirement) else { return }
        let next = place + 1
        let load =
            graph.blocks[block.number].instructions.indices.contains(next)
            ? graph.blocks[block.number].instructions[next] : nil
        let isLoaded = load.map { graph.instruction($0) == .load(size, address) } ?? false
        switch areas {
        case .classicLoads(let reader):
            // The load, which stands behind it, becomes both.
            if isLoaded {
                graph.redefine(load!, as: .classicLoad(size, address, by: reader))
                graph.blocks[block.number].instructions.remove(at: place)
            } else {
                graph.redefine(requirement, as: .classicLoad(size, address, by: reader))
            }
        case .offsets(let linkLayer, let network):
            let rest = graph.split(block, at: place)
            let plain = Graph.Address(
                index: resolve(address, linkLayer, network, from: block, to: rest, graph.origins[requirement.number]),
                offset: 0)
            graph.redefine(requirement, as: .requireBytes(size, plain))
            if isLoaded { graph.redefine(load!, as: .load(size, plain)) }
        }
    }

    /// Lets `block` find the plain offset of `address` and hand it to `rest`, whose parameter for it is returned.
    private mutating func resolve(
        _ address: Graph.Address, _ linkLayer: UInt32?, _ network: UInt32, from block: BlockID, to rest: BlockID,
        _ origin: Int
    ) -> Value {
        func constant(_ number: UInt32, in block: BlockID) -> Value {
            graph.append(.constant(number), to: block, origin: origin)
        }
        let offset = graph.addParameter(to: rest)
        let base = constant(address.offset, in: block)
        let sum =
            address.index.map {
                graph.append(.arithmetic(.add, $0, base), to: block, origin: origin)
            } ?? base
        // Changes nothing where it is passed on, and tells later passes that the sum is below 2³¹ there.
        let plain = graph.append(
            .arithmetic(.and, sum, constant(Self.firstArea - 1, in: block)), to: block, origin: origin)
        let area = graph.appendBlock(origin: origin)
        graph.blocks[block.number].terminator = .branch(
            .greaterOrEqual, sum, constant(Self.firstArea, in: block), then: Edge(target: area),
            otherwise: Edge(target: rest, arguments: [plain]))

        // Below both areas there is nothing.
        let end = graph.appendBlock(origin: origin)
        graph.blocks[end.number].terminator = .return(constant(graph.failure, in: end))
        let start = linkLayer == nil ? HeaderArea.network.rawValue : HeaderArea.linkLayer.rawValue
        let inArea = graph.appendBlock(origin: origin)
        graph.blocks[area.number].terminator = .branch(
            .greaterOrEqual, sum, constant(start, in: area), then: Edge(target: inArea),
            otherwise: Edge(target: end))
        let distance = graph.append(
            .arithmetic(.and, sum, constant(0x000f_ffff, in: inArea)), to: inArea, origin: origin)
        let inNetwork = graph.append(
            .arithmetic(.add, distance, constant(network, in: inArea)), to: inArea, origin: origin)
        let inLinkLayer = linkLayer.map {
            graph.append(.arithmetic(.add, distance, constant($0, in: inArea)), to: inArea, origin: origin)
        }
        graph.blocks[inArea.number].terminator =
            if let inLinkLayer {
                .branch(
                    .greaterOrEqual, sum, constant(HeaderArea.network.rawValue, in: inArea),
                    then: Edge(target: rest, arguments: [inNetwork]),
                    otherwise: Edge(target: rest, arguments: [inLinkLayer]))
            } else {
                .jump(Edge(target: rest, arguments: [inNetwork]))
            }
        return offset
    }
}
