/// A line that tells packets apart: protocol, addresses and ports, as far as the bytes go.
public enum PacketSummary {
    /// The line for a packet that begins as `linkType` says; the number of bytes for one of another link type.
    public static func text(_ bytes: [UInt8], linkType: LinkType) -> String {
        let packet = Bytes(bytes)
        switch linkType {
        case .ethernet: return ethernet(packet)
        case .rawIP: return packet[0].map { $0 >> 4 == 6 ? ip6(packet, at: 0) : ip(packet, at: 0) } ?? "nothing"
        default: return "\(linkType.name), \(bytes.count) bytes"
        }
    }

    private struct Bytes {
        let bytes: [UInt8]

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        subscript(offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

        func half(_ offset: Int) -> Int? {
            guard let high = self[offset], let low = self[offset + 1] else { return nil }
            return Int(high) << 8 | Int(low)
        }
    }

    private static func ethernet(_ packet: Bytes) -> String {
        var offset = 12
        var tags = ""
        while let type = packet.half(offset), [0x8100, 0x88a8, 0x9100].contains(type) {
            tags += "vlan \((packet.half(offset + 2) ?? 0) & 0xfff), "
            offset += 4
        }
        switch packet.half(offset) {
        case 0x0800: return tags + ip(packet, at: offset + 2)
        case 0x86dd: return tags + ip6(packet, at: offset + 2)
        case 0x0806: return tags + arp(packet, at: offset + 2)
        case let type? where type < 0x600: return tags + "IEEE 802.3, length \(type)"
        case let type?: return tags + "EtherType 0x" + hex(type)
        case nil: return tags + "cut short"
        }
    }

    private static func arp(_ packet: Bytes, at offset: Int) -> String {
        let (sender, target) = (address(packet, at: offset + 14), address(packet, at: offset + 24))
        switch packet.half(offset + 6) {
        case 1: return "ARP who-has \(target) tell \(sender)"
        case 2: return "ARP reply \(sender)"
        default: return "ARP"
        }
    }

    private static func ip(_ packet: Bytes, at offset: Int) -> String {
        guard let first = packet[offset], let proto = packet[offset + 9] else { return "IP, cut short" }
        let isLaterFragment = (packet.half(offset + 6) ?? 0) & 0x1fff != 0
        let behind = isLaterFragment ? nil : offset + Int(first & 0xf) * 4
        return "IP "
            + transport(
                proto, packet, behind, from: address(packet, at: offset + 12), to: address(packet, at: offset + 16))
            + (isLaterFragment ? ", a later fragment" : "")
    }

    private static func ip6(_ packet: Bytes, at offset: Int) -> String {
        guard let next = packet[offset + 6] else { return "IP6, cut short" }
        return "IP6 "
            + transport(
                next, packet, offset + 40, from: longAddress(packet, at: offset + 8),
                to: longAddress(packet, at: offset + 24))
    }

    private static func transport(
        _ proto: UInt8, _ packet: Bytes, _ offset: Int?, from sender: String, to receiver: String
    ) -> String {
        let names: [UInt8: String] = [1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmp6", 132: "sctp"]
        let name = names[proto] ?? "protocol \(proto)"
        guard [6, 17, 132].contains(proto), let offset, let from = packet.half(offset), let to = packet.half(offset + 2)
        else { return "\(sender) > \(receiver): \(name)" }
        return "\(sender).\(from) > \(receiver).\(to): \(name)"
    }

    private static func address(_ packet: Bytes, at offset: Int) -> String {
        (0..<4).map { packet[offset + $0].map(String.init) ?? "?" }.joined(separator: ".")
    }

    /// An IPv6 address in the form of RFC 5952.
    private static func longAddress(_ packet: Bytes, at offset: Int) -> String {
        let groups = (0..<8).map { packet.half(offset + 2 * $0) ?? 0 }
        var (start, length) = (0, 1)
        for first in groups.indices {
            let zeros = groups[first...].prefix { $0 == 0 }.count
            if zeros > length { (start, length) = (first, zeros) }
        }
        guard length > 1 else { return groups.map(hex).joined(separator: ":") }
        return groups[..<start].map(hex).joined(separator: ":") + "::"
            + groups[(start + length)...].map(hex).joined(separator: ":")
    }

    private static func hex(_ number: Int) -> String { String(number, radix: 16) }
}
