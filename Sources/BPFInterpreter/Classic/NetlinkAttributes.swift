import ExtendedBPF

// An attribute is a length of 16 bits that counts itself, a type of 16 bits, both in host order, and the payload;
// the next one starts at a multiple of 4 bytes. Source: netlink(7), and nlattr in the kernel's <linux/netlink.h>.

private let headerSize = 4

extension Packet {
    /// The offset of the first attribute of type `type` in the row of attributes at `start`; 0 if there is none, the
    /// row begins outside the packet, or the packet has bytes outside its linear part.
    ///
    /// - Complexity: O(*n*) in the number of bytes from `start`.
    func netlinkAttribute(ofType type: UInt32, from start: UInt32, _ order: ByteOrder) -> UInt32 {
        guard mayHoldAttribute(at: start) else { return 0 }
        return findAttribute(ofType: type, in: Int(start)..<bytes.count, order)
    }

    /// As ``netlinkAttribute(ofType:from:_:)``, in the payload of the attribute at `start`.
    ///
    /// - Complexity: O(*n*) in the length of that attribute.
    func nestedNetlinkAttribute(ofType type: UInt32, inAttributeAt start: UInt32, _ order: ByteOrder) -> UInt32 {
        guard mayHoldAttribute(at: start),
            let outer = attribute(at: Int(start), end: bytes.count, order)
        else { return 0 }
        return findAttribute(ofType: type, in: Int(start) + headerSize..<Int(start) + outer.length, order)
    }

    private func mayHoldAttribute(at start: UInt32) -> Bool {
        linearLength == bytes.count && bytes.count >= headerSize && Int(start) <= bytes.count - headerSize
    }

    private func findAttribute(ofType type: UInt32, in range: Range<Int>, _ order: ByteOrder) -> UInt32 {
        var offset = range.lowerBound
        while let attribute = attribute(at: offset, end: range.upperBound, order) {
            if attribute.type == type { return UInt32(offset) }
            offset += (attribute.length + 3) & ~3
        }
        return 0
    }

    /// The attribute at `offset`, or nil if it does not lie wholly before `end`.
    private func attribute(at offset: Int, end: Int, _ order: ByteOrder) -> (length: Int, type: UInt32)? {
        guard end - offset >= headerSize else { return nil }
        let length = half(at: offset, order)
        guard (headerSize...end - offset).contains(length) else { return nil }
        // The upper two bits are flags: nested, and network byte order.
        return (length, UInt32(half(at: offset + 2, order) & 0x3fff))
    }

    private func half(at offset: Int, _ order: ByteOrder) -> Int {
        let (first, second) = (Int(bytes[offset]), Int(bytes[offset + 1]))
        return order == .big ? first << 8 | second : second << 8 | first
    }
}
