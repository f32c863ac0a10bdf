/// A named Ethernet frame for tests.
public struct Frame: Hashable, Sendable, CustomStringConvertible {
    /// What the frame is, unique in ``Frames/all``.
    public var name: String
    /// The bytes from the destination address on, without the frame check sequence.
    public var bytes: [UInt8]

    /// The name, as test arguments are listed.
    public var description: String { name }

    init(_ name: String, _ bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    /// The frame's first `count` bytes.
    func cut(to count: Int) -> Frame {
        precondition(count < bytes.count, "\(name) has \(bytes.count) bytes, it cannot be cut to \(count)")
        return Frame("\(name) cut to \(count)", Array(bytes.prefix(count)))
    }
}

/// The frames that tests send and filters are tried on.
///
/// Lengths and checksums are right except where a name says otherwise. Hosts are 10.0.0.1 and 10.0.0.2,
/// 2001:db8::1 and 2001:db8::2.
public enum Frames {
    /// Every frame, at least 14 bytes each, for Ethernet interfaces refuse to send shorter ones.
    public static let all: [Frame] = [ipv4, fragments, ipv6, tagged, other, truncated].flatMap { $0 }

    /// The frame called `name`.
    ///
    /// - Precondition: There is one.
    public static func named(_ name: String) -> Frame {
        guard let frame = all.first(where: { $0.name == name }) else { preconditionFailure("no frame \(name)") }
        return frame
    }

    /// A UDP datagram over IPv4 from one host to a port of the other.
    public static func datagram(to port: Int, _ data: [UInt8]) -> [UInt8] {
        ethernet(0x0800, ip4(udp(40000, port, data)))
    }

    /// IPv4 in one piece.
    public static let ipv4: [Frame] = [
        Frame("tcp syn to 80", ethernet(0x0800, syn)),
        Frame("tcp syn ack from 80", ethernet(0x0800, ip4(tcp(80, 40000, flags: 0x12), reply: true))),
        Frame("tcp data to 80", ethernet(0x0800, ip4(tcp(40000, 80, flags: 0x18, text("GET / HTTP/1.0\r\n\r\n"))))),
        Frame("tcp fin from 80", ethernet(0x0800, ip4(tcp(80, 40000, flags: 0x11), reply: true))),
        Frame("tcp rst from 80", ethernet(0x0800, ip4(tcp(80, 40000, flags: 0x04), reply: true))),
        Frame("tcp to 443", ethernet(0x0800, ip4(tcp(40001, 443, flags: 0x18, text("hello"))))),
        Frame("tcp to 22", ethernet(0x0800, ip4(tcp(40001, 22, flags: 0x02)))),
        Frame("tcp with options", ethernet(0x0800, ip4(tcp(1, 80, flags: 2, options: [2, 4, 5, 0xb4])))),
        Frame("udp to 53", ethernet(0x0800, dns)),
        Frame("udp from 53", ethernet(0x0800, ip4(udp(53, 40000, answer), reply: true))),
        Frame("udp to 80", ethernet(0x0800, ip4(udp(40000, 80, text("no tcp"))))),
        Frame("udp without payload", ethernet(0x0800, ip4(udp(1, 65535, [])))),
        Frame("udp without checksum", ethernet(0x0800, ip4(Transport(17, [0, 1, 0, 2, 0, 8, 0, 0])))),
        Frame("icmp echo", ethernet(0x0800, ip4(icmp([8, 0, 0, 0, 0, 1, 0, 2], text("ping"))))),
        Frame("icmp unreachable", ethernet(0x0800, ip4(icmp([3, 1, 0, 0, 0, 0, 0, 0], syn)))),
        Frame("tcp behind IP options", ethernet(0x0800, ip4(tcp(40000, 80, flags: 2), options: [0x94, 4, 0, 0]))),
        Frame("udp behind 40 bytes of IP options", ethernet(0x0800, ip4(udp(1, 53, question), options: ones(40)))),
        Frame("igmp", ethernet(0x0800, ip4(Transport(2, [0x16, 0, 9, 4, 224, 0, 0, 251]), options: [0x94, 4, 0, 0]))),
        Frame("sctp", ethernet(0x0800, ip4(Transport(132, [0x9c, 0x40, 0, 80], zeros(8), [1, 0, 0, 4])))),
        Frame("gre with ip inside", ethernet(0x0800, ip4(Transport(47, [0, 0, 8, 0], dns)))),
        Frame("ip in ip", ethernet(0x0800, ip4(Transport(4, dns)))),
        Frame("esp", ethernet(0x0800, ip4(Transport(50, [0, 0, 1, 0, 0, 0, 0, 1], text("sealed away"))))),
        Frame("udp to the broadcast address", ethernet(0x0800, dns, to: broadcast)),
        Frame("udp to a multicast address", ethernet(0x0800, dns, to: [1, 0, 0x5e, 0, 0, 251])),
        Frame("udp with padding", join(ethernet(0x0800, ip4(udp(7, 9, [1]))), zeros(17))),
        Frame("udp jumbo", ethernet(0x0800, ip4(udp(40000, 7, pattern(7958))))),
    ]

