import BPFCompiler
import BPFInterpreter
import Pcap

/// A packet that programs are timed on.
public struct BenchmarkPacket: Hashable, Sendable {
    /// The bytes, an Ethernet header first.
    public var bytes: [UInt8]
    /// Where it comes from.
    public var origin: String
    /// What it is: protocol, addresses and ports.
    public var summary: String { PacketSummary.text(bytes, linkType: .ethernet) }

    /// Names a frame.
    public init(_ bytes: [UInt8], from origin: String) {
        self.bytes = bytes
        self.origin = origin
    }

    /// Whether hooks whose packets begin so can be shown it.
    func suits(_ layer: Hook.LinkLayer) -> Bool {
        layer == .ethernet || [[0x08, 0x00], [0x86, 0xdd]].contains(Array(bytes.dropFirst(12).prefix(2)))
    }

    /// The packet as hooks see it whose packets begin so.
    func packet(_ layer: Hook.LinkLayer) -> Packet {
        layer == .ethernet ? Packet(ethernet: bytes) : Packet(Array(bytes.dropFirst(14)))
    }
}

/// Where the packets come from that programs are timed on.
public enum BenchmarkPackets: Hashable, Sendable {
    /// Frames that this package has, some of their bytes changed to what the filter compares them with.
    case samples
    /// The packets of a capture file, of which the first that matches is taken, and the first that does not.
    case capture(path: String)
}

/// A packet that matches a filter, and one that does not.
public struct BenchmarkPair: Hashable, Sendable {
    /// What the packets begin with as the filter sees them.
    public var linkType: LinkType
    /// One that matches; nil where none is known.
    public var match: BenchmarkPacket?
    /// One that does not; nil where none is known.
    public var other: BenchmarkPacket?
    /// What was looked through.
    var source: String

    subscript(matching matching: Bool) -> Result<BenchmarkPacket, TimingGap> {
        if let packet = matching ? match : other { return .success(packet) }
        return .failure(TimingGap(.noPacket(matching: matching, packets: source)))
    }
}

extension BenchmarkPackets {
    /// Looks for a packet that matches `filter` and one that does not.
    ///
    /// - Throws: `PcapError` for a capture that cannot be read, or one of another link; `Trap` of the interpreter.
    func pair(for filter: PacketFilter, _ layer: Hook.LinkLayer) throws -> BenchmarkPair {
        var pair = BenchmarkPair(linkType: layer == .ethernet ? .ethernet : .rawIP, source: source)
        switch self {
        case .samples:
            let samples = SamplePackets.all.map { BenchmarkPacket($0, from: "a sample") }.filter { $0.suits(layer) }
            let search = PacketSearch(filter, layer)
            pair.match = try search.packet(matching: true, among: samples)
            pair.other = try search.packet(matching: false, among: samples)
        case .capture(let path):
            var file = try CaptureFile(path: path)
            guard [.ethernet, .rawIP].contains(file.linkType) else {
                throw UnsuitableCapture(path: path, linkType: file.linkType)
            }
            var number = 0
            while pair.match == nil || pair.other == nil, let captured = try file.next() {
                number += 1
                let bytes = file.linkType == .ethernet ? captured.bytes : ethernet(captured.bytes)
                let packet = BenchmarkPacket(bytes, from: "packet \(number) of \(path)")
                guard packet.suits(layer) else { continue }
                if try filter.run(on: packet.packet(layer)) != 0 {
                    pair.match = pair.match ?? packet
                } else {
                    pair.other = pair.other ?? packet
                }
            }
        }
        return pair
    }

    private var source: String {
        switch self {
        case .samples: "the sample packets"
        case .capture(let path): "the packets of \(path)"
        }
    }

    /// An IP packet behind an Ethernet header, which test runs want.
    private func ethernet(_ packet: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0, count: 12) + (packet.first.map { $0 >> 4 } == 6 ? [0x86, 0xdd] : [0x08, 0x00]) + packet
    }
}

/// A capture of another kind of link.
public struct UnsuitableCapture: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public var path: String
    /// What its packets begin with.
    public var linkType: LinkType

    /// What was found, what would be right.
    public var description: String {
        "\(path) has packets of link type \(linkType.name), programs are timed on EN10MB or RAW"
    }
}
