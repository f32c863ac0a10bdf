import ExtendedBPF

/// What is kept of the packets that match a filter besides their number and their bytes: how many there are in each
/// range of some quantity, the ranges going by powers of two.
public enum Histogram: String, Hashable, Sendable, CaseIterable {
    /// The packet's length in bytes.
    case length
    /// The time since the filter's last match on any processor, in nanoseconds.
    case interarrival

    /// How many ranges there are. Range 0 has the numbers 0 and 1, range *n* those from 2ⁿ to 2ⁿ⁺¹ − 1.
    public static let rangeCount = 64
}

/// Where a counting program keeps what it counts: in one value for each processor, the filters one behind the other.
///
/// Every number has 64 bits in the machine's byte order: for each filter its packets, their bytes and, where there is a
/// histogram, the packets of each range.
public struct CountingLayout: Hashable, Sendable {
    /// How many filters there are.
    public var filterCount: Int
    /// What histograms are made of, if there are any.
    public var histogram: Histogram?

    /// Makes a layout.
    public init(filterCount: Int, histogram: Histogram? = nil) {
        self.filterCount = filterCount
        self.histogram = histogram
    }

    /// The name of the map with the numbers, an array with a value for each processor and one entry.
    public static let mapName = "counts"
    /// The name of the map with the times of the last matches, 64 bits for each filter, where those are needed.
    public static let timesName = "last_times"

    /// The most filters that there can be: programs have up to 256 functions (`BPF_MAX_SUBPROGS`), of which a filter
    /// takes three at tracepoints, and a value for each processor has up to 32 KiB (`PCPU_MIN_UNIT_SIZE`).
    public static func maximumFilterCount(with histogram: Histogram?) -> Int { histogram == nil ? 80 : 60 }

    /// The numbers of a filter.
    public var numbersPerFilter: Int { 2 + (histogram == nil ? 0 : Histogram.rangeCount) }

    /// The bytes of the value of one processor.
    public var valueSize: Int { filterCount * numbersPerFilter * 8 }

    /// The maps: the counts, and the times where there are any.
    public var maps: [MapDeclaration] {
        let counts = MapDeclaration(
            name: Self.mapName, kind: .perCPUArray, keySize: 4, valueSize: UInt32(valueSize), maxEntries: 1)
        guard histogram == .interarrival else { return [counts] }
        let times = MapDeclaration(
            name: Self.timesName, kind: .array, keySize: 4, valueSize: UInt32(filterCount * 8), maxEntries: 1)
        return [counts, times]
    }

    /// How far the packets of a filter are from the start of the value; its bytes are 8 behind.
    func place(of filter: Int) -> Int16 { Int16(filter * numbersPerFilter * 8) }
}
