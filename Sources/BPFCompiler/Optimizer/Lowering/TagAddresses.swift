import ClassicBPF

/// How the packet a filter is shown differs from the one that is there.
enum TagMovement: Hashable, Sendable {
    /// The shown packet has a tag at 12 to 16 that the other has beside its bytes.
    case backIn
    /// The other packet has a tag there that the shown one has not.
    case out

    /// The offset from which on bytes of the shown packet stand elsewhere in the other.
    fileprivate var end: UInt32 { self == .backIn ? 16 : 12 }
    /// How much further on they are, modulo 2³².
    fileprivate var distance: UInt32 { self == .backIn ? 0 &- 4 : 4 }
}

/// Moves the addresses of a filter from the packet it is shown to the one that is there.
///
/// Loads in front of the tag stay, those behind it move by its 4 bytes, and what is of both, or of the tag itself, is put
/// together from parts. Behind an index that is decided by a comparison, where the ranges of values leave it open.
struct TagAddresses {
    private let tag: TagMovement
    /// Whether addresses from 2³¹ on mean the header areas.
    private let hasAreas: Bool
    private var graph: Graph
    private let ranges: RangeAnalysis
    /// The tag's protocol identifier and control information.
    private var protocolIdentifier: Value?
    private var controlInformation: Value?
    private var replacements: Replacements
    private var hasChanged = false

    /// Moves the addresses of `graph`, and returns whether that changed any.
    ///
    /// - Precondition: Nothing leads to the entry of `graph`; addresses are in the packet, or in the areas if `hasAreas`.
    static func move(in graph: inout Graph, _ tag: TagMovement, hasAreas: Bool) -> Bool {
        var addresses = TagAddresses(tag: tag, hasAreas: hasAreas, graph: graph, ranges: RangeAnalysis(graph))
        addresses.run()
        graph = addresses.graph
        return addresses.hasChanged
    }

    private init(tag: TagMovement, hasAreas: Bool, graph: Graph, ranges: RangeAnalysis) {
        self.tag = tag
        self.hasAreas = hasAreas
        self.graph = graph
        self.ranges = ranges
        replacements = Replacements(in: graph)
    }

    private mutating func run() {
        if tag == .backIn {
            let identifier = graph.makeInstruction(.metadata(.vlanTPID), origin: 0)
            let information = graph.makeInstruction(.metadata(.vlanTCI), origin: 0)
            graph.blocks[BlockID.entry.number].instructions.insert(contentsOf: [identifier, information], at: 0)
            (protocolIdentifier, controlInformation) = (identifier, information)
        }
        // Splitting appends blocks, which are visited in turn.
        var number = 0
        while number < graph.blocks.count {
            move(in: BlockID(number: number))
            number += 1
        }
        graph.replaceUses(replacements)
    }

    private mutating func move(in block: BlockID) {
        var place = 0
        while place < graph.blocks[block.number].instructions.count {
            let value = graph.blocks[block.number].instructions[place]
            place += 1
            // What this made reads the packet that is there.
            guard value.number < ranges.count else { continue }
            switch graph.instruction(value)! {
            case .length:
                let instructions = movedLength(value)
                graph.blocks[block.number].instructions.insert(contentsOf: instructions, at: place - 1)
                place += instructions.count
            case .search(.poff, _, _):
                let instructions = movedPayload(value)
                graph.blocks[block.number].instructions.insert(contentsOf: instructions, at: place - 1)
                place += instructions.count
            case .requireBytes(let size, let address):
                switch part(of: size, at: address) {
                case .front: break
                case .behind: moveLoad(at: place - 1, in: block, size, address)
                case .within, .open:
                    putTogether(at: place - 1, in: block, size, address)
                    // The rest of the block is another one now.
                    return
                }
            default: break
            }
        }
    }

    /// Makes `length` that of the shown packet, by the instructions returned, which go in front of it.
    private mutating func movedLength(_ length: Value) -> [Value] {
        let origin = graph.origins[length.number]
        let real = graph.makeInstruction(.length, origin: origin)
        let difference = graph.makeInstruction(.constant(0 &- tag.distance), origin: origin)
        graph.redefine(length, as: .arithmetic(.add, real, difference))
        hasChanged = true
        return [real, difference]
    }

