/// Writes the blocks of a capture file in the pcapng format, numbers in the byte order of this machine.
///
/// The blocks gather in ``bytes``, for who keeps the encoder to put where they belong.
/// Source: draft-ietf-opsawg-pcapng, PCAP Now Generic (pcapng) Capture File Format.
public struct PcapngEncoder: Sendable {
    /// What has been written and not been taken away: whole blocks, the first of a file being a section header.
    public private(set) var bytes: [UInt8] = []

    /// Makes an encoder that has written nothing.
    public init() {}

    /// Forgets the bytes, and keeps their memory.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// How many bytes of whole blocks there are among the first `count`, and how many of the blocks are packets.
    public func wholeBlocks(within count: Int) -> (bytes: Int, packets: Int) {
        var (end, packets) = (0, 0)
        bytes.withUnsafeBytes { bytes in
            while end + 8 <= min(count, bytes.count) {
                let length = bytes.loadUnaligned(fromByteOffset: end + 4, as: UInt32.self)
                guard end + Int(length) <= count else { break }
                if bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self) == Self.packetType { packets += 1 }
                end += Int(length)
            }
        }
        return (end, packets)
    }

    /// The type of Enhanced Packet Blocks.
    private static let packetType: UInt32 = 6

    /// Begins a file (Section Header Block).
    ///
    /// - Parameter application: The program that writes it.
    public mutating func appendSection(application: String) {
        let start = begin(0x0a0d_0d0a)
        append(UInt32(0x1a2b_3c4d))
        append(UInt16(1))
        append(UInt16(0))
        append(UInt64.max)  // The section's length is not known.
        appendText(4, application)
        end(start, hasOptions: true)
    }

    /// Adds an interface, which packets name by its number, counted from 0 (Interface Description Block). Its times are
    /// in nanoseconds.
    ///
    /// - Parameters:
    ///   - linkType: What its packets begin with.
    ///   - snapshotLength: How many bytes of a packet are captured at most; 0 for no limit.
    ///   - filter: The expression that packets had to match.
    public mutating func appendInterface(
        _ linkType: LinkType, named name: String?, snapshotLength: UInt32, filter: String?
    ) {
        let start = begin(1)
        append(linkType.fileValue)
        append(UInt16(0))
        append(snapshotLength)
        if let name { appendText(2, name) }
        appendOption(9, [9])
        if let filter { appendOption(11, [0] + filter.utf8) }
        end(start, hasOptions: true)
    }

    /// Adds a packet (Enhanced Packet Block).
    ///
    /// - Parameters:
    ///   - interface: The number of its interface.
    ///   - time: Nanoseconds since 1970.
    ///   - wireLength: How long it was.
    ///   - flags: Its direction and who it was for (`epb_flags`); 0 says nothing.
    public mutating func appendPacket(
        _ packet: [UInt8], interface: UInt32, time: UInt64, wireLength: UInt32, flags: UInt32 = 0,
        comment: String? = nil
    ) {
        let start = begin(Self.packetType)
        append(interface)
        append(UInt32(truncatingIfNeeded: time >> 32))
        append(UInt32(truncatingIfNeeded: time))
        append(UInt32(packet.count))
        append(wireLength)
        bytes.append(contentsOf: packet)
        pad()
        if let comment { appendText(1, comment) }
        if flags != 0 { appendOption(2, flags) }
        end(start, hasOptions: comment != nil || flags != 0)
    }

    /// Tells how the capture at an interface went (Interface Statistics Block).
    ///
    /// - Parameters:
    ///   - interface: The number of the interface.
    ///   - times: From when to when, nanoseconds since 1970.
    ///   - received: How many packets there were.
    ///   - lost: How many of them are not in the file.
    public mutating func appendStatistics(
        interface: UInt32, times: (start: UInt64, end: UInt64), received: UInt64, lost: UInt64, comment: String? = nil
    ) {
        let start = begin(5)
        append(interface)
        append(UInt32(truncatingIfNeeded: times.end >> 32))
        append(UInt32(truncatingIfNeeded: times.end))
        if let comment { appendText(1, comment) }
        for (code, time) in [(2, times.start), (3, times.end)] as [(UInt16, UInt64)] {
            append(code)
            append(UInt16(8))
            append(UInt32(truncatingIfNeeded: time >> 32))
            append(UInt32(truncatingIfNeeded: time))
        }
        appendOption(4, received)
        appendOption(5, lost)
        end(start, hasOptions: true)
    }

    // MARK: Parts

    /// Begins a block of that type and returns where it is.
    private mutating func begin(_ type: UInt32) -> Int {
        let start = bytes.count
        append(type)
        append(UInt32(0))
        return start
    }

    /// Ends the block that begins at `start`: its length stands at both of its ends.
    private mutating func end(_ start: Int, hasOptions: Bool) {
        if hasOptions { append(UInt32(0)) }
        let length = UInt32(bytes.count - start + 4)
        append(length)
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: length, toByteOffset: start + 4, as: UInt32.self) }
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }

    /// A text has at most 65,535 bytes; what is more is left away, whole characters.
    private mutating func appendText(_ code: UInt16, _ text: String) {
        var text = text
        while text.utf8.count > UInt16.max { text.removeLast(1 + text.utf8.count / 65_536) }
        appendOption(code, Array(text.utf8))
    }

    private mutating func appendOption(_ code: UInt16, _ value: [UInt8]) {
        append(code)
        append(UInt16(truncatingIfNeeded: min(value.count, Int(UInt16.max))))
        bytes.append(contentsOf: value.prefix(Int(UInt16.max)))
        pad()
    }

    private mutating func appendOption(_ code: UInt16, _ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value) { appendOption(code, Array($0)) }
    }

    /// Fills up to a multiple of 4; every block begins at one.
    private mutating func pad() {
        while bytes.count & 3 != 0 { bytes.append(0) }
    }
}

extension LinkType {
    /// The number that stands for it in files, which is the same on all systems (`LINKTYPE_…`).
    ///
    /// Source: `pcap-linktype`(7): where systems number a `DLT_` differently, files have a number of their own.
    var fileValue: UInt16 { self == .rawIP ? 101 : UInt16(truncatingIfNeeded: rawValue) }
}
