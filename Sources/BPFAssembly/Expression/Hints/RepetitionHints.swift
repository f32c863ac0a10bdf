/// Parts of `and` and `or` that say what another part says already, or its contrary.
///
///     udp or udp          // the second adds nothing
///     ip and not ip       // matches nothing
///     ip or not ip        // matches everything
extension HintCollector {
    /// Goes from the root to the leaves, one chain of the same operator at a time.
    mutating func findRepetitions() {
        let parts = PartTable(tree)
        var pending = [tree.records.count - 1]
        while let index = pending.popLast(), !isFull {
            switch tree.records[index].kind {
            case .and, .or:
                let chain = parts.chain(at: index)
                findRepetitions(in: chain, parts, isAnd: tree.records[index].kind == .and)
                pending += chain.map(\.index).reversed()
            case .not, .group, .primitive: pending.append(index - 1)
            default: break
            }
        }
    }

    private mutating func findRepetitions(in chain: [PartTable.Part], _ parts: PartTable, isAnd: Bool) {
        var first: [PartTable.Key: PartTable.Part] = [:]
        for part in chain where parts.hasMeaningAlone(part.index) {
            guard let earlier = first[parts.key(part.index)] else {
                first[parts.key(part.index)] = part
                continue
            }
            // Equal keys are equal parts but for one case in 2⁶⁴.
            guard parts.saySame(part.index, earlier.index) else { continue }
            let isSame = part.isNegated == earlier.isNegated
            add(message(part, earlier, isSame: isSame, isAnd: isAnd), at: tree.records[part.shown].range)
        }
        for part in chain {
            if let other = denial(of: part, among: first, parts) {
                add(
                    message(part, other, isSame: false, isAnd: isAnd),
                    at: tree.records[max(part.shown, other.shown)].range)
            }
        }
    }

    /// A part of the chain that, with others, says of each part of the chain of the other operator `part` the contrary:
    /// `not (ip or arp)` beside `(ip or arp)`.
    private func denial(
        of part: PartTable.Part, among chain: [PartTable.Key: PartTable.Part], _ parts: PartTable
    ) -> PartTable.Part? {
        guard [.and, .or].contains(tree.records[part.index].kind), parts.hasMeaningAlone(part.index) else { return nil }
        var last: PartTable.Part?
        for inner in parts.chain(at: part.index) {
            guard let other = chain[parts.key(inner.index)], other.isNegated != (inner.isNegated != part.isNegated),
                parts.saySame(inner.index, other.index)
            else { return nil }
            last = other
        }
        return last
    }

    private func message(
        _ part: PartTable.Part, _ earlier: PartTable.Part, isSame: Bool, isAnd: Bool
    ) -> String {
        let names = "\(quoted(part.shown)) and \(quoted(earlier.shown))"
        if isSame {
            return
                "\(quoted(part.shown)) says what \(quoted(earlier.shown)) before it does, so it adds nothing; leave it out"
        }
        return isAnd
            ? "\(names) never hold for the same packet, so both together match nothing; leave one out"
            : "one of \(names) holds for every packet, so either of them is enough; leave both out"
    }
}

/// What the parts of an expression say, so that equal ones are found without comparing each with each.
private struct PartTable {
    /// A part of a chain of `and` or of `or`.
    struct Part {
        /// The node without `not` and parentheses around it.
        var index: Int
        /// Whether an odd number of `not` is around it.
        var isNegated: Bool
        /// The node with them, which a person is shown.
        var shown: Int
    }

    /// What parts are looked up by.
    struct Key: Hashable {
        var hash: UInt64
        /// How many words before it shift offsets: behind another header the same words mean another thing.
        var shifts: Int32
    }

    private let tree: FilterExpression
    /// By node, a hash of what it says.
    private var hashes: [UInt64] = []
    /// By node, how many words up to it shift offsets.
    private var shifts: [Int32] = []

