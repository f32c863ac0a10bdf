/// Packets that begin with their IP header have no link layer to ask about.
extension HintCollector {
    mutating func findLinkLayer() {
        for (index, record) in tree.records.enumerated() {
            if isFull { return }
            switch record.kind {
            case .load where isNamedLink(record.detail):
                add(
                    "packets begin with their IP header here, so \(quoted(index)) reads bytes of that; write 'ip[…]' or "
                        + "'ip6[…]' for them and leave Ethernet's header out", at: record.range)
            case .primitive where isNamedLink(UInt8(record.extra >> 8)),
                .keyword where isLinkKeyword(record):
                add(
                    "packets begin with their IP header here, so there is nothing to compare \(quoted(index)) with; ask for "
                        + "an IP address or protocol instead", at: record.range)
            case .protocolName:
                let network = PacketFacts.primitive(tree, index).network
                guard network.isRestricted, network.possible.isDisjoint(with: [.ip, .ip6]) else { continue }
                add(
                    "packets begin with their IP header here, so \(quoted(index)) never matches; filter where frames have "
                        + "their Ethernet header, such as tc or XDP", at: record.range)
            default: continue
            }
        }
    }

    /// Words that name a link, unlike `link` itself, which just means the first header there is.
    private func isNamedLink(_ word: UInt8) -> Bool {
        LinkWords.contains(word) && word != ExpressionWord.known("link") && word != ExpressionWord.known("radio")
    }

    private func isLinkKeyword(_ record: FilterExpression.Record) -> Bool {
        switch ExpressionWord.table[Int(record.detail)].kind {
        case .broadcastOrMulticast: record.extra == 0 || isNamedLink(UInt8(record.extra))
        case .optionalNumber: record.detail != ExpressionWord.known("geneve")
        default: false
        }
    }
}
