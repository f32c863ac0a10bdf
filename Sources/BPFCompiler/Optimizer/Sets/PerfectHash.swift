/// A function without collisions on a set of numbers, found when a filter is compiled: it leads any number to the one
/// place of a table where that stands if it is in the set.
///
/// A small set has one table, and a run of the number's bits, or of its product with a factor, is the place. A larger
/// one has in front of it a table of distances: some bits of the product pick the distance, and the product shifted
/// right by that ends in the place.
///
/// Places are counted in bytes and picked by a mask alone, so that nothing has to be multiplied by the size of an element.
struct PerfectHash: Hashable, Sendable {
    /// What the number is multiplied by, modulo 2³²; 1 for nothing.
    let factor: UInt32
    /// How the place is found.
    let way: Way
    /// The bits of the shifted product that are the place: a run that begins at the size of an element.
    let mask: UInt32
    /// The numbers by place. Where none belongs another stands, which no harm comes from: it is in the set.
    let slots: [UInt32]
    /// The bytes of an element: 2 where all numbers are of 16 bits, else 4.
    let elementSize: UInt32

    /// How far the product is shifted right.
    enum Way: Hashable, Sendable {
        /// Always as far.
        case fixed(distance: UInt32)
        /// As far as the table says, of which the product's bits pick an element.
        case table([UInt8], Picker)
    }

    /// Which bits of a product pick a distance.
    enum Picker: Hashable, Sendable {
        /// The upper ones, those that a shift by so many leaves.
        case shift(UInt32)
        /// The lower ones.
        case mask(UInt32)

        func callAsFunction(_ product: UInt32) -> UInt32 {
            switch self {
            case .shift(let distance): product >> distance
            case .mask(let mask): product & mask
            }
        }
    }

    /// The place of `number`, in bytes.
    func place(of number: UInt32) -> UInt32 {
        let product = number &* factor
        switch way {
        case .fixed(let distance): return product >> distance & mask
        case .table(let distances, let picker):
            return product >> UInt32(distances[Int(picker(product))]) & mask
        }
    }

    /// Whether `number` is in the set.
    func contains(_ number: UInt32) -> Bool { slots[Int(place(of: number) / elementSize)] == number }
}

extension PerfectHash {
    /// The most bytes that a single table may have: it is to stay in the processor's cache.
    private static let largestSingleTable = 4096
    /// The largest table of distances; the numbers behind it are in reach of one instruction's offset.
    private static let mostBuckets = 1 << 14
    /// The distances that are tried.
    private static let distances: Range<UInt32> = 0..<31

    /// Finds a function for `numbers`, the same one each time, or nil where that takes too many attempts.
    ///
    /// - Parameter numbers: At least two, each once.
    /// - Complexity: About O(*n*), as few attempts fail late.
    init?(_ numbers: [UInt32]) {
        let size: UInt32 = numbers.max()! <= 0xffff ? 2 : 4
        var factors = Factors()
        let candidates = [1] + (0..<400).map { _ in factors.next() }
        guard let found = Self.single(numbers, size, candidates) ?? Self.double(numbers, size, candidates) else {
            return nil
        }
        self = found
    }

    private init(_ numbers: [UInt32], _ size: UInt32, factor: UInt32, _ way: Way, mask: UInt32) {
        let empty = Array(repeating: numbers[0], count: Int(mask / size) + 1)
        let hash = PerfectHash(factor: factor, way: way, mask: mask, slots: empty, elementSize: size)
        var slots = empty
        for number in numbers { slots[Int(hash.place(of: number) / size)] = number }
        self.init(factor: factor, way: way, mask: mask, slots: slots, elementSize: size)
    }

    /// One table. The bits of the numbers as they are do where a table of some size has them apart; that is an
    /// instruction less than multiplying.
    private static func single(_ numbers: [UInt32], _ size: UInt32, _ candidates: [UInt32]) -> PerfectHash? {
        let least = max(numbers.count.nextPowerOfTwo, 4)
        let counts = sequence(first: least) { $0 * 2 }.prefix { $0 * Int(size) <= largestSingleTable }
        for factors in [candidates[..<1], candidates[1...]] {
            for count in counts {
                let mask = UInt32(count - 1) * size
                var taken = Marks(count)
                for factor in factors {
                    let range = factor == 1 ? distances : topDistances(mask)
                    for distance in range
                    where hasAllApart(numbers, factor, distance, mask / size, size, &taken) {
                        return PerfectHash(numbers, size, factor: factor, .fixed(distance: distance), mask: mask)
                    }
                }
            }
        }
        return nil
    }

