/// A packet as a filter meets it: bytes, where its headers begin, and what else the kernel knows of it.
///
/// It stands for the kernel's `struct sk_buff`. Offsets count from the first byte of ``bytes``.
public struct Packet: Hashable, Sendable {
    /// The whole packet, fragments included.
    public let bytes: [UInt8]

    /// How many of the bytes lie in the linear part, which programs reach directly and netlink searches need whole.
    ///
    /// Classic loads and `skb_load_bytes` reach the rest as well; those relative to a header do unless
    /// ``headerAreasAreLinear``.
    public let linearLength: Int

    /// Whether classic loads relative to a header reach no further than the linear part, as before Linux 6.16.
    public var headerAreasAreLinear = false

    /// The bytes in front of the packet: headers already consumed, which only loads relative to a header reach.
    public var headroom: [UInt8]

    /// Where the network header begins (`SKF_NET_OFF`); negative inside the headroom.
    public var networkHeaderOffset: Int

    /// Where the link-layer header begins (`SKF_LL_OFF`), negative inside the headroom; nil if it is not known.
    public var linkLayerHeaderOffset: Int?

    /// What is known besides the bytes.
    public var metadata: Metadata

    /// Makes a packet whose bytes begin with its network header and that has no link-layer header.
    ///
    /// - Parameter linearLength: At most the number of bytes; nil for all.
    /// - Precondition: `linearLength` is in 0 … `bytes.count`.
    public init(
        _ bytes: [UInt8], linearLength: Int? = nil, headroom: [UInt8] = [], networkHeaderOffset: Int = 0,
        linkLayerHeaderOffset: Int? = nil, metadata: Metadata = Metadata()
    ) {
        let linearLength = linearLength ?? bytes.count
        precondition((0...bytes.count).contains(linearLength), "the linear part is a part of the packet")
        self.bytes = bytes
        length = UInt32(truncatingIfNeeded: bytes.count)
        self.linearLength = linearLength
        self.headroom = headroom
        self.networkHeaderOffset = networkHeaderOffset
        self.linkLayerHeaderOffset = linkLayerHeaderOffset
        self.metadata = metadata
    }

    /// Makes a packet of an Ethernet frame, headers placed and `protocol` set as a driver does it on reception.
    ///
    /// The network header is at 14, the link-layer header at 0. The protocol is the frame's type field where that is
    /// at least 0x0600. A smaller one is a length: the frame is then IEEE 802.3, `ETH_P_802_3` (1) if 0xffff follows
    /// it, else `ETH_P_802_2` (4). The packet type follows the destination address: broadcast 1, multicast 2, else
    /// to this host, 0. A frame of less than 14 bytes has protocol 0. VLAN tags stay in the bytes.
    public init(ethernet bytes: [UInt8], metadata: Metadata = Metadata()) {
        self.init(bytes, networkHeaderOffset: 14, linkLayerHeaderOffset: 0, metadata: metadata)
        self.metadata.protocol = Self.etherType(of: bytes)
        self.metadata.packetType = Self.packetType(of: bytes)
    }

    /// The packet's length in bytes, `len`; more than there are bytes in a capture that was cut short.
    public var length: UInt32

    private static func etherType(of frame: [UInt8]) -> UInt16 {
        guard frame.count >= 14 else { return 0 }
        let type = UInt16(frame[12]) << 8 | UInt16(frame[13])
        if type >= 0x0600 { return type }
        return frame.count >= 16 && frame[14] == 0xff && frame[15] == 0xff ? 1 : 4
    }

    private static func packetType(of frame: [UInt8]) -> UInt8 {
        guard frame.count >= 6, frame[0] & 1 == 1 else { return 0 }
        return frame[..<6].allSatisfy { $0 == 0xff } ? 1 : 2
    }
}