    init(_ tree: FilterExpression) {
        self.tree = tree
        hashes.reserveCapacity(tree.records.count)
        shifts.reserveCapacity(tree.records.count)
        for (index, record) in tree.records.enumerated() {
            shifts.append((shifts.last ?? 0) + (record.shiftsOffsets ? 1 : 0))
            hashes.append(hash(index, record))
        }
    }

    private func hash(_ index: Int, _ record: FilterExpression.Record) -> UInt64 {
        if isTransparent(index) { return hashes[index - 1] }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ value: UInt64) {
            hash = (hash ^ value) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
        }
        mix(UInt64(record.kind.rawValue) << 32 | UInt64(record.detail) << 16 | UInt64(record.extra))
        if record.kind == .number {
            mix(UInt64(ExpressionLexer.value(of: tree.text[record.range]) ?? 0))
        } else if record.kind.isText {
            for byte in tree.text[record.range] { mix(UInt64(byte)) }
        }
        var end = index
        while end > Int(record.first) {
            mix(hashes[end - 1])
            end = Int(tree.records[end - 1].first)
        }
        return hash
    }

    /// Whether a node says what its only part does: parentheses, and the qualifiers that the parts have too.
    private func isTransparent(_ index: Int) -> Bool {
        switch tree.records[index].kind {
        case .group, .primitive: true
        default: false
        }
    }

    func key(_ index: Int) -> Key {
        let first = Int(tree.records[index].first)
        return Key(hash: hashes[index], shifts: first > 0 ? shifts[first - 1] : 0)
    }

    /// Whether a part says the same wherever it stands, which one that shifts offsets does not: `vlan and vlan`.
    func hasMeaningAlone(_ index: Int) -> Bool { shifts[index] == key(index).shifts }

    /// Whether both nodes say the same.
    func saySame(_ left: Int, _ right: Int) -> Bool {
        var pending = [(left, right)]
        while let (left, right) = pending.popLast() {
            if isTransparent(left) {
                pending.append((left - 1, right))
                continue
            }
            if isTransparent(right) {
                pending.append((left, right - 1))
                continue
            }
            let (a, b) = (tree.records[left], tree.records[right])
            guard a.kind == b.kind, a.detail == b.detail, a.extra == b.extra else { return false }
            if a.kind == .number {
                guard ExpressionLexer.value(of: tree.text[a.range]) == ExpressionLexer.value(of: tree.text[b.range])
                else { return false }
            } else if a.kind.isText, !tree.text[a.range].elementsEqual(tree.text[b.range]) {
                return false
            }
            var (endA, endB) = (left, right)
            while endA > Int(a.first), endB > Int(b.first) {
                pending.append((endA - 1, endB - 1))
                endA = Int(tree.records[endA - 1].first)
                endB = Int(tree.records[endB - 1].first)
            }
            guard endA == Int(a.first), endB == Int(b.first) else { return false }
        }
        return true
    }

    /// The parts of the chain that the node `index` is the outermost operator of, from left to right.
    ///
    /// `not (a or b)` belongs to a chain of `and` as `not a and not b` does.
    func chain(at index: Int) -> [Part] {
        let isAnd = tree.records[index].kind == .and
        var parts: [Part] = []
        var pending = [Part(index: index, isNegated: false, shown: index)]
        while var part = pending.popLast() {
            while true {
                if tree.records[part.index].kind == .not {
                    part.isNegated.toggle()
                } else if !isTransparent(part.index) {
                    break
                }
                part.index -= 1
            }
            let kind = tree.records[part.index].kind
            guard kind == .and || kind == .or, (kind == .and) == (isAnd != part.isNegated) else {
                parts.append(part)
                continue
            }
            // The right one, which stands just before the operator, comes off the stack last.
            let right = part.index - 1
            let left = Int(tree.records[right].first) - 1
            for side in [right, left] {
                let shown = part.isNegated ? part.shown : side
                pending.append(Part(index: side, isNegated: part.isNegated, shown: shown))
            }
        }
        return parts
    }
}
