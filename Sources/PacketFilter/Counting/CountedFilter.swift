import BPFCompiler

/// What histograms are made of.
public typealias Histogram = BPFCompiler.Histogram

/// A filter whose matches are counted under a name.
public struct CountedFilter: Hashable, Sendable {
    /// The name, which is there once among those counted together.
    public var name: String
    /// The filter.
    public var filter: PacketFilter

    /// Names a filter.
    public init(_ name: String, _ filter: PacketFilter) {
        self.name = name
        self.filter = filter
    }
}

/// How many packets have matched a filter since counting began.
public struct FilterCount: Hashable, Sendable {
    /// The filter's name.
    public var name: String
    /// How many packets have matched. What the kernel has not yet cut into packets for the wire is one.
    public var packets: UInt64
    /// The bytes of these packets: each whole, with what the hook shows in front of the IP header.
    public var bytes: UInt64
    /// How many of them are in each range; empty unless there is a histogram. Range 0 has the numbers 0 and 1, range *n*
    /// those from 2ⁿ to 2ⁿ⁺¹ − 1.
    public var ranges: [UInt64] = []

    /// Makes a count.
    public init(name: String, packets: UInt64, bytes: UInt64, ranges: [UInt64] = []) {
        self.name = name
        self.packets = packets
        self.bytes = bytes
        self.ranges = ranges
    }
}

/// What all filters have counted up to some moment.
public struct Counts: Hashable, Sendable {
    /// The moment, in seconds since 1970.
    public var time: Double
    /// The filters' counts, in the order the filters were given.
    public var filters: [FilterCount]

    /// Makes a snapshot.
    public init(time: Double, filters: [FilterCount]) {
        self.time = time
        self.filters = filters
    }
}

extension Counts {
    /// From the map's value, one part for each processor.
    init(time: Double, _ value: [UInt8], _ names: [String], _ layout: CountingLayout) {
        let numbers = value.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count - 7, by: 8).map { bytes.loadUnaligned(fromByteOffset: $0, as: UInt64.self) }
        }
        let size = layout.valueSize / 8
        let sums = (0..<size).map { place in
            stride(from: place, to: numbers.count, by: size).reduce(0) { $0 &+ numbers[$1] }
        }
        self.time = time
        filters = names.enumerated().map { index, name in
            let start = index * layout.numbersPerFilter
            return FilterCount(
                name: name, packets: sums[start], bytes: sums[start + 1],
                ranges: Array(sums[(start + 2)..<(start + layout.numbersPerFilter)]))
        }
    }
}
