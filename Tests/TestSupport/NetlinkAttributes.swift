extension SeededGenerator {
    /// Netlink attributes one behind the other in the byte order of this machine, some nested, some spoiled.
    ///
    /// - Parameter limit: About how many bytes there are at most.
    public mutating func netlinkAttributes(upTo limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit - 40 {
            let payload =
                chance(50) && limit > 60
                ? netlinkAttributes(upTo: 60)
                : (0..<Int.random(in: 0...9, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
            var length = UInt16(4 + payload.count)
            if chance(4) { length = UInt16.random(in: 0...300, using: &self) }
            let flags: UInt16 = chance(30) ? 0x8000 : chance(30) ? 0x4000 : 0
            for half in [length, UInt16.random(in: 0...5, using: &self) | flags] {
                bytes += withUnsafeBytes(of: half) { Array($0) }
            }
            bytes += payload
            // Where the next one begins a multiple of 4 bytes behind this one, but for a few.
            if !chance(5) { bytes += [UInt8](repeating: 0, count: -bytes.count & 3) }
        }
        return bytes
    }
}
