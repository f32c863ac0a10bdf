import ClassicBPF

/// Bytes of a packet and a value that a filter compares them with.
struct PacketWish: Hashable {
    /// Where the bytes are: from the start or, with the offset of a byte that tells a header's length, so much further.
    struct Place: Hashable {
        var offset: UInt32
        var behind: UInt32?
        var size: Int
    }

    var place: Place
    /// The bits that are compared.
    var mask: UInt32
    var value: UInt32

    /// `bytes` with the wish granted; nil where the packet is too short or has it so already.
    ///
    /// - Parameter start: Where the filter takes the packet to begin.
    func granted(in bytes: [UInt8], from start: Int) -> [UInt8]? {
        var offset = start + Int(place.offset)
        if let behind = place.behind {
            guard start + Int(behind) < bytes.count else { return nil }
            offset += 4 * Int(bytes[start + Int(behind)] & 15)
        }
        guard offset + place.size <= bytes.count else { return nil }
        var result = bytes
        for index in 0..<place.size {
            let shift = UInt32(8 * (place.size - 1 - index))
            let (mask, value) = (UInt8(truncatingIfNeeded: mask >> shift), UInt8(truncatingIfNeeded: value >> shift))
            result[offset + index] = result[offset + index] & ~mask | value & mask
        }
        return result == bytes ? nil : result
    }

    /// What `program` compares bytes of packets with, in its order, each once.
    static func wishes(of program: ClassicBPF.Program) -> [PacketWish] {
        var known = [Known](repeating: Known(), count: program.count)
        var wishes: [PacketWish] = []
        for index in program.instructions.indices {
            let operation = program.operation(at: index)
            for wish in known[index].wishes(at: operation) where !wishes.contains(wish) { wishes.append(wish) }
            let after = known[index].after(operation)
            for successor in program.successors(of: index) where successor > index {
                known[successor].formUnion(after)
            }
        }
        return wishes
    }
}

/// What A and X may be at an instruction: bytes of the packet, under a mask.
private struct Known {
    var accumulator: Set<PacketWish> = []
    /// The offsets of bytes that tell a header's length, which X is.
    var index: Set<UInt32> = []

    mutating func formUnion(_ other: Known) {
        accumulator.formUnion(other.accumulator)
        index.formUnion(other.index)
    }

    func after(_ operation: ClassicBPF.Operation) -> Known {
        var result = self
        switch operation {
        case .load(.absolute(let size, let offset)): result.accumulator = [Self.bytes(size, offset)]
        case .load(.indirect(let size, let offset)):
            result.accumulator = Set(index.map { Self.bytes(size, offset, behind: $0) })
        case .arithmetic(.and, .constant(let mask)):
            result.accumulator = Set(accumulator.map { PacketWish(place: $0.place, mask: $0.mask & mask, value: 0) })
        case .load, .arithmetic, .negate, .transferXToA: result.accumulator = []
        case .loadIndex(.headerLength(let offset)): result.index = [offset]
        case .loadIndex, .transferAToX: result.index = []
        case .store, .storeIndex, .jump, .branch, .result: break
        }
        return result
    }

    func wishes(at operation: ClassicBPF.Operation) -> [PacketWish] {
        guard case .branch(let comparison, .constant(let k), _, _) = operation else { return [] }
        // In an order that does not change from run to run.
        return accumulator.sorted { ($0.place.offset, $0.mask) < ($1.place.offset, $1.mask) }.map { bytes in
            var wish = bytes
            wish.value = comparison == .greater && k < .max ? k + 1 : k
            if comparison == .anyBitSet { wish.mask &= k }
            return wish
        }
    }

    private static func bytes(
        _ size: ClassicBPF.Operation.Size, _ offset: UInt32, behind: UInt32? = nil
    ) -> PacketWish {
        let place = PacketWish.Place(offset: offset, behind: behind, size: Int(size.rawValue))
        return PacketWish(place: place, mask: .max >> (32 - 8 * size.rawValue), value: 0)
    }
}
