import ClassicBPF

/// How the packet a filter is shown differs from the one that is there.
enum TagMovement: Hashable, Sendable {
    /// The shown packet has a tag at 12 to 16 that the other has beside its bytes.
    case backIn
    /// The other packet has a tag there that the shown one has not.
    case out

    /// The offset from which on bytes of the shown packet stand elsewhere in the other.
    var end: UInt32 { self == .backIn ? 16 : 12 }
    /// How much further on they are, modulo 2³².
    var distance: UInt32 { self == .backIn ? 0 &- 4 : 4 }
}

/// Moves the addresses of a filter from the packet it is shown to the one that is there.
///
/// Loads in front of the tag stay, those behind it move by its 4 bytes, and what is of both, or of the tag itself, is put
/// together from parts. Behind an index that is decided by a comparison, where the ranges of values leave it open.
struct TagAddresses {
    let tag: TagMovement
    /// Whether addresses from 2³¹ on mean the header areas.
    let hasAreas: Bool
    var graph: Graph
    let ranges: RangeAnalysis
    /// The tag's protocol identifier and control information.
    var protocolIdentifier: Value?
    var controlInformation: Value?
    var replacements: Replacements
    var hasChanged = false

    /// Moves the addresses of `graph`, and returns whether that changed any.
    ///
    /// - Precondition: Nothing leads to the entry of `graph`; addresses are in the packet, or in the areas if `hasAreas`.
    static func move(in graph: inout Graph, _ tag: TagMovement, hasAreas: Bool, _ ranges: RangeAnalysis) -> Bool {
        var addresses = TagAddresses(tag: tag, hasAreas: hasAreas, graph: graph, ranges: ranges)
        addresses.run()
        graph = addresses.graph
        return addresses.hasChanged
    }

    init(tag: TagMovement, hasAreas: Bool, graph: Graph, ranges: RangeAnalysis) {
        self.tag = tag
        self.hasAreas = hasAreas
        self.graph = graph
        self.ranges = ranges
        replacements = Replacements(in: graph)
    }

    mutating func run() {
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

    mutating func move(in block: BlockID) {
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
    mutating func movedLength(_ length: Value) -> [Value] {
        let origin = graph.origins[length.number]
        let real = graph.makeInstruction(.length, origin: origin)
        let difference = graph.makeInstruction(.constant(0 &- tag.distance), origin: origin)
        graph.redefine(length, as: .arithmetic(.add, real, difference))
        hasChanged = true
        return [real, difference]
    }

    /// Makes `payload` its offset in the shown packet, as ``movedLength(_:)`` does; 0 stays 0, which says that there is
    /// none.
    mutating func movedPayload(_ payload: Value) -> [Value] {
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

    enum Part {
        /// In front of the tag, or where the tag makes no difference.
        case front
        /// Wholly behind the tag.
        case behind
        /// Of the tag, or of bytes in front of it and behind.
        case within
        /// It depends on the index.
        case open
    }

    func part(of size: Operation.Size, at address: Graph.Address) -> Part {
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

    func part(of size: Operation.Size, at offset: UInt32) -> Part {
        if offset + size.rawValue <= 12 { return .front }
        return offset >= tag.end ? .behind : .within
    }

    /// The start of the area an address is in, 0 for the packet itself or where there is none, and the offset there.
    func areaAndOffset(_ address: UInt32) -> (area: UInt32, offset: UInt32) {
        guard hasAreas, let area = HeaderArea(offset: address)?.rawValue else { return (0, address) }
        return (area, address - area)
    }

    /// From here on no packet has bytes, so that loads need not be moved, nor get out of their area.
    static func farthest(in area: UInt32) -> UInt32 { area == 0 ? 0x7fff_0000 : 0xf_ff00 }
    static let firstArea: UInt32 = 0x8000_0000

    // MARK: Moving

    /// The load behind a requirement at `place`, if it is there.
    func load(behind place: Int, in block: BlockID) -> Value? {
        let instructions = graph.blocks[block.number].instructions
        guard case .requireBytes(let size, let address)? = graph.instruction(instructions[place]),
            place + 1 < instructions.count, graph.instruction(instructions[place + 1]) == .load(size, address)
        else { return nil }
        return instructions[place + 1]
    }

    mutating func moveLoad(
        at place: Int, in block: BlockID, _ size: Operation.Size, _ address: Graph.Address
    ) {
        let moved = Graph.Address(index: address.index, offset: address.offset &+ tag.distance)
        if let load = load(behind: place, in: block) { graph.redefine(load, as: .load(size, moved)) }
        graph.redefine(graph.blocks[block.number].instructions[place], as: .requireBytes(size, moved))
        hasChanged = true
    }

    /// Replaces a requirement and its load by what finds the same number in the packet that is there.
    mutating func putTogether(
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
