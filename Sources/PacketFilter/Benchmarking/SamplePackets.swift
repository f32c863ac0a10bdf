/// Ethernet frames as usual traffic has them, to try filters on. Checksums are left out, for no filter computes them.
///
/// Hosts are 192.0.2.1 and 192.0.2.2, 2001:db8::1 and 2001:db8::2, which are for documentation (RFC 5737, RFC 3849).
enum SamplePackets {
    static let all: [[UInt8]] = [
        ethernet(0x0800, ip4(6, tcp(40000, 80, flags: 0x02))),
        ethernet(0x0800, ip4(6, tcp(40000, 443, flags: 0x18, payload))),
        ethernet(0x0800, ip4(6, tcp(40000, 22, flags: 0x10))),
        ethernet(0x0800, ip4(17, udp(40000, 53, payload))),
        ethernet(0x0800, ip4(1, [8, 0, 0, 0, 0, 1, 0, 2] + payload)),
        ethernet(0x0806, arp, to: broadcast),
        ethernet(0x86dd, ip6(6, tcp(40000, 80, flags: 0x02))),
        ethernet(0x86dd, ip6(17, udp(40000, 53, payload))),
        ethernet(0x86dd, ip6(58, [128, 0, 0, 0, 0, 1, 0, 2] + payload)),
        ethernet(0x0800, ip4(17, udp(40000, 5001, zeros(1400)))),
        ethernet(0x0800, ip4(17, udp(40000, 123, payload), to: [224, 0, 1, 1]), to: [1, 0, 0x5e, 0, 1, 1]),
        ethernet(0x0800, ip4(17, udp(68, 67, zeros(300)), to: [255, 255, 255, 255]), to: broadcast),
        ethernet(0x0800, ip4(2, [0x16, 0, 0, 0, 224, 0, 0, 251])),
        ethernet(0x0800, ip4(47, [0, 0, 8, 0] + ip4(17, udp(40000, 53, payload)))),
        ethernet(0x0800, ip4(50, [0, 0, 1, 0, 0, 0, 0, 1] + payload)),
        ethernet(0x0800, ip4(132, be16(40000) + be16(80) + zeros(8) + [1, 0, 0, 4])),
        ethernet(0x8100, [0, 5, 8, 0] + ip4(6, tcp(40000, 80, flags: 0x02))),
        ethernet(0x8100, [0, 5, 0x86, 0xdd] + ip6(17, udp(40000, 53, payload))),
        ethernet(0x8847, [0, 1, 1, 64] + ip4(17, udp(40000, 53, payload))),
        ethernet(0x8864, [0x11, 0, 0, 7, 0, 54, 0, 0x21] + ip4(6, tcp(40000, 80, flags: 0x02))),
        ethernet(0x86dd, ip6(0, [6, 0, 1, 4, 0, 0, 0, 0] + tcp(40000, 80, flags: 0x02))),
    ]

    private static let payload = Array("some bytes of payload".utf8)
    private static let broadcast = [UInt8](repeating: 0xff, count: 6)
    private static let macs: [[UInt8]] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]]
    private static let arp: [UInt8] =
        [0, 1, 8, 0, 6, 4, 0, 1] + macs[0] + [192, 0, 2, 1] + zeros(6) + [192, 0, 2, 2] + zeros(18)

    private static func ethernet(_ type: Int, _ payload: [UInt8], to destination: [UInt8] = macs[1]) -> [UInt8] {
        destination + macs[0] + be16(type) + payload
    }

    private static func ip4(_ proto: UInt8, _ payload: [UInt8], to destination: [UInt8] = [192, 0, 2, 2]) -> [UInt8] {
        [0x45, 0] + be16(20 + payload.count) + [0, 1, 0, 0, 64, proto, 0, 0, 192, 0, 2, 1] + destination + payload
    }

    private static func ip6(_ next: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let network: [UInt8] = [0x20, 1, 0xd, 0xb8] + zeros(11)
        return [0x60, 0, 0, 0] + be16(payload.count) + [next, 64] + network + [1] + network + [2] + payload
    }

    private static func tcp(_ source: Int, _ destination: Int, flags: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        be16(source) + be16(destination) + zeros(8) + [0x50, flags, 0xff, 0xff] + zeros(4) + payload
    }

    private static func udp(_ source: Int, _ destination: Int, _ payload: [UInt8]) -> [UInt8] {
        be16(source) + be16(destination) + be16(8 + payload.count) + [0, 0] + payload
    }

    private static func be16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }
}
