import ExtendedBPF

// The headers on the way to the payload. Each has to be there as a whole and leads to one of the places of the search.

extension PayloadSearch {
    /// A header of the protocol. Source of the numbers: IANA's "IEEE 802 Numbers".
    mutating func emitNetworkHeaders() {
        assembler.place(places.network)
        let headers: [(types: [Int32], emit: (inout PayloadSearch) -> Void)] = [
            ([0x0800], { $0.emitIPv4() }),
            ([0x86dd], { $0.emitIPv6() }),
            ([0x8100, 0x88a8], { $0.emitVLANTag() }),
            ([0x8864], { $0.emitPPPoE() }),
            ([0x4305], { $0.emitBatman() }),
            // PRP and HSR.
            ([0x88fb, 0x892f], { $0.emitRedundancyTag() }),
            // ARP, RARP and CFM.
            ([0x0806, 0x8035, 0x8902], { $0.go(to: $0.places.found) }),
            // MPLS for one receiver and for many.
            ([0x8847, 0x8848], { $0.emitSkip(4) }),
            // TIPC.
            ([0x88ca], { $0.emitSkip(0, of: 16) }),
            // PTP.
            ([0x88f7], { $0.emitSkip(34, of: 34) }),
            ([0x8906], { $0.emitFibreChannel() }),
        ]
        let labels = headers.map { _ in assembler.makeLabel() }
        for (header, label) in zip(headers, labels) {
            for type in header.types { jump(to: label, if: .jump64(if: proto, .equal, type, 0)) }
        }
        go(to: places.nothing)
        for (header, label) in zip(headers, labels) {
            assembler.place(label)
            header.emit(&self)
        }
    }

    /// The end behind that many bytes, where as many as `presence` are there.
    private mutating func emitSkip(_ count: Int32, of presence: Int32 = 0) {
        if presence != 0 { emitPresence(presence) }
        if count != 0 { append(.alu64(.add, offset, count)) }
        go(to: places.found)
    }

    /// Source: RFC 791.
    private mutating func emitIPv4() {
        emitPresence(20)
        emitHalf(.r1, 0)
        append(.alu64(.shiftRight, .r1, 8), .alu64(.and, .r1, 15))
        unless(.jump64(if: .r1, .greater, 4, 0))
        append(.alu64(.shiftLeft, .r1, 2), .store(.doubleword, .r10, headerLength, .r1))
        emitHalf(.r1, 8)
        append(.alu64(.and, .r1, 0xff), .store(.doubleword, .r10, transport, .r1))
        emitHalf(.r1, 6)
        append(.load(.doubleword, .r2, .r10, headerLength), .alu64(.add, offset, .r2))
        jump(to: places.foundFragment, if: .jump64(if: .r1, .anyBitSet, 0x1fff, 0))
        jump(to: places.found, if: .jump64(if: .r1, .anyBitSet, 0x2000, 0))
        go(to: places.transport)
    }

    /// Source: RFC 8200.
    private mutating func emitIPv6() {
        emitPresence(40)
        emitHalf(.r1, 6)
        append(
            .alu64(.add, offset, 40), .alu64(.shiftRight, .r1, 8), .store(.doubleword, .r10, transport, .r1))
        go(to: places.transport)
    }

    /// The first tag is the one beside the bytes if there is one. Source: IEEE 802.1Q.
    private mutating func emitVLANTag() {
        let inBytes = assembler.makeLabel()
        append(
            .load(.doubleword, proto, .r10, taggedProtocol), .load(.doubleword, .r1, .r10, noProtocol),
            .store(.doubleword, .r10, taggedProtocol, .r1))
        jump(to: inBytes, if: .jump64(if: proto, .equal, -1, 0))
        go(to: places.nextNetwork)
        assembler.place(inBytes)
        emitNextNetwork(at: 2, of: 4)
    }

    /// A session's header and the number of the protocol in it, which has to be of two bytes. Source: RFC 2516, RFC 1661.
    private mutating func emitPPPoE() {
        emitPresence(8)
        emitHalf(.r1, 0)
        jump(to: places.nothing, if: .jump64(if: .r1, .notEqual, 0x1100, 0))
        emitHalf(.r1, 6)
        append(.alu64(.add, offset, 8))
        emitPPPContent([(0x0021, 0x0800), (0x0057, 0x86dd), (0x0281, 0x8847), (0x0283, 0x8848)])
        append(.alu64(.and, .r1, 0x0101))
        jump(to: places.found, if: .jump64(if: .r1, .equal, 1, 0))
        go(to: places.nothing)
    }

    /// Goes on with the protocol that the number in `r1` stands for, or else here.
    private mutating func emitPPPContent(_ protocols: [(number: Int32, type: Int32)]) {
        for (number, type) in protocols {
            append(.move64(proto, type))
            jump(to: places.nextNetwork, if: .jump64(if: .r1, .equal, number, 0))
        }
    }

    /// A unicast packet of B.A.T.M.A.N. Advanced and the Ethernet header in it. Source: `<linux/batadv_packet.h>`.
    private mutating func emitBatman() {
        emitPresence(24)
        emitHalf(.r1, 0)
        jump(to: places.nothing, if: .jump64(if: .r1, .notEqual, 0x400f, 0))
        emitNextNetwork(at: 22, of: 24)
    }

    /// Source: IEC 62439-3.
    private mutating func emitRedundancyTag() {
        emitNextNetwork(at: 4, of: 6)
    }

