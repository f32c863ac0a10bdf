// The headers that the kernel follows on the way to a packet's payload, by the protocol that announces them.

extension PayloadSearch {
    /// Looks at a header of `protocol`. Source of the numbers: IANA's "IEEE 802 Numbers".
    mutating func networkHeader() -> Next {
        switch `protocol` {
        case 0x0800: ipv4Header()
        case 0x86dd: ipv6Header()
        case 0x8100, 0x88a8: vlanTag()
        case 0x8864: pppoeHeader()
        case 0x4305: batmanHeader()
        // PRP, HSR.
        case 0x88fb, 0x892f: redundancyTag()
        // ARP, RARP, MPLS for one receiver and many, and CFM end the search.
        case 0x0806, 0x8035, 0x8902: .end
        case 0x8847, 0x8848: skip(4)
        // TIPC, which is not passed over.
        case 0x88ca: header(length: 16) == nil ? .nothing : .end
        // PTP.
        case 0x88f7: header(length: 34) == nil ? .nothing : skip(34)
        // Fibre Channel, whose header has to be in the linear part.
        case 0x8906: packet.linearLength - offset < 38 ? .nothing : skip(38)
        default: .nothing
        }
    }

    private mutating func skip(_ length: Int) -> Next {
        offset += length
        return .end
    }

    /// Source: RFC 791.
    private mutating func ipv4Header() -> Next {
        guard let header = header(length: 20), header.byte(0) & 15 >= 5 else { return .nothing }
        offset += 4 * Int(header.byte(0) & 15)
        transport = header.byte(9)
        let fragment = header.half(6)
        if fragment & 0x1fff != 0 {
            isLaterFragment = true
            return .end
        }
        return fragment & 0x2000 != 0 ? .end : .content
    }

    /// Source: RFC 8200.
    private mutating func ipv6Header() -> Next {
        guard let header = header(length: 40) else { return .nothing }
        offset += 40
        transport = header.byte(6)
        return .content
    }

    /// Source: IEEE 802.1Q.
    private mutating func vlanTag() -> Next {
        if hasTagBesideBytes {
            hasTagBesideBytes = false
            return .network(packet.metadata.protocol)
        }
        guard let header = header(length: 4) else { return .nothing }
        offset += 4
        return .network(header.half(2))
    }

    /// A session's header and the number of the protocol in it.
    ///
    /// Numbers of one byte, which RFC 2516 advises against, lead to nothing on Linux 6.18; tried on little-endian
    /// machines only. Source: RFC 2516, RFC 1661.
    private mutating func pppoeHeader() -> Next {
        guard let header = header(length: 8), header.half(0) == 0x1100 else { return .nothing }
        offset += 8
        switch header.half(6) {
        case 0x0021: return .network(0x0800)
        case 0x0057: return .network(0x86dd)
        case 0x0281: return .network(0x8847)
        case 0x0283: return .network(0x8848)
        case let number: return number & 0x0101 == 1 ? .end : .nothing
        }
    }

    /// A unicast packet of B.A.T.M.A.N. Advanced and the Ethernet header in it. Source: `<linux/batadv_packet.h>`.
    private mutating func batmanHeader() -> Next {
        guard let header = header(length: 24), header.half(0) == 0x400f else { return .nothing }
        offset += 24
        return .network(header.half(22))
    }

    /// Source: IEC 62439-3.
    private mutating func redundancyTag() -> Next {
        guard let header = header(length: 6) else { return .nothing }
        offset += 6
        return .network(header.half(4))
    }
}

extension PayloadSearch {
    /// Looks at what is behind an IP header. Source of the numbers: IANA's "Protocol Numbers".
    mutating func transportHeader() -> Next {
        switch transport {
        case 4: .network(0x0800)
        case 41: .network(0x86dd)
        case 47: greHeader()
        case 137: .network(0x8847)
        // Options by hop and for the destination, routes.
        case 0, 43, 60: `protocol` == 0x86dd ? extensionHeader() : .end
        case 44: `protocol` == 0x86dd ? fragmentHeader() : .end
        default: .end
        }
    }

    private mutating func extensionHeader() -> Next {
        guard let header = header(length: 2) else { return .nothing }
        offset += 8 * (Int(header.byte(1)) + 1)
        return .transport(header.byte(0))
    }

    private mutating func fragmentHeader() -> Next {
        guard let header = header(length: 8) else { return .nothing }
        offset += 8
        transport = header.byte(0)
        isLaterFragment = header.half(2) & 0xfff8 != 0
        return .end
    }

    /// Source: RFC 2784, RFC 2890; for version 1, RFC 2637.
    private mutating func greHeader() -> Next {
        guard let header = header(length: 4) else { return .nothing }
        let (flags, type) = (header.half(0), header.half(2))
        let (hasRoutes, hasKey, version) = (flags & 0x4000 != 0, flags & 0x2000 != 0, flags & 7)
        guard !hasRoutes, version == 0 || version == 1 && type == 0x880b && hasKey else { return .end }
        var end = offset + 4
        if flags & 0x8000 != 0 { end += 4 }
        if hasKey {
            guard self.header(at: end, length: 4) != nil else { return .nothing }
            end += 4
        }
        if flags & 0x1000 != 0 { end += 4 }
        return version == 0 ? greContent(type, at: end) : pptpContent(type, at: flags & 0x0080 != 0 ? end + 4 : end)
    }

    private mutating func greContent(_ type: UInt16, at end: Int) -> Next {
        offset = end
        guard type == 0x6558 else { return .network(type) }
        guard let ethernet = header(length: 14) else { return .nothing }
        offset += 14
        return .network(ethernet.half(12))
    }

    private mutating func pptpContent(_ type: UInt16, at end: Int) -> Next {
        offset = end
        guard let header = header(length: 4) else { return .nothing }
        offset += 4
        switch header.half(2) {
        case 0x0021: return .network(0x0800)
        case 0x0057: return .network(0x86dd)
        default: return .network(type)
        }
    }
}
