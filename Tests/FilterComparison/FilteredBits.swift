import ClassicBPF

/// What a filter reads at places that can be told from its instructions alone, and what it compares of that.
///
/// The instructions are followed one after the other, whatever jumps there are: what is told is a guess, and often right.
struct FilteredBits {
    /// Some bits of a number of the packet and what they are compared with.
    typealias Comparison = (offset: Int, size: Int, mask: UInt32, number: UInt32)

    /// Where what is read ends.
    private(set) var ends: [Int] = []
    /// What is compared.
    private(set) var comparisons: [Comparison] = []

    private enum Known {
        case constant(UInt32)
        /// Bits of the packet, less `taken`: libpcap asks whether a difference is 0.
        case bits(offset: Int, size: Int, mask: UInt32, taken: UInt32 = 0)
    }

    private var a: Known?
    private var x: Known?
    private var cells: [UInt32: Known] = [:]

    /// How far into packets it is of interest what is read.
    private static let farthest = 1600

    /// Goes on with the next instruction.
    mutating func follow(_ operation: Operation) {
        switch operation {
        case .load(let source): a = load(source)
        case .loadIndex(let source): x = load(source)
        case .store(let cell): cells[cell] = a
        case .storeIndex(let cell): cells[cell] = x
        case .transferAToX: x = a
        case .transferXToA: a = x
        case .arithmetic(let op, .constant(let number)): a = result(op, .constant(number))
        case .arithmetic(let op, .index): a = result(op, x)
        case .negate: a = nil
        case .branch(let comparison, .constant(let number), _, _): compare(comparison, .constant(number))
        case .branch(let comparison, .index, _, _): compare(comparison, x)
        case .jump, .result: break
        }
    }

    private mutating func load(_ source: Operation.Source) -> Known? {
        switch source {
        case .immediate(let number): return .constant(number)
        case .memory(let cell): return cells[cell]
        case .absolute(let size, let offset): return read(size, Int(offset))
        case .indirect(let size, let offset):
            // Mostly behind an IPv4 header without options.
            var start = 20
            if case .constant(let number)? = x { start = Int(number) }
            return read(size, Int(offset) + start)
        case .length, .extension: return nil
        }
    }

    private func load(_ source: Operation.IndexSource) -> Known? {
        switch source {
        case .immediate(let number): .constant(number)
        case .memory(let cell): cells[cell]
        // An IPv4 header without options.
        case .headerLength: .constant(20)
        case .length: nil
        }
    }

    private mutating func read(_ size: Operation.Size, _ offset: Int) -> Known? {
        guard offset < Self.farthest else { return nil }
        ends.append(offset + Int(size.rawValue))
        return .bits(offset: offset, size: Int(size.rawValue), mask: .max)
    }

    private func result(_ op: Operation.ArithmeticOperator, _ right: Known?) -> Known? {
        switch (op, a, right) {
        case (.add, .constant(let left)?, .constant(let right)?): .constant(left &+ right)
        case (.and, .bits(let offset, let size, let mask, taken: 0)?, .constant(let number)?),
            (.and, .constant(let number)?, .bits(let offset, let size, let mask, taken: 0)?):
            .bits(offset: offset, size: size, mask: mask & number)
        case (.subtract, .bits(let offset, let size, let mask, let taken)?, .constant(let number)?):
            .bits(offset: offset, size: size, mask: mask, taken: taken &+ number)
        default: nil
        }
    }

    private mutating func compare(_ comparison: Operation.Comparison, _ right: Known?) {
        switch (a, right) {
        case (.bits(let offset, let size, let mask, let taken)?, .constant(let number)?),
            (.constant(let number)?, .bits(let offset, let size, let mask, let taken)?):
            comparisons.append((offset, size, comparison == .anyBitSet ? number : mask, number &+ taken))
        default: break
        }
    }
}
