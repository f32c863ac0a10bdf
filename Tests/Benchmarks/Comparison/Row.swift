import TestSupport

/// A filter of the comparison.
struct Row {
    /// What the tables call it.
    var name: String
    /// The program in C.
    var reference: ReferenceFilter
    /// A frame that matches, and one that does not and that usual traffic could bring.
    var frames: (match: [UInt8], other: [UInt8])
    /// What others make of it.
    var others: Others?

    /// Whether it is a list of hosts, which some aims leave out.
    var isList: Bool { reference.name.hasSuffix("-hosts") }

    /// The most instructions an optimised program is to have.
    var sizeAim: Int? {
        others.map { isList ? $0.cbpfcC / 2 : min($0.cbpfcC, $0.hand) }
    }
}

/// The sizes of other tools' programs at XDP that return 1 or 0, measured on 2026-11-22 with clang 14.
struct Others {
    /// github.com/cloudflare/cbpfc, straight to eBPF.
    var cbpfc: Int
    /// Its C output through clang -O2.
    var cbpfcC: Int
    /// C written by hand for the one filter, through clang -O2, by who measured the others.
    var hand: Int

    init(_ cbpfc: Int, _ cbpfcC: Int, _ hand: Int) {
        (self.cbpfc, self.cbpfcC, self.hand) = (cbpfc, cbpfcC, hand)
    }
}

extension Row {
    /// A row for each C file, and one for each number of hosts in `lists`.
    static func all(lists: [Int]) throws -> [Row] {
        let files = Dictionary(uniqueKeysWithValues: ReferenceFilter.files.map { ($0.name, $0) })
        let rows = filters.map { filter in
            guard let file = files[filter.file] else { preconditionFailure("there is no \(filter.file).c") }
            return Row(
                name: filter.name ?? file.expression, reference: file, frames: (filter.match, filter.other),
                others: filter.others)
        }
        let forgotten = Set(files.keys).subtracting(filters.map(\.file))
        precondition(forgotten.isEmpty, "no row for \(forgotten)")
        return try rows + lists.map(hosts)
    }

    private static func hosts(_ count: Int) throws -> Row {
        let reference = try ReferenceFilter.hosts(count)
        let addresses = reference.expression.split(separator: " ").filter { $0.contains(".") }
        let middle = addresses[count / 2].split(separator: ".").map { UInt8($0)! }
        let others = [16: Others(87, 185, 223), 256: Others(1325, 2888, 3687), 1000: Others(5789, 12083, 14175)]
        return Row(
            name: "\(count) hosts or-ed", reference: reference,
            frames: (frame("tcp syn to 80", [30: middle]), frame("tcp syn to 80")), others: others[count])
    }
}

/// A C file, the frames it is tried on, and the sizes of other programs.
private struct Filter {
    var file: String
    var name: String?
    var match: [UInt8]
    var other: [UInt8]
    var others: Others?

    init(_ file: String, called name: String? = nil, _ match: [UInt8], _ other: [UInt8], _ others: Others? = nil) {
        (self.file, self.name, self.match, self.other, self.others) = (file, name, match, other, others)
    }
}

/// A frame of the catalogue with other bytes at some offsets.
private func frame(_ name: String, _ changes: [Int: [UInt8]] = [:]) -> [UInt8] {
    var bytes = Frames.named(name).bytes
    for (offset, change) in changes { bytes.replaceSubrange(offset..<offset + change.count, with: change) }
    return bytes
}

private let filters = [
    Filter("icmp-or-udp", frame("udp to 53"), frame("tcp syn to 80"), Others(34, 31, 34)),
    Filter("ip", frame("tcp syn to 80"), frame("arp request"), Others(18, 11, 11)),
    Filter("tcp-port-80", frame("tcp syn to 80"), frame("tcp to 443"), Others(66, 50, 39)),
    Filter(
        "tcp-dst-port-443-and-dst-host", frame("tcp to 443", [30: [10, 0, 0, 1]]), frame("tcp to 443"),
        Others(42, 28, 28)),
    Filter("udp-port-53", frame("udp to 53"), frame("udp without payload"), Others(66, 50, 39)),
    Filter("host", frame("tcp syn to 80", [30: [192, 168, 1, 1]]), frame("tcp syn to 80"), Others(46, 36, 36)),
    Filter("net", frame("tcp syn to 80"), frame("tcp syn to 80", [26: [192], 30: [192]]), Others(46, 40, 36)),
    Filter("ip6-and-tcp", frame("ipv6 tcp syn to 80"), frame("ipv6 udp to 53"), Others(26, 21, 23)),
    Filter("tcp-syn-or-fin", frame("tcp syn to 80"), frame("tcp to 443"), Others(51, 38, 31)),
    Filter("tcp-port-80-data", frame("tcp data to 80"), frame("tcp syn to 80"), Others(79, 46, 36)),
    Filter("vlan-and-ip", frame("vlan 5 tcp to 80"), frame("vlan 4094 priority 7 ipv6 tcp"), Others(23, 15, 15)),
    Filter("portrange", frame("tcp syn to 80", [36: [5, 220]]), frame("tcp syn to 80"), Others(73, 66, 51)),
    Filter(
        "16-ports", called: "16 ports or-ed, consecutive", frame("tcp syn to 80", [36: [31, 71]]),
        frame("tcp syn to 80"), Others(115, 74, 51)),
    Filter(
        "16-scattered-ports", called: "16 ports or-ed, scattered", frame("tcp to 443"),
        frame("tcp to 443", [36: [19, 136]])),
    // The beginning: a test run at tc takes no frame over a page.
    Filter("greater-100", Array(frame("udp jumbo").prefix(1000)), frame("tcp syn to 80"), Others(13, 9, 7)),
    Filter(
        "ether-host", frame("tcp syn to 80", [0: [0, 0x11, 0x22, 0x33, 0x44, 0x55]]), frame("tcp syn to 80"),
        Others(27, 18, 19)),
    Filter("arp", frame("arp request"), frame("tcp syn to 80"), Others(18, 11, 11)),
    Filter("ip-proto-47", frame("gre with ip inside"), frame("tcp syn to 80"), Others(20, 13, 13)),
    Filter("ip6-protochain-6", frame("ipv6 tcp behind options"), frame("ipv6 udp behind hop-by-hop")),
]
