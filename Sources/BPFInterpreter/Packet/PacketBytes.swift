import ClassicBPF

extension Packet {
    /// The `count` bytes at `offset`, or nil where one of them lies outside headroom and packet.
    func bytes(at offset: Int, count: Int) -> ArraySlice<UInt8>? {
        guard offset >= -headroom.count, offset <= bytes.count - count else { return nil }
        if offset >= 0 { return bytes[offset..<offset + count] }
        // A read that begins in the headroom may end in the packet.
        return (headroom + bytes)[(headroom.count + offset)...].prefix(count)
    }

    /// The big-endian number of `size` bytes that a classic load from `offset` gives, or nil if it is outside.
    ///
    /// An offset of 2³¹ or more is one relative to a header, and outside where the kernel has no such area.
    func classicLoad(_ size: Operation.Size, at offset: UInt32) -> UInt32? {
        guard let start = resolved(offset), let bytes = bytes(at: start, count: Int(size.rawValue)) else { return nil }
        if headerAreasAreLinear, Int32(bitPattern: offset) < 0, bytes.count > linearLength - start { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func resolved(_ offset: UInt32) -> Int? {
        if Int32(bitPattern: offset) >= 0 { return Int(offset) }
        switch HeaderArea(offset: offset) {
        case .network: return Int(offset - HeaderArea.network.rawValue) &+ networkHeaderOffset
        case .linkLayer:
            guard let linkLayerHeaderOffset else { return nil }
            return Int(offset - HeaderArea.linkLayer.rawValue) &+ linkLayerHeaderOffset
        case nil: return nil
        }
    }
}