    /// Its header has to be in the linear part. Source: ANSI INCITS 462.
    private mutating func emitFibreChannel() {
        append(.load(.doubleword, .r1, .r10, linearLength), .alu64(.subtract, .r1, offset))
        unless(.jump64(if: .r1, .signedGreater, 37, 0))
        emitSkip(38)
    }

    /// Goes on behind a header of `count` bytes with the protocol that it has at `place`.
    private mutating func emitNextNetwork(at place: Int32, of count: Int32) {
        emitPresence(count)
        emitHalf(proto, place)
        append(.alu64(.add, offset, count))
        go(to: places.nextNetwork)
    }
}

extension PayloadSearch {
    /// What is behind an IP header. Source of the numbers: IANA's "Protocol Numbers".
    mutating func emitTransportHeaders() {
        assembler.place(places.transport)
        append(.load(.doubleword, .r1, .r10, transport))
        let (gre, options, fragment) = (assembler.makeLabel(), assembler.makeLabel(), assembler.makeLabel())
        jump(to: gre, if: .jump64(if: .r1, .equal, 47, 0))
        // IPv4, IPv6 and MPLS in IP. Only behind IPv6 the others are headers of its own.
        for (number, type): (Int32, Int32) in [(4, 0x0800), (41, 0x86dd), (137, 0x8847)] {
            let other = assembler.makeLabel()
            jump(to: other, if: .jump64(if: .r1, .notEqual, number, 0))
            append(.move64(proto, type))
            go(to: places.nextNetwork)
            assembler.place(other)
        }
        jump(to: places.found, if: .jump64(if: proto, .notEqual, 0x86dd, 0))
        for number: Int32 in [0, 43, 60] { jump(to: options, if: .jump64(if: .r1, .equal, number, 0)) }
        jump(to: fragment, if: .jump64(if: .r1, .equal, 44, 0))
        go(to: places.found)
        assembler.place(options)
        emitOptions()
        assembler.place(fragment)
        emitFragment()
        assembler.place(gre)
        emitGRE()
    }

    /// Options by hop and for the destination, routes. Source: RFC 8200.
    private mutating func emitOptions() {
        emitPresence(2)
        emitHalf(.r1, 0)
        append(
            .move64(.r2, .r1), .alu64(.shiftRight, .r2, 8), .store(.doubleword, .r10, transport, .r2),
            .alu64(.and, .r1, 0xff), .alu64(.add, .r1, 1), .alu64(.shiftLeft, .r1, 3), .alu64(.add, offset, .r1))
        go(to: places.nextTransport)
    }

    /// Source: RFC 8200.
    private mutating func emitFragment() {
        emitPresence(8)
        emitHalf(.r1, 0)
        append(.alu64(.shiftRight, .r1, 8), .store(.doubleword, .r10, transport, .r1))
        emitHalf(.r1, 2)
        append(.alu64(.add, offset, 8))
        jump(to: places.foundFragment, if: .jump64(if: .r1, .anyBitSet, 0xfff8, 0))
        go(to: places.found)
    }

    /// Source: RFC 2784, RFC 2890; for version 1, RFC 2637.
    private mutating func emitGRE() {
        let (isFollowed, noKey, pptp) = (assembler.makeLabel(), assembler.makeLabel(), assembler.makeLabel())
        emitPresence(4)
        emitHalf(proto, 2)
        emitHalf(.r1, 0)
        // Not where there are routes, and version 1 only as PPTP has it, with PPP and a key.
        jump(to: places.found, if: .jump64(if: .r1, .anyBitSet, 0x4006, 0))
        append(.move64(.r2, .r1), .alu64(.and, .r2, 1))
        jump(to: isFollowed, if: .jump64(if: .r2, .equal, 0, 0))
        jump(to: places.found, if: .jump64(if: proto, .notEqual, 0x880b, 0))
        jump(to: isFollowed, if: .jump64(if: .r1, .anyBitSet, 0x2000, 0))
        go(to: places.found)
        assembler.place(isFollowed)
        append(.alu64(.add, offset, 4))
        emitOptional(0x8000, 13)
        append(.move64(.r2, .r1), .alu64(.and, .r2, 0x2000))
        jump(to: noKey, if: .jump64(if: .r2, .equal, 0, 0))
        emitPresence(4)
        append(.alu64(.add, offset, 4))
        assembler.place(noKey)
        emitOptional(0x1000, 10)
        jump(to: pptp, if: .jump64(if: .r1, .anyBitSet, 1, 0))
        jump(to: places.nextNetwork, if: .jump64(if: proto, .notEqual, 0x6558, 0))
        emitNextNetwork(at: 12, of: 14)
        assembler.place(pptp)
        emitOptional(0x0080, 5)
        emitPresence(4)
        emitHalf(.r1, 2)
        append(.alu64(.add, offset, 4))
        emitPPPContent([(0x0021, 0x0800), (0x0057, 0x86dd)])
        append(.move64(proto, 0x880b))
        go(to: places.nextNetwork)
    }

    /// Passes over the four bytes that a flag in `r1` announces, which `distance` makes a 4.
    private mutating func emitOptional(_ flag: Int32, _ distance: Int32) {
        append(.move64(.r2, .r1), .alu64(.and, .r2, flag))
        append(.alu64(.shiftRight, .r2, distance), .alu64(.add, offset, .r2))
    }
}
