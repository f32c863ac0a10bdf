/// What must hold of a packet that a condition matches, as far as contradictions are looked for.
struct PacketFacts {
    /// What follows the header of the link, by name.
    struct Networks: OptionSet {
        let rawValue: UInt32
        static let ip = Networks(rawValue: 1)
        static let ip6 = Networks(rawValue: 2)
        static let arp = Networks(rawValue: 4)
        static let rarp = Networks(rawValue: 8)
        static let iso = Networks(rawValue: 16)
        /// Any Ethernet type without a name here.
        static let other = Networks(rawValue: 32)
        static let named: [(String, Networks)] =
            [("ip", .ip), ("ip6", .ip6), ("arp", .arp), ("rarp", .rarp), ("iso", .iso)]
            + ["atalk", "aarp", "decnet", "lat", "sca", "moprc", "mopdl", "stp", "ipx", "netbeui", "pppoed"]
            .enumerated().map { ($1, Networks(rawValue: 64 << $0)) }
    }

    /// What follows the IP header, by the number of the protocol.
    struct Transports: OptionSet {
        let rawValue: UInt32
        static let tcp = Transports(rawValue: 1)
        static let udp = Transports(rawValue: 2)
        static let sctp = Transports(rawValue: 4)
        /// Any protocol without a name here.
        static let other = Transports(rawValue: 8)
        static let named: [(name: String, number: UInt32, set: Transports)] =
            [("tcp", 6, .tcp), ("udp", 17, .udp), ("sctp", 132, .sctp)]
            + [
                ("icmp", 1), ("igmp", 2), ("igrp", 9), ("esp", 50), ("ah", 51), ("icmp6", 58), ("pim", 103),
                ("vrrp", 112),
                // It shares VRRP's number.
                ("carp", 112),
            ].enumerated().map { ($1.0, $1.1, Transports(rawValue: 16 << UInt32(min($0, 7)))) }
    }

    /// Some of several possibilities, and the node that says so.
    struct Choice<Options: OptionSet & Sendable> where Options.RawValue == UInt32 {
        var possible: Options
        var origin: Int32 = -1

        static var any: Self { Self(possible: Options(rawValue: .max)) }
        var isRestricted: Bool { possible.rawValue != .max }
    }

    /// A range of numbers, and the node that says so.
    struct Bounds {
        var low: UInt32 = 0
        var high: UInt32 = .max
        var origin: Int32 = -1

        var isRestricted: Bool { low > 0 || high < .max }
    }

    /// The node that this is about.
    var root: Int32
    /// How many words to its left shift offsets: facts of another header are no contradiction.
    var shifts: Int32 = 0
    var network = Choice<Networks>.any
    var transport = Choice<Transports>.any
    var sourcePort = Bounds()
    var destinationPort = Bounds()
    var sourceAddress = Bounds()
    var destinationAddress = Bounds()
    var length = Bounds()

    init(root: Int) { self.root = Int32(root) }
}

extension PacketFacts {
    /// The two nodes that say what cannot both be.
    typealias Conflict = (left: Int32, right: Int32)

    /// Adds what `other`, which stands to the right, requires too; returns the first contradiction, which is then
    /// left out so that it is not found again.
    mutating func require(_ other: PacketFacts) -> Conflict? {
        guard shifts == other.shifts else {
            self = other
            return nil
        }
        // All are merged, whichever of them conflicts first.
        let conflicts = [
            network.require(other.network), transport.require(other.transport), sourcePort.require(other.sourcePort),
            destinationPort.require(other.destinationPort), sourceAddress.require(other.sourceAddress),
            destinationAddress.require(other.destinationAddress), length.require(other.length),
        ]
        return conflicts.lazy.compactMap(\.self).first
    }

    /// What holds where this or `other`, which stands to the right, does; the node `index` says so.
    mutating func allow(_ other: PacketFacts, at index: Int) {
        guard shifts == other.shifts else {
            self = PacketFacts(root: index)
            shifts = other.shifts
            return
        }
        network.allow(other.network, index)
        transport.allow(other.transport, index)
        sourcePort.allow(other.sourcePort, index)
        destinationPort.allow(other.destinationPort, index)
        sourceAddress.allow(other.sourceAddress, index)
        destinationAddress.allow(other.destinationAddress, index)
        length.allow(other.length, index)
    }

    /// Says that all of it comes from the node `index`.
    mutating func attribute(to index: Int) {
        root = Int32(index)
        network.origin = root
        transport.origin = root
        sourcePort.origin = root
        destinationPort.origin = root
        sourceAddress.origin = root
        destinationAddress.origin = root
        length.origin = root
    }
}

extension PacketFacts.Choice {
    mutating func require(_ other: Self) -> PacketFacts.Conflict? {
        let both = possible.rawValue & other.possible.rawValue
        if both == 0 { return (origin, other.origin) }
        if both != possible.rawValue { self = Self(possible: Options(rawValue: both), origin: other.origin) }
        return nil
    }

    mutating func allow(_ other: Self, _ index: Int) {
        let either = possible.rawValue | other.possible.rawValue
        self = Self(possible: Options(rawValue: either), origin: Int32(index))
    }
}

extension PacketFacts.Bounds {
    mutating func require(_ other: Self) -> PacketFacts.Conflict? {
        let low = max(low, other.low)
        let high = min(high, other.high)
        guard low <= high else { return (origin, other.origin) }
        if low != self.low || high != self.high { self = Self(low: low, high: high, origin: other.origin) }
        return nil
    }

    mutating func allow(_ other: Self, _ index: Int) {
        self = Self(low: min(low, other.low), high: max(high, other.high), origin: Int32(index))
    }
}