    /// Makes `payload` its offset in the shown packet, as ``movedLength(_:)`` does; 0 stays 0, which says that there is
    /// none.
    private mutating func movedPayload(_ payload: Value) -> [Value] {
        let origin = graph.origins[payload.number]
        var made: [Value] = []
        func make(_ instruction: Graph.Instruction) -> Value {
            made.append(graph.makeInstruction(instruction, origin: origin))
            return made.last!
        }
        let real = make(graph.instruction(payload)!)
        // The number or its negative has the highest bit set unless it is 0.
        let negative = make(.arithmetic(.subtract, make(.constant(0)), real))
        let sign = make(.arithmetic(.or, real, negative))
        let isThere = make(.arithmetic(.shiftRight, sign, make(.constant(31))))
        let difference = make(.arithmetic(.multiply, isThere, make(.constant(0 &- tag.distance))))
        graph.redefine(payload, as: .arithmetic(.add, real, difference))
        hasChanged = true
        return made
    }

    // MARK: Where a load reads

    private enum Part {
        /// In front of the tag, or where the tag makes no difference.
        case front
        /// Wholly behind the tag.
        case behind
        /// Of the tag, or of bytes in front of it and behind.
        case within
        /// It depends on the index.
        case open
    }

    private func part(of size: Operation.Size, at address: Graph.Address) -> Part {
        guard let index = address.index else {
            let (area, offset) = areaAndOffset(address.offset)
            if area == HeaderArea.network.rawValue || offset >= Self.farthest(in: area) { return .front }
            return part(of: size, at: offset)
        }
        let bounds = ranges[index].bounds
        let (high, overflows) = bounds.upperBound.addingReportingOverflow(address.offset)
        guard !overflows, high < Self.firstArea else { return .open }
        let first = part(of: size, at: bounds.lowerBound + address.offset)
        let last = part(of: size, at: high)
        // To be behind, it must be possible to take the distance off the constant.
        let canMove = tag == .out || address.offset >= 4
        return first == last && first != .within && (first == .front || canMove) ? first : .open
    }

    private func part(of size: Operation.Size, at offset: UInt32) -> Part {
        if offset + size.rawValue <= 12 { return .front }
        return offset >= tag.end ? .behind : .within
    }

    /// The start of the area an address is in, 0 for the packet itself or where there is none, and the offset there.
    private func areaAndOffset(_ address: UInt32) -> (area: UInt32, offset: UInt32) {
        guard hasAreas, let area = HeaderArea(offset: address)?.rawValue else { return (0, address) }
        return (area, address - area)
    }

    /// From here on no packet has bytes, so that loads need not be moved, nor get out of their area.
    private static func farthest(in area: UInt32) -> UInt32 { area == 0 ? 0x7fff_0000 : 0xf_ff00 }
    private static let firstArea: UInt32 = 0x8000_0000

    // MARK: Moving

    /// The load behind a requirement at `place`, if it is there.
    private func load(behind place: Int, in block: BlockID) -> Value? {
        let instructions = graph.blocks[block.number].instructions
        guard case .requireBytes(let size, let address)? = graph.instruction(instructions[place]),
            place + 1 < instructions.count, graph.instruction(instructions[place + 1]) == .load(size, address)
        else { return nil }
        return instructions[place + 1]
    }

    private mutating func moveLoad(
        at place: Int, in block: BlockID, _ size: Operation.Size, _ address: Graph.Address
    ) {
        let moved = Graph.Address(index: address.index, offset: address.offset &+ tag.distance)
        if let load = load(behind: place, in: block) { graph.redefine(load, as: .load(size, moved)) }
        graph.redefine(graph.blocks[block.number].instructions[place], as: .requireBytes(size, moved))
        hasChanged = true
    }

    /// Replaces a requirement and its load by what finds the same number in the packet that is there.
    private mutating func putTogether(
        at place: Int, in block: BlockID, _ size: Operation.Size, _ address: Graph.Address
    ) {
        hasChanged = true
        let load = load(behind: place, in: block)
        let origin = graph.origins[graph.blocks[block.number].instructions[place].number]
        let rest = graph.split(block, at: place)
        graph.blocks[rest.number].instructions.removeFirst(load == nil ? 1 : 2)
        let value: Value
        if let index = address.index {
            value = graph.addParameter(to: rest)
            var search = IndexedLoad(size: size, index: index, offset: address.offset, origin: origin, rest: rest)
            search.sum = append(.arithmetic(.add, index, constant(address.offset, block, origin)), block, origin)
            find(search, from: block)
        } else {
            let (area, offset) = areaAndOffset(address.offset)
            value = parts(of: size, at: offset, in: area, block, origin)
        }
        if let load { replacements.replace(load, by: value) }
    }
}