    /// The distance that leaves the upper bits of a product.
    private static func topDistances(_ mask: UInt32) -> Range<UInt32> {
        let distance = UInt32(mask.leadingZeroBitCount)
        return distance..<distance + 1
    }

    private static func hasAllApart(
        _ numbers: [UInt32], _ factor: UInt32, _ distance: UInt32, _ mask: UInt32, _ size: UInt32, _ taken: inout Marks
    ) -> Bool {
        taken.clear()
        let distance = distance + UInt32(size.trailingZeroBitCount)
        for number in numbers {
            // The distance may be 32 or more for bits that there are not.
            if !taken.insert(Int((number &* factor) >> distance & mask)) { return false }
        }
        return true
    }

    /// Two tables.
    private static func double(_ numbers: [UInt32], _ size: UInt32, _ candidates: [UInt32]) -> PerfectHash? {
        let buckets = min(numbers.count.nextPowerOfTwo, mostBuckets)
        let bits = UInt32(buckets.trailingZeroBitCount)
        // A quarter of room at least; with more of it there is always a way.
        let least = (numbers.count + numbers.count / 4).nextPowerOfTwo
        for count in [least, least * 2, least * 4, least * 8] {
            for (attempt, factor) in candidates.prefix(8).enumerated() {
                let pickers: [Picker] =
                    attempt == 0
                    ? [.shift(32 - bits), .mask(UInt32(buckets - 1))] : [.shift(32 - bits)]
                for picker in pickers {
                    let mask = UInt32(count - 1) * size
                    if let table = table(numbers, buckets, factor, picker, mask, size) {
                        return PerfectHash(numbers, size, factor: factor, .table(table, picker), mask: mask)
                    }
                }
            }
        }
        return nil
    }

    /// The distances, found for the fullest buckets first; nil if there is none for some bucket.
    private static func table(
        _ numbers: [UInt32], _ buckets: Int, _ factor: UInt32, _ picker: Picker, _ mask: UInt32, _ size: UInt32
    ) -> [UInt8]? {
        var contents = [[UInt32]](repeating: [], count: buckets)
        for number in numbers { contents[Int(picker(number &* factor))].append(number &* factor) }
        // A bucket of many is not going to be spread; what was tried up to here is cheap.
        guard contents.allSatisfy({ $0.count <= 24 }) else { return nil }
        var taken = Marks(Int(mask / size) + 1)
        var result = [UInt8](repeating: 0, count: buckets)
        let order = contents.indices.filter { !contents[$0].isEmpty }.sorted {
            (contents[$1].count, $0) < (contents[$0].count, $1)
        }
        for bucket in order {
            let distance = distances.first { distance in
                taken.insertAll(contents[bucket].lazy.map { Int(($0 >> distance & mask) / size) })
            }
            guard let distance else { return nil }
            result[bucket] = UInt8(distance)
        }
        return result
    }
}

/// Which places are taken; all are free again at no cost.
private struct Marks {
    private var rounds: [Int32]
    private var round: Int32 = 1

    init(_ count: Int) { rounds = Array(repeating: 0, count: count) }

    mutating func clear() { round += 1 }

    /// Takes a place and returns whether it was free.
    mutating func insert(_ place: Int) -> Bool {
        if rounds[place] == round { return false }
        rounds[place] = round
        return true
    }

    /// Takes all of `places`, or none and returns false.
    mutating func insertAll(_ places: some Collection<Int>) -> Bool {
        for (count, place) in places.enumerated() where !insert(place) {
            for place in places.prefix(count) { rounds[place] = 0 }
            return false
        }
        return true
    }
}

/// Odd factors with bits all over, the same ones each time.
///
/// A linear congruential generator, whose upper halves are taken; the constants are Knuth's (MMIX).
private struct Factors {
    private var state: UInt64 = 1

    mutating func next() -> UInt32 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt32(truncatingIfNeeded: state >> 32) | 1
    }
}

extension Int {
    fileprivate var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
