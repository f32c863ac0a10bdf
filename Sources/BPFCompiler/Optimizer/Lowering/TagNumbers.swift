import ClassicBPF

// Numbers put together from several parts: of both sides of the tag, or of the tag itself.

extension TagAddresses {
    /// The number at `offset` of the shown packet, part of which is the tag or comes from both sides of it.
    mutating func parts(
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

    mutating func joined(_ parts: [(value: Value, count: UInt32)], _ block: BlockID, _ origin: Int) -> Value {
        parts.dropFirst().reduce(parts[0].value) { high, part in
            let shifted = append(
                .arithmetic(.shiftLeft, high, constant(8 * part.count, block, origin)), block, origin)
            return append(.arithmetic(.or, shifted, part.value), block, origin)
        }
    }

    /// The number of 1 to 3 bytes at an address of the packet that is there.
    mutating func bytes(_ count: UInt32, at address: UInt32, _ block: BlockID, _ origin: Int) -> Value {
        guard count == 3 else { return read(count == 1 ? .byte : .half, nil, address, block, origin) }
        // The packet has the byte in front too: it is one of the addresses'.
        let word = read(.word, nil, address - 1, block, origin)
        return append(.arithmetic(.and, word, constant(0xff_ffff, block, origin)), block, origin)
    }

    /// The number of some bytes of the tag: its protocol identifier, then its control information.
    mutating func tagBytes(_ place: Range<UInt32>, _ block: BlockID, _ origin: Int) -> Value {
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

    mutating func halfBytes(_ place: Range<UInt32>, of half: Value, _ block: BlockID, _ origin: Int) -> Value {
        if place == 0..<2 { return half }
        return place.lowerBound == 0
            ? append(.arithmetic(.shiftRight, half, constant(8, block, origin)), block, origin)
            : append(.arithmetic(.and, half, constant(0xff, block, origin)), block, origin)
    }

    mutating func read(
        _ size: Operation.Size, _ index: Value?, _ offset: UInt32, _ block: BlockID, _ origin: Int
    ) -> Value {
        let address = Graph.Address(index: index, offset: offset)
        graph.append(.requireBytes(size, address), to: block, origin: origin)
        return append(.load(size, address), block, origin)
    }

    mutating func constant(_ number: UInt32, _ block: BlockID, _ origin: Int) -> Value {
        append(.constant(number), block, origin)
    }

    mutating func append(_ instruction: Graph.Instruction, _ block: BlockID, _ origin: Int) -> Value {
        graph.append(instruction, to: block, origin: origin)
    }
}