    /// One IPv4 datagram in three pieces, and one that must not be cut.
    public static let fragments: [Frame] = [
        Frame("first fragment", ethernet(0x0800, ip4(Transport(17, pieces, pattern(16)), fragment: 0x2000))),
        Frame("middle fragment", ethernet(0x0800, ip4(Transport(17, pattern(24)), fragment: 0x2003))),
        Frame("last fragment", ethernet(0x0800, ip4(Transport(17, pattern(10)), fragment: 0x0006))),
        Frame("do not fragment", ethernet(0x0800, ip4(tcp(40000, 80, flags: 2), fragment: 0x4000))),
    ]

    /// IPv6, with and without extension headers.
    public static let ipv6: [Frame] = [
        Frame("ipv6 tcp syn to 80", ethernet(0x86dd, syn6)),
        Frame("ipv6 tcp to 443", ethernet(0x86dd, ip6(tcp(40001, 443, flags: 0x18, text("hello"))))),
        Frame("ipv6 udp to 53", ethernet(0x86dd, ip6(udp(40000, 53, question)))),
        Frame("ipv6 icmp echo", ethernet(0x86dd, ip6(icmp6(128, [0, 1, 0, 2], text("ping"))))),
        Frame("ipv6 neighbour solicitation", ethernet(0x86dd, ip6(icmp6(135, zeros(4), v6host2)), to: allNodes)),
        Frame(
            "ipv6 udp behind hop-by-hop", ethernet(0x86dd, ip6(udp(1, 53, question), behind: 0, [5, 2, 0, 0, 1, 0]))),
        Frame("ipv6 tcp behind routing", ethernet(0x86dd, ip6(tcp(1, 80), behind: 43, join(zeros(6), v6host2)))),
        Frame("ipv6 tcp behind options", ethernet(0x86dd, ip6(tcp(1, 80), behind: 60, [1, 4, 0, 0, 0, 0]))),
        Frame("ipv6 first fragment", ethernet(0x86dd, ip6(udp(1, 53, question), behind: 44, [0, 1, 0, 0, 0, 9]))),
        Frame(
            "ipv6 last fragment", ethernet(0x86dd, ip6(Transport(17, pattern(12)), behind: 44, [0, 24, 0, 0, 0, 9]))),
        Frame("ipv6 without payload", ethernet(0x86dd, ip6(Transport(59, [])))),
    ]

    /// Frames with something between the addresses and the network header.
    public static let tagged: [Frame] = [
        Frame("vlan 5 tcp to 80", ethernet(0x8100, [0, 5, 8, 0], syn)),
        Frame("vlan 5 udp to 53", ethernet(0x8100, [0, 5, 8, 0], dns)),
        Frame("vlan 4094 priority 7 ipv6 tcp", ethernet(0x8100, [0xef, 0xfe, 0x86, 0xdd], syn6)),
        Frame("vlan 0 arp", ethernet(0x8100, [0, 0, 8, 6], arp)),
        Frame("802.1ad tag alone", ethernet(0x88a8, [0, 100, 8, 0], dns)),
        Frame("802.1ad 100 vlan 5 tcp to 80", ethernet(0x88a8, [0, 100, 0x81, 0, 0, 5, 8, 0], syn)),
        Frame("vlan 6 vlan 7 udp to 53", ethernet(0x8100, [0, 6, 0x81, 0, 0, 7, 8, 0], dns)),
        Frame("mpls 16", ethernet(0x8847, [0, 1, 1, 64], dns)),
        Frame("mpls 16 over 17", ethernet(0x8847, [0, 1, 0, 64, 0, 1, 0x11, 64], dns)),
        Frame("pppoe session", ethernet(0x8864, [0x11, 0, 0, 7], be16(dns.count + 2), [0, 0x21], dns)),
        Frame("pppoe discovery", ethernet(0x8863, [0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0])),
    ]