// MARK: - Behind an index

extension TagAddresses {
    /// A load of which only the program knows where it is.
    private struct IndexedLoad {
        var size: Operation.Size
        var index: Value
        var offset: UInt32
        var origin: Int
        /// Where the filter goes on, with the number.
        var rest: BlockID
        /// The address in the shown packet, modulo 2³².
        var sum = Value(number: 0)
    }

    /// Lets `block` go on with what `load` finds, in whichever area that is.
    private mutating func find(_ load: IndexedLoad, from block: BlockID) {
        let (high, overflows) = ranges[load.index].bounds.upperBound.addingReportingOverflow(load.offset)
        guard hasAreas, overflows || high >= Self.firstArea else {
            return find(load, at: load.sum, in: 0, from: block)
        }
        // Only a link-layer header has the tag in it.
        let (plain, high1, linkLayer) = (newBlock(load), newBlock(load), newBlock(load))
        let (high2, other) = (newBlock(load), newBlock(load))
        branch(.greaterOrEqual, load.sum, Self.firstArea, load, from: block, then: high1, else: plain)
        branch(.greaterOrEqual, load.sum, HeaderArea.network.rawValue, load, from: high1, then: other, else: high2)
        branch(
            .greaterOrEqual, load.sum, HeaderArea.linkLayer.rawValue, load, from: high2, then: linkLayer, else: other)
        goOn(load, with: read(load.size, load.index, load.offset, other, load.origin), from: other)
        find(load, at: load.sum, in: 0, from: plain)
        let area = HeaderArea.linkLayer.rawValue
        let distance = append(
            .arithmetic(.subtract, load.sum, constant(area, linkLayer, load.origin)), linkLayer, load.origin)
        find(load, at: distance, in: area, from: linkLayer)
    }

    /// As above, the address being `offset` in `area`.
    private mutating func find(_ load: IndexedLoad, at offset: Value, in area: UInt32, from block: BlockID) {
        let (behind, before) = (newBlock(load), newBlock(load))
        branch(.greaterOrEqual, offset, tag.end, load, from: block, then: behind, else: before)
        readBehind(load, at: offset, in: area, from: behind)

        let firstWithin = 13 - load.size.rawValue
        let (front, within) = (newBlock(load), newBlock(load))
        branch(.greaterOrEqual, offset, firstWithin, load, from: before, then: within, else: front)
        goOn(load, with: read(load.size, load.index, load.offset, front, load.origin), from: front)

        var block = within
        for place in firstWithin..<tag.end where isPossible(area &+ place, load) {
            let (here, next) = (newBlock(load), newBlock(load))
            branch(.equal, offset, place, load, from: block, then: here, else: next)
            goOn(load, with: parts(of: load.size, at: place, in: area, here, load.origin), from: here)
            block = next
        }
        // No other place is left.
        let failure = constant(graph.failure, block, load.origin)
        graph.blocks[block.number].terminator = .return(failure)
    }

    private func isPossible(_ address: UInt32, _ load: IndexedLoad) -> Bool {
        ranges[load.index].and(ValueRange(address &- load.offset)) != nil
    }

    private mutating func readBehind(_ load: IndexedLoad, at offset: Value, in area: UInt32, from block: BlockID) {
        let (size, origin) = (load.size, load.origin)
        if area != 0 || tag == .out || load.offset >= 4 {
            return goOn(load, with: read(size, load.index, load.offset &+ tag.distance, block, origin), from: block)
        }
        let moved = append(.arithmetic(.add, offset, constant(tag.distance, block, origin)), block, origin)
        // Changes nothing, and tells later passes that the address is below 2³¹.
        let mask = constant(Self.firstArea - 1, block, origin)
        let plain = append(.arithmetic(.and, moved, mask), block, origin)
        goOn(load, with: read(size, plain, 0, block, origin), from: block)
    }

    private mutating func goOn(_ load: IndexedLoad, with value: Value, from block: BlockID) {
        graph.blocks[block.number].terminator = .jump(Edge(target: load.rest, arguments: [value]))
    }

