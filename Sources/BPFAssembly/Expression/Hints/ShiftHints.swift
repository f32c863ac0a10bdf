/// Words such as `vlan` move the offsets of everything to their right, wherever it stands.
extension FilterExpression.Record {
    /// Whether this is a word that moves offsets.
    var shiftsOffsets: Bool {
        kind == .keyword && ExpressionWord.table[Int(detail)].kind == .optionalNumber
    }

    /// Whether this is a primitive whose meaning depends on where headers begin behind that of the link.
    fileprivate var dependsOnOffsets: Bool {
        switch kind {
        case .protocolName: true
        case .primitive, .name, .number, .address, .address6, .prefix, .masked:
            Qualifiers(packed: extra).map { !LinkWords.contains($0.word) } ?? false
        case .load: !LinkWords.contains(detail)
        case .keyword:
            shiftsOffsets
                || ExpressionWord.table[Int(detail)].kind == .broadcastOrMulticast && extra != 0
                    && !LinkWords.contains(UInt8(extra))
        default: false
        }
    }
}

/// The words for the header of the link.
enum LinkWords {
    private static let indices = Set(
        ["link", "ether", "ppp", "slip", "fddi", "tr", "wlan", "radio"].map(ExpressionWord.known))

    static func contains(_ word: UInt8) -> Bool { indices.contains(word) }
}

extension HintCollector {
    /// Finds what is shifted by a word that need not match, and what stands before a word behind which it belongs.
    mutating func findShifted() {
        guard tree.records.contains(where: \.shiftsOffsets) else { return }
        let sure = sureShifts()
        var shiftsBefore = 0
        var lastShift: Int?
        var reported: Int?
        // The nodes still to be visited, each with how many of the shifts before it are sure where it counts.
        var stack = [(index: tree.records.count - 1, sure: 0)]
        while let (index, sureBefore) = stack.popLast() {
            let record = tree.records[index]
            if record.kind == .and { checkOrder(of: index) }
            if let lastShift, reported != lastShift, shiftsBefore > sureBefore, record.dependsOnOffsets {
                add(shifted(index, by: lastShift), at: record.range)
                // Behind a second such word it would be the same hint again.
                reported = record.shiftsOffsets ? index : lastShift
            }
            if record.shiftsOffsets {
                shiftsBefore += 1
                lastShift = index
                continue
            }
            visitChildren(of: index, sureBefore, sure, &stack)
        }
    }

    private func visitChildren(
        of index: Int, _ sureBefore: Int, _ sure: [Int32], _ stack: inout [(index: Int, sure: Int)]
    ) {
        let first = Int(tree.records[index].first)
        let isAnd = tree.records[index].kind == .and
        var child = index - 1
        while child >= first {
            let next = Int(tree.records[child].first) - 1
            stack.append((child, sureBefore + (isAnd && next >= first ? Int(sure[next]) : 0)))
            child = next
        }
    }

    /// How many shifts have surely matched where a node holds.
    private func sureShifts() -> [Int32] {
        var sure = [Int32](repeating: 0, count: tree.records.count)
        for (index, record) in tree.records.enumerated() {
            switch record.kind {
            case .keyword: sure[index] = record.shiftsOffsets ? 1 : 0
            case .group: sure[index] = sure[index - 1]
            case .and: sure[index] = sure[index - 1] + sure[left(of: index)]
            default: break
            }
        }
        return sure
    }

    private func shifted(_ index: Int, by shift: Int) -> String {
        let primitive = quoted(index)
        let word = quoted(shift)
        let record = tree.records[index]
        if record.shiftsOffsets, record.detail == tree.records[shift].detail {
            let name = ExpressionWord.spelling(record.detail)
            let isOfSeveralTags = name == "vlan" && record.first < index
            return "\(primitive) is looked for inside what \(word) has matched, for 'or' does not take back what that "
                + (isOfSeveralTags
                    ? "shifts; write 'vlan and (ether[14:2] & 0xfff = … or ether[14:2] & 0xfff = …)' for one tag of several"
                    : "shifts; write '\(name)' once, before all it is to hold for: '\(name) and (… or …)'")
        }
        return "\(primitive) is looked for behind the header of \(word), which shifts all that stands to its right, "
            + "'or' and 'not' notwithstanding; put it before \(word) if packets without that header are meant"
    }

    /// `ip and vlan`: a frame with a tag has none of what stands behind the tag in front of it.
    private mutating func checkOrder(of index: Int) {
        let shift = firstOperand(index - 1)
        let record = tree.records[shift]
        // A Geneve header follows UDP's, so that what stands before it is the outer packet.
        guard record.shiftsOffsets, record.detail != ExpressionWord.known("geneve") else { return }
        var before = left(of: index)
        while true {
            // Along the left side as far as nothing has been shifted yet.
            let isAnd = tree.records[before].kind == .and
            let operand = isAnd ? before - 1 : before
            if let name = networkPrimitive(inside(operand)) {
                let word = quoted(shift)
                add(
                    "\(quoted(name)) stands before \(word) and so is looked for in front of its header, where such a frame "
                        + "has none; write \(word.dropLast()) and \(quoted(name).dropFirst())",
                    at: tree.records[name].range)
                return
            }
            guard isAnd, !tree.records[inside(operand)].shiftsOffsets else { return }
            before = left(of: before)
        }
    }

    /// The first part of a conjunction.
    private func firstOperand(_ index: Int) -> Int {
        var index = inside(index)
        while tree.records[index].kind == .and { index = inside(left(of: index)) }
        return index
    }

    /// `index`, if it is a primitive that tells what follows the header of the link.
    private func networkPrimitive(_ index: Int) -> Int? {
        let record = tree.records[index]
        switch record.kind {
        case .protocolName, .primitive: return PacketFacts.primitive(tree, index).network.isRestricted ? index : nil
        case .name, .number, .address, .address6, .prefix, .masked:
            return PacketFacts.primitive(tree, index).network.isRestricted ? index : nil
        case .comparison:
            // The loads of a comparison stand below it.
            return (Int(record.first)..<index).first {
                tree.records[$0].kind == .load && PacketFacts.primitive(tree, $0).network.isRestricted
            }
        default: return nil
        }
    }
}
