import ClassicBPF

/// What is known of a number: its bounds, and bits that are certainly 0 or 1.
struct ValueRange: Hashable, Sendable {
    /// The smallest and the largest number it can be.
    private(set) var bounds: ClosedRange<UInt32>
    /// The bits that can be 1.
    private(set) var possibleBits: UInt32
    /// The bits that are 1 for certain.
    private(set) var certainBits: UInt32

    /// Nothing is known.
    static let unknown = ValueRange(bounds: 0 ... .max, possibleBits: .max, certainBits: 0)

    /// Exactly `number`.
    init(_ number: UInt32) {
        self.init(bounds: number...number, possibleBits: number, certainBits: number)
    }

    /// Between two bounds.
    init(_ bounds: ClosedRange<UInt32>) {
        // In front of the first bit in which the bounds differ, all between them have the same bits.
        let free = Self.bits(upTo: bounds.lowerBound ^ bounds.upperBound)
        self.init(
            bounds: bounds, possibleBits: bounds.upperBound | free, certainBits: bounds.lowerBound & ~free)
    }

    private init(bounds: ClosedRange<UInt32>, possibleBits: UInt32, certainBits: UInt32) {
        self.bounds = bounds
        self.possibleBits = possibleBits
        self.certainBits = certainBits
    }

    /// The number, if there is only one left.
    var constant: UInt32? { bounds.lowerBound == bounds.upperBound ? bounds.lowerBound : nil }

    /// What is known where both this and `other` hold, or nil where they cannot.
    func and(_ other: ValueRange) -> ValueRange? {
        let bits = possibleBits & other.possibleBits
        let certain = certainBits | other.certainBits
        let low = max(bounds.lowerBound, other.bounds.lowerBound, certain)
        let high = min(bounds.upperBound, other.bounds.upperBound, bits)
        guard low <= high else { return nil }
        let all = ValueRange(low...high)
        let range = ValueRange(
            bounds: low...high, possibleBits: bits & all.possibleBits, certainBits: certain | all.certainBits)
        return range.certainBits & ~range.possibleBits == 0 ? range : nil
    }

    /// What is known where either this or `other` holds.
    func or(_ other: ValueRange) -> ValueRange {
        let low = min(bounds.lowerBound, other.bounds.lowerBound)
        let high = max(bounds.upperBound, other.bounds.upperBound)
        return ValueRange(
            bounds: low...high, possibleBits: possibleBits | other.possibleBits,
            certainBits: certainBits & other.certainBits)
    }

    /// Only numbers whose bits are among `bits`.
    static func bits(_ bits: UInt32) -> ValueRange {
        ValueRange(bounds: 0...bits, possibleBits: bits, certainBits: 0)
    }

    /// Only numbers with all of `bits` set.
    private static func with(_ bits: UInt32) -> ValueRange {
        ValueRange(bounds: bits ... .max, possibleBits: .max, certainBits: bits)
    }

    /// All bits up to the highest of `number`.
    private static func bits(upTo number: UInt32) -> UInt32 {
        number == 0 ? 0 : .max >> number.leadingZeroBitCount
    }
}

extension ValueRange {
    /// What an instruction computes from operands of which `range` tells.
    init(_ instruction: Graph.Instruction, _ range: (Value) -> ValueRange) {
        switch instruction {
        case .constant(let number): self.init(number)
        case .load(.byte, _), .rawLoad(.byte, _), .classicLoad(.byte, _, _): self.init(0...0xff)
        case .load(.half, _), .rawLoad(.half, _), .classicLoad(.half, _, _): self.init(0...0xffff)
        case .metadata(.proto), .metadata(.vlanTCI), .metadata(.vlanTPID), .metadata(.queue), .metadata(.hatype):
            self.init(0...0xffff)
        case .metadata(.vlanAvail), .member: self.init(0...1)
        case .tableLoad(.distances, _, _): self.init(0...31)
        case .swapped(.half, _): self.init(0...0xffff)
        case .metadata(.type): self.init(0...7)
        case .arithmetic(let op, let left, let right): self = Self.apply(op, range(left), range(right))
        default: self = .unknown
        }
    }

