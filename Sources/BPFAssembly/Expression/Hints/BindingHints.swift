/// `and` and `or` bind equally tight, from left to right, which is not how everyone reads them.
extension HintCollector {
    mutating func findBinding() {
        // A chain without parentheses is hinted at once; its nodes follow one another along their left sides.
        var hinted = -1
        for (index, record) in tree.records.enumerated() where record.kind == .and || record.kind == .or {
            if isFull { return }
            let left = left(of: index)
            if left == hinted {
                hinted = index
                continue
            }
            guard let hint = binding(index, record, left) else { continue }
            add(hint.message, at: hint.range)
            hinted = index
        }
    }

    private func binding(
        _ index: Int, _ record: FilterExpression.Record, _ left: Int
    ) -> (message: String, range: Range<Int>)? {
        let other: FilterExpression.Node.Kind = record.kind == .and ? .or : .and
        guard tree.records[left].kind == other else { return nil }
        let middle = left - 1
        let right = index - 1
        let first = self.left(of: left)
        if record.kind == .and {
            // In `host a or b and port 1` the list is one thing for the reader too.
            guard !isCarriedOver(middle) else { return nil }
        } else {
            guard let sort = sort(of: middle), sort == self.sort(of: right) else { return nil }
        }
        let words = (other == .and ? "and" : "or", record.kind == .and ? "and" : "or")
        let reading =
            "'(\(shown(tree.records[first].range)) \(words.0) \(shown(tree.records[middle].range))) \(words.1) "
            + "\(shown(tree.records[right].range))'"
        let meaning =
            "'\(shown(tree.records[first].range)) \(words.0) (\(shown(tree.records[middle].range)) \(words.1) "
            + "\(shown(tree.records[right].range)))'"
        return (
            "'and' and 'or' bind equally, from left to right, so this is \(reading); write \(meaning) if that is meant",
            Int(tree.records[middle].start)..<Int(record.end)
        )
    }

    /// Whether a node is an address, a name or a number that has its qualifiers from the primitive before it.
    private func isCarriedOver(_ index: Int) -> Bool {
        let record = tree.records[tree.records[index].kind == .not ? index - 1 : index]
        switch record.kind {
        case .name, .number, .address, .address6, .ethernetAddress, .arcnetAddress, .prefix, .masked: return true
        case .group: return record.extra != 0
        default: return false
        }
    }

    /// What a primitive is about.
    private enum Sort {
        case address, port, transport, network
    }

    private func sort(of index: Int) -> Sort? {
        let record = tree.records[index]
        if record.kind == .protocolName {
            let facts = PacketFacts.primitive(tree, index)
            return facts.transport.isRestricted ? .transport : facts.network.isRestricted ? .network : nil
        }
        guard record.kind == .primitive || isCarriedOver(index), let qualifiers = Qualifiers(packed: record.extra)
        else {
            return nil
        }
        switch qualifiers.type {
        case .unsaid, .host, .net, .gateway: return .address
        case .port, .portrange: return .port
        case .proto, .protochain: return .transport
        }
    }
}
