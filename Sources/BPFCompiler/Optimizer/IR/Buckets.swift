/// A list of numbers for each number from 0 on, all of them in the same memory: most lists are short, and an array for
/// each would cost more than what is done with it.
struct Buckets {
    /// By list, the place of its newest entry, or −1.
    private var newest: [Int]
    private var entries: [(number: Int, older: Int)] = []

    /// So many empty lists.
    init(count: Int, capacity: Int = 0) {
        newest = Array(repeating: -1, count: count)
        entries.reserveCapacity(capacity)
    }

    mutating func append(_ number: Int, to list: Int) {
        entries.append((number, newest[list]))
        newest[list] = entries.count - 1
    }

    mutating func removeAll(from list: Int) { newest[list] = -1 }

    /// What was appended to `list` last, or nil.
    func last(of list: Int) -> Int? { newest[list] < 0 ? nil : entries[newest[list]].number }

    func isEmpty(_ list: Int) -> Bool { newest[list] < 0 }

    /// The numbers of `list`, those appended last first.
    subscript(list: Int) -> List { List(entries: entries, place: newest[list]) }

    struct List: Sequence, IteratorProtocol {
        fileprivate let entries: [(number: Int, older: Int)]
        fileprivate var place: Int

        mutating func next() -> Int? {
            guard place >= 0 else { return nil }
            let entry = entries[place]
            place = entry.older
            return entry.number
        }
    }
}
