extension Packet {
    /// Where the payload begins behind all headers that the kernel follows, the extension `poff`; 0 where one of them
    /// is not whole or a protocol is unknown.
    ///
    /// The kernel looks for it with its flow dissector, of which every header that it knows counts, among them those of
    /// tunnels. A program attached to a network namespace in the dissector's place is not modelled here, nor are
    /// the tags of switches (DSA).
    /// Source: the protocols' specifications for the headers; which of them the kernel follows was tried on Linux 6.18.
    var payloadOffset: UInt32 {
        var search = PayloadSearch(self)
        guard search.followHeaders() else { return 0 }
        return search.payloadOffset
    }
}

/// The headers of a packet, followed from the network header on.
struct PayloadSearch {
    /// What a header leads to.
    enum Next {
        /// Another header, one of the number that the kernel is ready to follow.
        case network(UInt16), transport(UInt8)
        /// The header behind an IP header, which does not count.
        case content
        /// Nothing more: what is found is at the offset.
        case end
        /// Nothing at all.
        case nothing
    }

    /// How many headers the kernel goes on to, at most; it takes where it is then for the end.
    private static let maximumHeaders = 15

    let packet: Packet
    /// Where the header that is looked at begins, negative in the headroom.
    var offset: Int
    /// The header's protocol, an EtherType.
    var `protocol`: UInt16
    /// The protocol that an IP header or one behind it has announced last.
    var transport: UInt8 = 0
    /// Whether the packet is a part of another one, and not its first.
    var isLaterFragment = false
    /// Whether there is a VLAN tag beside the bytes. It stands for the first one that is met.
    var hasTagBesideBytes: Bool

    init(_ packet: Packet) {
        self.packet = packet
        offset = packet.networkHeaderOffset
        hasTagBesideBytes = packet.metadata.hasVLANTag
        `protocol` = hasTagBesideBytes ? packet.metadata.vlan!.tpid : packet.metadata.protocol
    }

    /// Goes on until the end, or returns false where there is nothing.
    mutating func followHeaders() -> Bool {
        var headersLeft = Self.maximumHeaders
        var next = networkHeader()
        while true {
            switch next {
            case .nothing: return false
            case .end: return true
            case .content: next = transportHeader()
            case .network, .transport:
                if case .network(let proto) = next { `protocol` = proto }
                if case .transport(let number) = next { transport = number }
                guard headersLeft > 0 else { return true }
                headersLeft -= 1
                if case .network = next { next = networkHeader() } else { next = transportHeader() }
            }
        }
    }

    /// The offset behind the last header, of which there may be less than its whole length.
    var payloadOffset: UInt32 {
        // The kernel counts in 16 bits.
        let start = UInt32(min(UInt16(truncatingIfNeeded: offset), UInt16(truncatingIfNeeded: packet.length)))
        if isLaterFragment { return start }
        switch transport {
        case 6: return start + tcpHeaderLength(at: Int(start))
        // ICMP, IGMP, UDP, ICMPv6, UDP-Lite.
        case 1, 2, 17, 58, 136: return start + 8
        // DCCP, SCTP.
        case 33, 132: return start + 12
        default: return start
        }
    }

    private func tcpHeaderLength(at start: Int) -> UInt32 {
        guard let length = header(at: start + 12, length: 1) else { return 0 }
        return max(20, UInt32(length.byte(0) >> 4) * 4)
    }

    // MARK: Bytes

    /// The bytes of a header, whose offsets count from its start.
    struct Header {
        let bytes: ArraySlice<UInt8>

        func byte(_ offset: Int) -> UInt8 { bytes[bytes.startIndex + offset] }
        func half(_ offset: Int) -> UInt16 { UInt16(byte(offset)) << 8 | UInt16(byte(offset + 1)) }
    }

    func header(at offset: Int, length: Int) -> Header? {
        packet.bytes(at: offset, count: length).map(Header.init)
    }

    func header(length: Int) -> Header? { header(at: offset, length: length) }
}
