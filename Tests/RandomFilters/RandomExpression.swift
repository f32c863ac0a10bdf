import ClassicBPF
import Pcap
import TestSupport

/// Makes random expressions of a few primitives over few addresses and ports, and packets that some of them match.
///
/// What libpcap makes of them without its optimiser asks the same over and over, on ways that come together: random
/// programs do that seldom.
enum RandomExpression {
    /// The program of a random expression for packets with an Ethernet header, or without one; nil for one that libpcap
    /// refuses, for instance because it matches nothing.
    static func program(isEthernet: Bool, using generator: inout SeededGenerator) -> Program? {
        let text = expression(depth: generator.pick([0, 1, 1, 2, 2, 3]), using: &generator)
        let compiler = ExpressionCompiler(
            linkType: isEthernet ? .ethernet : .rawIP, snapshotLength: generator.pick([1, 96, 262_144]),
            optimizes: generator.chance(30))
        guard let program = try? compiler.compile(text), program.rules.contains(.kernel) else { return nil }
        return program
    }

    private static func expression(depth: Int, using generator: inout SeededGenerator) -> String {
        if depth == 0 { return primitive(using: &generator) }
        let operands = (0..<Int.random(in: 2...4, using: &generator)).map { _ in
            (generator.chance(15) ? "not " : "")
                + "(\(expression(depth: depth - (generator.chance(70) ? 1 : depth), using: &generator)))"
        }
        return operands.joined(separator: generator.pick([" and ", " or ", " or "]))
    }

    private static let hosts: [[UInt8]] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 1, 1], [192, 0, 2, 1]]
    private static let ports = [22, 53, 80, 443]
    /// Addresses for long lists, scattered, some next to each other; the first are those above.
    private static let manyHosts =
        hosts
        + (0..<150).map { number in
            let low = UInt32(number / 3) &* 0x9e37_79b1 >> 8 | UInt32(number % 3)
            return [10, UInt8(low >> 16 & 255), UInt8(low >> 8 & 255), UInt8(low & 255)]
        }

    /// A list that is looked up in a table, or nearly long enough for that.
    private static func list(using generator: inout SeededGenerator) -> String {
        let count = generator.pick([10, 14, 30, 140])
        if generator.chance(30) {
            let direction = generator.pick(["", "tcp ", "udp dst "])
            return (0..<count).map { "\(direction)port \(ports[$0 % 4] + 7 * ($0 / 4))" }.joined(separator: " or ")
        }
        let start = generator.pick([0, 4, manyHosts.count - count])
        let direction = generator.pick(["", "src ", "dst "])
        return manyHosts[start..<min(start + count, manyHosts.count)]
            .map { "\(direction)host \($0.map(String.init).joined(separator: "."))" }.joined(separator: " or ")
    }

    private static func primitive(using generator: inout SeededGenerator) -> String {
        let host = generator.pick(hosts).map(String.init).joined(separator: ".")
        let port = generator.pick(ports)
        let direction = generator.pick(["", "", "src ", "dst ", "src and dst "])
        switch Int.random(in: 0..<17, using: &generator) {
        case 0..<4: return "\(direction)host \(host)"
        case 4..<8: return generator.pick(["", "tcp ", "udp ", "sctp "]) + "\(direction)port \(port)"
        case 8: return "\(direction)net 10.0.\(generator.pick([0, 1])).0/24"
        case 9: return generator.pick(["tcp", "udp", "icmp", "ip", "ip6", "arp", "sctp", "icmp6", "ip proto 132"])
        case 10: return "\(direction)portrange \(port)-\(port + generator.pick([0, 1, 400]))"
        case 11:
            return
                "tcp[13] & \(generator.pick([1, 2, 3, 16, 18])) \(generator.pick(["!=", "=", ">"])) \(generator.pick([0, 2, 16]))"
        case 12:
            return
                "ip[\(Int.random(in: 0...19, using: &generator))] \(generator.pick(["=", ">", "<="])) \(generator.pick([0, 1, 69, 64, 128]))"
        case 13: return generator.pick(["greater 60", "less 60", "len > 40", "len & 1 = 0"])
        case 14, 15: return generator.pick(["ip[6:2] & 0x1fff = 0", "ip[0] & 0xf > 5", "ip6[6] = 6", "ip6[40:2] = 80"])
        // Few, since libpcap takes long for them.
        case 16 where generator.chance(25): return "(\(list(using: &generator)))"
        default: return generator.pick(["vlan", "vlan 5", "mpls", "ether broadcast", "ip multicast"])
        }
    }

    /// `packet`, with addresses of the list in most IPv4 headers.
    static func addressed(
        _ packet: [UInt8], isEthernet: Bool, using generator: inout SeededGenerator
    ) -> [UInt8] {
        let start = isEthernet ? 14 : 0
        guard packet.count >= start + 20, packet[start] & 0xf0 == 0x40, generator.chance(80) else { return packet }
        var packet = packet
        let hosts = generator.chance(25) ? manyHosts : hosts
        packet.replaceSubrange(start + 12..<start + 16, with: generator.pick(hosts))
        packet.replaceSubrange(start + 16..<start + 20, with: generator.pick(hosts))
        return packet
    }
}
