// Tables by the numbers of values and blocks, which have no gaps. With tens of thousands of them, hashing would take
// most of the compiler's time.

/// A set of values of one graph.
struct ValueSet {
    private var isIn: [Bool]
    /// How many there are.
    private(set) var count = 0

    /// The empty set for values of `graph`.
    init(in graph: Graph) {
        isIn = Array(repeating: false, count: graph.definitions.count)
    }

    var isEmpty: Bool { count == 0 }

    func contains(_ value: Value) -> Bool { isIn[value.number] }

    /// Adds `value` and returns whether it was not there.
    @discardableResult
    mutating func insert(_ value: Value) -> Bool {
        if isIn[value.number] { return false }
        isIn[value.number] = true
        count += 1
        return true
    }
}

/// A set of blocks of one graph, in ascending order.
struct BlockSet: Sequence {
    private var isIn: [Bool]

    /// The empty set for blocks of `graph`.
    init(in graph: Graph) {
        isIn = Array(repeating: false, count: graph.blocks.count)
    }

    func contains(_ block: BlockID) -> Bool { isIn[block.number] }

    /// Adds `block` and returns whether it was not there.
    @discardableResult
    mutating func insert(_ block: BlockID) -> Bool {
        if isIn[block.number] { return false }
        isIn[block.number] = true
        return true
    }

    func makeIterator() -> Iterator { Iterator(isIn: isIn) }

    struct Iterator: IteratorProtocol {
        fileprivate let isIn: [Bool]
        private var number = 0

        fileprivate init(isIn: [Bool]) { self.isIn = isIn }

        mutating func next() -> BlockID? {
            while number < isIn.count {
                number += 1
                if isIn[number - 1] { return BlockID(number: number - 1) }
            }
            return nil
        }
    }
}

/// What takes the place of values of one graph.
struct Replacements {
    /// By value, the number of what takes its place, or −1.
    private var numbers: [Int]
    /// How many have been replaced.
    private(set) var count = 0

    /// Nothing is replaced in `graph`.
    init(in graph: Graph) {
        numbers = Array(repeating: -1, count: graph.definitions.count)
    }

    var isEmpty: Bool { count == 0 }

    /// What takes the place of `value`, which may itself be replaced, or nil.
    subscript(value: Value) -> Value? {
        value.number < numbers.count && numbers[value.number] >= 0 ? Value(number: numbers[value.number]) : nil
    }

    /// Puts `other` in the place of `value`, which has not been replaced. Both may have been made after the table.
    mutating func replace(_ value: Value, by other: Value) {
        if value.number >= numbers.count {
            numbers += Array(repeating: -1, count: value.number + 1 - numbers.count)
        }
        numbers[value.number] = other.number
        count += 1
    }

    /// What stands for `value` in the end: chains of replacements are followed.
    func final(_ value: Value) -> Value {
        var value = value
        while let next = self[value] { value = next }
        return value
    }
}