    private static func apply(
        _ op: Operation.ArithmeticOperator, _ left: ValueRange, _ right: ValueRange
    ) -> ValueRange {
        if let l = left.constant, let r = right.constant { return ValueRange(op.apply(l, r)) }
        let (low, high) = (left.bounds.lowerBound, left.bounds.upperBound)
        switch op {
        case .and:
            return ValueRange.bits(left.possibleBits & right.possibleBits)
                .and(.with(left.certainBits & right.certainBits))?
                .and(ValueRange(0...min(high, right.bounds.upperBound))) ?? .unknown
        case .or:
            return ValueRange.bits(left.possibleBits | right.possibleBits)
                .and(.with(left.certainBits | right.certainBits)) ?? .unknown
        case .xor: return .bits(left.possibleBits | right.possibleBits)
        case .add:
            let (sum, overflows) = high.addingReportingOverflow(right.bounds.upperBound)
            return overflows ? .unknown : ValueRange((low + right.bounds.lowerBound)...sum)
        case .subtract:
            return low >= right.bounds.upperBound
                ? ValueRange((low - right.bounds.upperBound)...(high - right.bounds.lowerBound)) : .unknown
        case .multiply:
            let (product, overflows) = high.multipliedReportingOverflow(by: right.bounds.upperBound)
            return overflows ? .unknown : ValueRange((low * right.bounds.lowerBound)...product)
        case .divide: return ValueRange(0...high)
        case .modulo: return ValueRange(0...min(high, max(1, right.bounds.upperBound) - 1))
        case .shiftRight:
            guard let distance = right.constant.map({ $0 & 31 }) else { return ValueRange(0...high) }
            return ValueRange(
                bounds: (low >> distance)...(high >> distance), possibleBits: left.possibleBits >> distance,
                certainBits: left.certainBits >> distance)
        case .shiftLeft:
            guard let distance = right.constant.map({ $0 & 31 }), high.leadingZeroBitCount >= Int(distance) else {
                return .unknown
            }
            return ValueRange(
                bounds: (low << distance)...(high << distance), possibleBits: left.possibleBits << distance,
                certainBits: left.certainBits << distance)
        }
    }

    /// Whether `self comparison right` holds: true, false, or nil where that is not known.
    func decides(_ comparison: Operation.Comparison, _ right: ValueRange) -> Bool? {
        switch comparison {
        case .equal:
            if let l = constant, let r = right.constant { return l == r }
            return and(right) == nil ? false : nil
        case .greater:
            if bounds.lowerBound > right.bounds.upperBound { return true }
            return bounds.upperBound <= right.bounds.lowerBound ? false : nil
        case .greaterOrEqual:
            if bounds.lowerBound >= right.bounds.upperBound { return true }
            return bounds.upperBound < right.bounds.lowerBound ? false : nil
        case .anyBitSet:
            if certainBits & right.certainBits != 0 { return true }
            return possibleBits & right.possibleBits == 0 ? false : nil
        }
    }

    /// What is known of the left side once `self comparison right` is known to hold or not; nil where that cannot be.
    func refined(_ comparison: Operation.Comparison, _ right: ValueRange, holds: Bool) -> ValueRange? {
        let (low, high) = (right.bounds.lowerBound, right.bounds.upperBound)
        switch (comparison, holds) {
        case (.equal, true): return and(right)
        case (.equal, false):
            guard let number = right.constant else { return self }
            return without(number)
        case (.greater, true): return low == .max ? nil : and(ValueRange((low + 1) ... .max))
        case (.greater, false): return and(ValueRange(0...high))
        case (.greaterOrEqual, true): return and(ValueRange(low ... .max))
        case (.greaterOrEqual, false): return high == 0 ? nil : and(ValueRange(0...(high - 1)))
        case (.anyBitSet, true):
            guard let mask = right.constant, mask.nonzeroBitCount == 1 else { return without(0) }
            return and(.with(mask))
        case (.anyBitSet, false):
            guard let mask = right.constant else { return self }
            return and(.bits(~mask))
        }
    }

    /// Only at its ends can a number be taken out of a range.
    private func without(_ number: UInt32) -> ValueRange? {
        if constant == number { return nil }
        if bounds.lowerBound == number { return and(ValueRange((number + 1) ... .max)) }
        if bounds.upperBound == number { return and(ValueRange(0...(number - 1))) }
        return self
    }
}
