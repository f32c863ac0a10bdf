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
    ///
    /// - Parameter hasLoops: Whether there may be loops, which only libpcap's rules allow.
    static func program(isEthernet: Bool, hasLoops: Bool, using generator: inout SeededGenerator) -> Program? {
        let text = expression(depth: generator.pick([0, 1, 1, 2, 2, 3]), using: &generator)
        let compiler = ExpressionCompiler(
            linkType: isEthernet ? .ethernet : .rawIP, snapshotLength: generator.pick([1, 96, 262_144]),
            optimizes: generator.chance(30))
        guard let program = try? compiler.compile(text), program.rules.contains(.kernel) || hasLoops
        else { return nil }
        return program
    }

    private static func expression(depth: Int, using generator: inout SeededGenerator) -> String {
        if depth == 0 { return primitive(using: &generator) }
        let count = Int.random(in: 2...4, using: &generator)
        if depth == 1, generator.chance(20) {
            let places = generator.pick(neighbours)
            return (0..<count).map { _ in "(\(bits(of: places, using: &generator)))" }
                .joined(separator: generator.pick([" and ", " and ", " or "]))
        }
        if depth == 1, generator.chance(15) { return comparisons(using: &generator) }
        let operands = (0..<count).map { _ in
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
        switch Int.random(in: 0..<18, using: &generator) {
        case 0..<4: return "\(direction)host \(host)"
        case 4..<8: return generator.pick(["", "tcp ", "udp ", "sctp "]) + "\(direction)port \(port)"
        case 8: return "\(direction)net 10.0.\(generator.pick([0, 1])).0/24"
        case 9: return generator.pick(["tcp", "udp", "icmp", "ip", "ip6", "arp", "sctp", "icmp6", "ip proto 132"])
        case 10: return "\(direction)portrange \(port)-\(port + generator.pick([0, 1, 400]))"
        case 11, 12: return bits(of: generator.pick(neighbours), using: &generator)
        case 13: return generator.pick(["greater 60", "less 60", "len > 40", "len & 1 = 0"])
        case 14, 15: return generator.pick(["ip[6:2] & 0x1fff = 0", "ip[0] & 0xf > 5", "ip6[6] = 6", "ip6[40:2] = 80"])
        // Few, since libpcap takes long for them.
        case 16 where generator.chance(25): return "(\(list(using: &generator)))"
        // Loops take long to compile.
        case 17 where generator.chance(10):
            return generator.pick(["", "ip ", "ip6 "]) + "protochain \(generator.pick([6, 17, 58]))"
        default: return generator.pick(["vlan", "vlan 5", "mpls", "ether broadcast", "ip multicast"])
        }
    }

    /// Many comparisons of one number, or a difference either way round, with others that lie near each other.
    private static func comparisons(using generator: inout SeededGenerator) -> String {
        let places = generator.pick([
            ["ip[8]"], ["ip[1]"], ["ip[2:2]"], ["ip[8:2] - ip[1]"], ["ip[1] - ip[8:2]"],
            ["ip[8] - ip[9]", "ip[9] - ip[8]"],
        ])
        let base = generator.pick([0, 0, 1, 60, 200])
        let operators = generator.pick([["="], ["="], ["=", ">", ">=", "<", "<=", "!="]])
        return (0..<Int.random(in: 2...12, using: &generator)).map { _ in
            "\(generator.pick(places)) \(generator.pick(operators)) \(base + .random(in: 0...(operators.count == 1 ? 40 : 3), using: &generator))"
        }.joined(separator: operators.count == 1 ? " or " : generator.pick([" or ", " and "]))
    }

    /// Places that share bytes or lie side by side, so that several questions are one of a wider load.
    private static let neighbours = [
        ["ip[6]", "ip[6:2]", "ip[7]"], ["ip[8]", "ip[9]", "ip[8:2]", "ip[8:4]"], ["ip[12:4]", "ip[12]", "ip[14:2]"],
        ["ip[0]", "ip[1]", "ip[2]"], ["tcp[13]", "tcp[12:2]"], ["ip6[6]", "ip6[7]", "ip6[6:2]"],
    ]

    /// A question of some bits of one of `places`.
    private static func bits(of places: [String], using generator: inout SeededGenerator) -> String {
        let place = generator.pick(places)
        if generator.chance(15) {
            let low = generator.pick([0, 1, 5, 16, 63])
            // Some have nothing between them, which takes out all.
            let high = max(0, low + generator.pick([1, 2, 12, 64, -1, -4]))
            return "\(place) >= \(low) and \(place) \(generator.pick(["<", "<="])) \(high)"
        }
        if generator.chance(20) {
            return "\(place) \(generator.pick(["=", ">", "<=", "<"])) \(generator.pick([0, 1, 6, 17, 63, 64, 65, 128]))"
        }
        let mask = generator.pick([1, 2, 0x0f, 0x20, 0x40, 0xf0, 0xff, 0x1fff])
        let value = generator.chance(40) ? 0 : mask & generator.pick([0x02, 0x10, 0x40, 0xff, 0x2000])
        return "\(place) & \(mask) \(generator.pick(["=", "=", "!="])) \(value)"
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