    private mutating func newBlock(_ load: IndexedLoad) -> BlockID { graph.appendBlock(origin: load.origin) }

    private mutating func branch(
        _ comparison: Operation.Comparison, _ left: Value, _ right: UInt32, _ load: IndexedLoad, from block: BlockID,
        then: BlockID, else otherwise: BlockID
    ) {
        let right = constant(right, block, load.origin)
        graph.blocks[block.number].terminator = .branch(
            comparison, left, right, then: Edge(target: then), otherwise: Edge(target: otherwise))
    }
}

// MARK: - Numbers of several parts

extension TagAddresses {
    /// The number at `offset` of the shown packet, part of which is the tag or comes from both sides of it.
    private mutating func parts(
        of size: Operation.Size, at offset: UInt32, in area: UInt32, _ block: BlockID, _ origin: Int
    ) -> Value {
        let end = offset + size.rawValue
        var parts: [(value: Value, count: UInt32)] = []
        if offset < 12 { parts.append((bytes(12 - offset, at: area &+ offset, block, origin), 12 - offset)) }
        if tag == .backIn, max(offset, 12) < min(end, 16) {
            let place = max(offset, 12) - 12..<min(end, 16) - 12
            parts.append((tagBytes(place, block, origin), UInt32(place.count)))
        }
        if end > tag.end {
            let first = max(offset, tag.end)
            parts.append((bytes(end - first, at: area &+ first &+ tag.distance, block, origin), end - first))
        }
        return joined(parts, block, origin)
    }

    private mutating func joined(_ parts: [(value: Value, count: UInt32)], _ block: BlockID, _ origin: Int) -> Value {
        parts.dropFirst().reduce(parts[0].value) { high, part in
            let shifted = append(
                .arithmetic(.shiftLeft, high, constant(8 * part.count, block, origin)), block, origin)
            return append(.arithmetic(.or, shifted, part.value), block, origin)
        }
    }

    /// The number of 1 to 3 bytes at an address of the packet that is there.
    private mutating func bytes(_ count: UInt32, at address: UInt32, _ block: BlockID, _ origin: Int) -> Value {
        guard count == 3 else { return read(count == 1 ? .byte : .half, nil, address, block, origin) }
        // The packet has the byte in front too: it is one of the addresses'.
        let word = read(.word, nil, address - 1, block, origin)
        return append(.arithmetic(.and, word, constant(0xff_ffff, block, origin)), block, origin)
    }

    /// The number of some bytes of the tag: its protocol identifier, then its control information.
    private mutating func tagBytes(_ place: Range<UInt32>, _ block: BlockID, _ origin: Int) -> Value {
        let (identifier, information) = (protocolIdentifier!, controlInformation!)
        if place.upperBound <= 2 { return halfBytes(place, of: identifier, block, origin) }
        if place.lowerBound >= 2 {
            return halfBytes(place.lowerBound - 2..<place.upperBound - 2, of: information, block, origin)
        }
        return joined(
            [
                (halfBytes(place.lowerBound..<2, of: identifier, block, origin), 2 - place.lowerBound),
                (halfBytes(0..<place.upperBound - 2, of: information, block, origin), place.upperBound - 2),
            ], block, origin)
    }

    private mutating func halfBytes(_ place: Range<UInt32>, of half: Value, _ block: BlockID, _ origin: Int) -> Value {
        if place == 0..<2 { return half }
        return place.lowerBound == 0
            ? append(.arithmetic(.shiftRight, half, constant(8, block, origin)), block, origin)
            : append(.arithmetic(.and, half, constant(0xff, block, origin)), block, origin)
    }

    private mutating func read(
        _ size: Operation.Size, _ index: Value?, _ offset: UInt32, _ block: BlockID, _ origin: Int
    ) -> Value {
        let address = Graph.Address(index: index, offset: offset)
        graph.append(.requireBytes(size, address), to: block, origin: origin)
        return append(.load(size, address), block, origin)
    }

    private mutating func constant(_ number: UInt32, _ block: BlockID, _ origin: Int) -> Value {
        append(.constant(number), block, origin)
    }

    private mutating func append(_ instruction: Graph.Instruction, _ block: BlockID, _ origin: Int) -> Value {
        graph.append(instruction, to: block, origin: origin)
    }
}
