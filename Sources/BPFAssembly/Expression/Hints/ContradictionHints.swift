/// Conditions joined by `and` that no packet can meet together.
extension HintCollector {
    /// Goes through the nodes in their order, so that what the parts of a node require is known before the node.
    mutating func findContradictions() {
        var stack: [PacketFacts] = []
        var shifts: Int32 = 0
        for (index, record) in tree.records.enumerated() {
            if isFull { return }
            var facts = combined(index, record, &stack)
            if record.first == index { facts.shifts = shifts }
            if record.shiftsOffsets {
                shifts += 1
                facts = PacketFacts(root: index)
                facts.shifts = shifts
            }
            stack.append(facts)
        }
    }

    /// What a node requires, its parts taken from the stack.
    private mutating func combined(
        _ index: Int, _ record: FilterExpression.Record, _ stack: inout [PacketFacts]
    ) -> PacketFacts {
        guard record.first < index else { return PacketFacts.primitive(tree, index) }
        let last = stack.removeLast()
        // What is in the same keyword or load, such as its size, requires nothing.
        var first = last
        while let part = stack.last, part.root >= record.first { first = part; stack.removeLast() }
        switch record.kind {
        case .and, .comparison, .arithmetic:
            var facts = first
            if let conflict = facts.require(last) { add(contradiction(conflict), at: range(Int(conflict.right))) }
            facts.root = Int32(index)
            return facts
        case .or:
            var facts = first
            facts.allow(last, at: index)
            facts.root = Int32(index)
            return facts
        case .group, .negation:
            var facts = last
            facts.root = Int32(index)
            return facts
        case .primitive:
            var facts = last
            facts.attribute(to: index)
            return facts
        case .load:
            var facts = withShifts(PacketFacts.primitive(tree, index), first.shifts)
            if let conflict = facts.require(first) { add(contradiction(conflict), at: range(Int(conflict.right))) }
            facts.root = Int32(index)
            return facts
        case .not:
            return withShifts(PacketFacts(root: index), last.shifts)
        default:
            return withShifts(PacketFacts.primitive(tree, index), last.shifts)
        }
    }

    private func withShifts(_ facts: PacketFacts, _ shifts: Int32) -> PacketFacts {
        var facts = facts
        facts.shifts = shifts
        return facts
    }

    private func range(_ index: Int) -> Range<Int> { tree.records[index].range }

    private func contradiction(_ conflict: PacketFacts.Conflict) -> String {
        let left = Int(conflict.left)
        let right = Int(conflict.right)
        for (load, other) in [(right, left), (left, right)] {
            if let instead = insteadOfLoad(load, with: other) {
                return "\(quoted(load)) looks at IPv4 packets only, so together with \(quoted(other)) nothing matches; "
                    + "write \(instead), which is counted from the IPv6 header"
            }
        }
        return "\(quoted(right)) and \(quoted(left)) never hold for the same packet, so both together match nothing; "
            + "write 'or' if either is meant"
    }

    /// What to write in place of a load from a header behind IPv4's where the packet must be an IPv6 one.
    private func insteadOfLoad(_ index: Int, with other: Int) -> String? {
        let record = tree.records[index]
        guard record.kind == .load, PacketFacts.primitive(tree, index).network.possible == .ip,
            PacketFacts.primitive(tree, other).network.possible == .ip6
        else { return nil }
        let node = FilterExpression.Node(tree: tree, index: index)
        guard node.word != "ip" else { return nil }
        let parts = node.children
        let size = parts.count > 1 ? ":\(parts[1].text)" : ""
        return parts[0].value.map { "'ip6[\(40 + UInt64($0))\(size)]'" } ?? "'ip6[40 + …\(size)]'"
    }
}
