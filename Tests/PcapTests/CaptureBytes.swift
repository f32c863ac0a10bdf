/// Writes capture files byte by byte, as the formats' drafts describe them.
struct CaptureBytes {
    var bytes: [UInt8] = []
    var bigEndian: Bool

    init(bigEndian: Bool) { self.bigEndian = bigEndian }

    mutating func append<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { bytes += $0 }
    }

    /// A pcap file of `frames`, a second apart, whose times' fractions are 123,456 units and up.
    static func pcap(
        _ frames: [[UInt8]], bigEndian: Bool = false, nanoseconds: Bool = false, link: UInt32 = 1,
        snapshotLength: UInt32 = 262_144, hidden: UInt32 = 0
    ) -> [UInt8] {
        var file = CaptureBytes(bigEndian: bigEndian)
        file.append(nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4 as UInt32)
        file.append(2 as UInt16)
        file.append(4 as UInt16)
        file.append(0 as UInt64)
        file.append(snapshotLength)
        file.append(link)
        for (index, frame) in frames.enumerated() {
            file.append(1_700_000_000 + UInt32(index))
            file.append(123_456 + UInt32(index))
            file.append(UInt32(frame.count))
            file.append(UInt32(frame.count) + hidden)
            file.bytes += frame
        }
        return file.bytes
    }

    /// A pcapng file with one section, one interface whose clock counts nanoseconds, and one block a frame.
    static func pcapng(_ frames: [[UInt8]], bigEndian: Bool = false, link: UInt16 = 1) -> [UInt8] {
        var file = CaptureBytes(bigEndian: bigEndian)
        file.block(0x0a0d_0d0a) { section in
            section.append(0x1a2b_3c4d as UInt32)
            section.append(1 as UInt16)
            section.append(0 as UInt16)
            section.append(UInt64.max)
        }
        file.block(1) { interface in
            interface.append(link)
            interface.append(0 as UInt16)
            interface.append(65_535 as UInt32)
            // if_tsresol: 10⁻⁹ s; then the end of the options.
            interface.append(9 as UInt16)
            interface.append(1 as UInt16)
            interface.bytes += [9, 0, 0, 0]
            interface.append(0 as UInt32)
        }
        for (index, frame) in frames.enumerated() {
            let time = (1_700_000_000 + UInt64(index)) * 1_000_000_000 + 123_456_789
            file.block(6) { packet in
                packet.append(0 as UInt32)
                packet.append(UInt32(time >> 32))
                packet.append(UInt32(truncatingIfNeeded: time))
                packet.append(UInt32(frame.count))
                packet.append(UInt32(frame.count))
                packet.bytes += frame + [UInt8](repeating: 0, count: (4 - frame.count % 4) % 4)
            }
        }
        return file.bytes
    }

    private mutating func block(_ type: UInt32, _ body: (inout CaptureBytes) -> Void) {
        var content = CaptureBytes(bigEndian: bigEndian)
        body(&content)
        let length = UInt32(content.bytes.count + 12)
        append(type)
        append(length)
        bytes += content.bytes
        append(length)
    }
}
