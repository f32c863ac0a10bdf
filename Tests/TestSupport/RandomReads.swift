/// Makes random expressions that read where the packet says, and beyond its end: what a filter asks for is there in some
/// packets and not in others.
///
/// Sums of places do not go past 2³², where the kernel begins anew and libpcap finds nothing.
public struct RandomReads {
    private let protocols: [String]
    private let plain: [String]

    /// Expressions for packets that begin with an Ethernet header, or with an IP header.
    public init(isEthernet: Bool) {
        protocols = ["ip", "udp", "tcp", "ip6"] + (isEthernet ? ["ether", "ether", "ether"] : ["icmp"])
        let both = ["udp", "ip", "tcp", "udp port 53", "greater 100", "less 600", "len > 60"]
        plain = both + (isEthernet ? ["arp"] : [])
    }

    /// The next expression, of up to four clauses. libpcap refuses a few, which no packet can match.
    public func next(using generator: inout some RandomNumberGenerator) -> String {
        let clauses = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
            (generator.chance(20) ? "not " : "")
                + (generator.chance(25) ? generator.pick(plain) : "(\(read(using: &generator)))")
        }
        return clauses.dropFirst().reduce(clauses[0]) { $0 + generator.pick([" or ", " or ", " and "]) + $1 }
    }

    private func read(using generator: inout some RandomNumberGenerator) -> String {
        let size = generator.pick(["", ":1", ":2", ":4"])
        let place =
            generator.chance(3) ? "2147483000" : place(depth: generator.pick([0, 1, 1, 2]), using: &generator)
        let comparison = generator.pick(["= 1", "!= 1", "> 70", "<= 0x45", "& 1 = 0", "= 0x5a", ">= 0"])
        return "\(generator.pick(protocols))[\(place)\(size)] \(comparison)"
    }

    private func place(depth: Int, using generator: inout some RandomNumberGenerator) -> String {
        guard depth > 0 else {
            return generator.pick([
                "0", "9", "20", "33", "60", "100", "1000", "1513", "4000", "65535", "70000", "1000000000", "len", "len",
                "ip[8]", "ip[2:2]", "udp[4:2]", "udp[8]", "udp[8:2]", "udp[8:4]", "tcp[12]", "ip6[4:2]", "ip[6:2]",
            ])
        }
        if generator.chance(30) { return "len - \(Int.random(in: 1...21, using: &generator))" }
        let left = place(depth: depth - 1, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return "((\(left)) >> \(Int.random(in: 1...4, using: &generator)))"
        case 1: return "((\(left)) & \(generator.pick([0xf, 0x3c, 0xff, 0x7ff])))"
        default: return "(\(left)) + \(place(depth: 0, using: &generator))"
        }
    }
}