    /// Frames that carry no IP, or not in the usual way.
    public static let other: [Frame] = [
        Frame("arp request", ethernet(0x0806, arp, to: broadcast)),
        Frame("arp reply", ethernet(0x0806, arpReply)),
        Frame("stp", llc([0x42, 0x42, 3], zeros(35), to: [1, 0x80, 0xc2, 0, 0, 0])),
        Frame("snap", llc([0xaa, 0xaa, 3, 0, 0, 0, 8, 0], dns, to: host2)),
        Frame("ipx", llc([0xff, 0xff, 0, 30], zeros(28), to: broadcast)),
        Frame("lldp", ethernet(0x88cc, [2, 2, 7, 1, 4, 2, 7, 1, 6, 2, 0, 120, 0, 0], to: [1, 0x80, 0xc2, 0, 0, 14])),
        Frame("unknown type", ethernet(0x88b5, pattern(60))),
        Frame("all ones", [UInt8](repeating: 0xff, count: 64)),
    ]

    /// Frames that end inside a header; the lengths in them are still those of the whole.
    public static let truncated: [Frame] = [
        ("tcp syn to 80", [14, 15, 16, 23, 24, 27, 33, 34, 35, 36, 37, 38, 47, 53]),
        ("udp to 53", [34, 37, 41]),
        ("tcp behind IP options", [34, 38, 57]),
        ("ipv6 tcp syn to 80", [20, 21, 53, 54, 55, 57]),
        ("vlan 5 tcp to 80", [14, 16, 18, 37, 41]),
    ].flatMap { (name: String, counts: [Int]) in
        let whole = (ipv4 + ipv6 + tagged).first { $0.name == name }!
        return counts.map { whole.cut(to: $0) }
    }
}

private let syn = ip4(tcp(40000, 80, flags: 0x02))
private let syn6 = ip6(tcp(40000, 80, flags: 0x02))
private let dns = ip4(udp(40000, 53, question))
/// Asks the DNS for the address of "a".
private let question: [UInt8] = [0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
/// Says that there is no "a".
private let answer: [UInt8] = [0, 9, 0x81, 3, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1]
/// The header of a UDP datagram of which the first fragment carries 16 bytes more; its checksum is left out.
private let pieces: [UInt8] = [0x9c, 0x40, 0, 53, 0, 58, 0, 0]
private let arp: [UInt8] = join([0, 1, 8, 0, 6, 4, 0, 1], host1, [10, 0, 0, 1], zeros(6), [10, 0, 0, 2])
private let arpReply: [UInt8] = join([0, 1, 8, 0, 6, 4, 0, 2], host2, [10, 0, 0, 2], host1, [10, 0, 0, 1])

// MARK: - Link layer

private let host1: [UInt8] = [2, 0, 0, 0, 0, 1]
private let host2: [UInt8] = [2, 0, 0, 0, 0, 2]
private let broadcast = [UInt8](repeating: 0xff, count: 6)
private let allNodes: [UInt8] = [0x33, 0x33, 0xff, 0, 0, 2]

private func ethernet(_ type: Int, _ payload: [UInt8]..., to destination: [UInt8] = host2) -> [UInt8] {
    join(destination, host1, be16(type), payload.flatMap { $0 })
}

/// An 802.3 frame: a length where others have a type, padded to the least that Ethernet allows.
private func llc(_ header: [UInt8], _ payload: [UInt8], to destination: [UInt8]) -> [UInt8] {
    let count = header.count + payload.count
    return ethernet(count, header, payload, zeros(max(0, 46 - count)), to: destination)
}

// MARK: - Network layer

private let v6host1: [UInt8] = join([0x20, 1, 0xd, 0xb8], zeros(11), [1])
private let v6host2: [UInt8] = join([0x20, 1, 0xd, 0xb8], zeros(11), [2])

private func ip4(
    _ transport: Transport, options: [UInt8] = [], fragment: Int = 0, reply: Bool = false
) -> [UInt8] {
    let hosts: [[UInt8]] = [[10, 0, 0, 1], [10, 0, 0, 2]]
    let addresses = (reply ? hosts.reversed() : hosts).flatMap { $0 }
    let payload = transport.checksummed(between: addresses)
    let header = join(
        [UInt8(0x45 + options.count / 4), 0], be16(20 + options.count + payload.count), [0x12, 0x34],
        be16(fragment), [64, transport.proto, 0, 0], addresses, options)
    return join(withChecksum(header, at: 10), payload)
}

private func ip6(_ transport: Transport) -> [UInt8] {
    ip6(transport.proto, transport.checksummed(between: join(v6host1, v6host2)))
}

/// IPv6 with an extension header of type `type`, of which `rest` are all bytes but the first two.
private func ip6(_ transport: Transport, behind type: UInt8, _ rest: [UInt8]) -> [UInt8] {
    let payload = transport.checksummed(between: join(v6host1, v6host2))
    return ip6(type, join([transport.proto, UInt8((rest.count + 2) / 8 - 1)], rest, payload))
}

private func ip6(_ next: UInt8, _ payload: [UInt8]) -> [UInt8] {
    join([0x60, 0, 0, 0], be16(payload.count), [next, 64], v6host1, v6host2, payload)
}

// MARK: - Transport layer

/// A transport header with its payload.
private struct Transport {
    var proto: UInt8
    var bytes: [UInt8]
    /// Where the checksum belongs that covers the addresses too; nil for protocols without one.
    var checksum: Int?

    init(_ proto: UInt8, _ parts: [UInt8]..., checksum: Int? = nil) {
        self.proto = proto
        self.bytes = parts.flatMap { $0 }
        self.checksum = checksum
    }

    func checksummed(between addresses: [UInt8]) -> [UInt8] {
        guard let checksum else { return bytes }
        return withChecksum(bytes, at: checksum, and: join(addresses, [0, proto], be16(bytes.count)))
    }
}

private func tcp(
    _ source: Int, _ destination: Int, flags: UInt8 = 0x10, options: [UInt8] = [], _ payload: [UInt8] = []
) -> Transport {
    let words = UInt8(5 + options.count / 4)
    return Transport(
        6, be16(source), be16(destination), [0, 0, 1, 0, 0, 0, 0, 0], [words << 4, flags, 0x20, 0, 0, 0, 0, 0],
        options, payload, checksum: 16)
}

private func udp(_ source: Int, _ destination: Int, _ payload: [UInt8]) -> Transport {
    Transport(17, be16(source), be16(destination), be16(8 + payload.count), [0, 0], payload, checksum: 6)
}

private func icmp(_ header: [UInt8], _ payload: [UInt8]) -> Transport {
    Transport(1, withChecksum(join(header, payload), at: 2))
}

private func icmp6(_ type: UInt8, _ header: [UInt8], _ payload: [UInt8]) -> Transport {
    Transport(58, [type, 0, 0, 0], header, payload, checksum: 2)
}

// MARK: - Bytes

/// `bytes` with the Internet checksum of them and of `others` at `position`. Source: RFC 1071.
private func withChecksum(_ bytes: [UInt8], at position: Int, and others: [UInt8] = []) -> [UInt8] {
    var sum = 0
    for part in [bytes, others] {
        for (index, byte) in part.enumerated() { sum += index.isMultiple(of: 2) ? Int(byte) << 8 : Int(byte) }
    }
    while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
    var result = bytes
    result.replaceSubrange(position..<position + 2, with: be16(~sum & 0xffff))
    return result
}

private func join(_ parts: [UInt8]...) -> [UInt8] { parts.flatMap { $0 } }

private func be16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

private func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

private func ones(_ count: Int) -> [UInt8] { [UInt8](repeating: 1, count: count) }

private func text(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Bytes that differ from their neighbours, so that a load from the wrong place shows.
private func pattern(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 >> 8) } }
