import ClassicBPF

// Loads behind an index, of which only the program knows whether they are in front of the tag.

extension TagAddresses {
    /// A load of which only the program knows where it is.
    struct IndexedLoad {
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
    mutating func find(_ load: IndexedLoad, from block: BlockID) {
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
    mutating func find(_ load: IndexedLoad, at offset: Value, in area: UInt32, from block: BlockID) {
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

    func isPossible(_ address: UInt32, _ load: IndexedLoad) -> Bool {
        ranges[load.index].and(ValueRange(address &- load.offset)) != nil
    }

    mutating func readBehind(_ load: IndexedLoad, at offset: Value, in area: UInt32, from block: BlockID) {
        let (size, origin) = (load.size, load.origin)
        if area != 0, tag == .out {
            // What is moved out of its area would be in the next.
            let (far, near) = (newBlock(load), newBlock(load))
            branch(.greaterOrEqual, offset, Self.farthest(in: area), load, from: block, then: far, else: near)
            goOn(load, with: read(size, load.index, load.offset, far, origin), from: far)
            return goOn(load, with: read(size, load.index, load.offset &+ tag.distance, near, origin), from: near)
        }
        if area != 0 || tag == .out || load.offset >= 4 {
            return goOn(load, with: read(size, load.index, load.offset &+ tag.distance, block, origin), from: block)
        }
        let moved = append(.arithmetic(.add, offset, constant(tag.distance, block, origin)), block, origin)
        // Changes nothing, and tells later passes that the address is below 2³¹.
        let mask = constant(Self.firstArea - 1, block, origin)
        let plain = append(.arithmetic(.and, moved, mask), block, origin)
        goOn(load, with: read(size, plain, 0, block, origin), from: block)
    }

    mutating func goOn(_ load: IndexedLoad, with value: Value, from block: BlockID) {
        graph.blocks[block.number].terminator = .jump(Edge(target: load.rest, arguments: [value]))
    }

    mutating func newBlock(_ load: IndexedLoad) -> BlockID { graph.appendBlock(origin: load.origin) }

    mutating func branch(
        _ comparison: Operation.Comparison, _ left: Value, _ right: UInt32, _ load: IndexedLoad, from block: BlockID,
        then: BlockID, else otherwise: BlockID
    ) {
        let right = constant(right, block, load.origin)
        graph.blocks[block.number].terminator = .branch(
            comparison, left, right, then: Edge(target: then), otherwise: Edge(target: otherwise))
    }
}
