extension FilterExpression: CustomStringConvertible {
    /// The expression in its usual form, which is read back to an equal tree: `and`, `or` and `not` in words, one space
    /// between words and operators, qualifiers in their usual order.
    ///
    /// - Complexity: O(*n*).
    public var description: String { String(decoding: printed, as: UTF8.self) }

    /// ``description`` as bytes, which are not UTF-8 where the text's were not.
    public var printed: [UInt8] {
        guard !records.isEmpty else { return [] }
        var printer = ExpressionPrinter(tree: self)
        printer.print(records.count - 1)
        return printer.output
    }
}

/// Prints a tree; what is still to be printed is a stack, so that depth costs no recursion.
private struct ExpressionPrinter {
    let tree: FilterExpression
    var output: [UInt8] = []
    private var stack: [Piece] = []

    private enum Piece {
        case node(Int)
        case text(String)
    }

    init(tree: FilterExpression) {
        self.tree = tree
        output.reserveCapacity(tree.text.count)
    }

    mutating func print(_ root: Int) {
        stack.append(.node(root))
        while let piece = stack.popLast() {
            switch piece {
            case .text(let text): output += text.utf8
            case .node(let index):
                let record = tree.records[index]
                if record.kind.isText {
                    output += tree.text[record.range]
                } else {
                    stack += pieces(of: index, record).reversed()
                }
            }
        }
    }

    private func pieces(of index: Int, _ record: FilterExpression.Record) -> [Piece] {
        // Most nodes have one or two children, the last of which stands just before its parent.
        let last = index - 1
        let hasChildren = Int(record.first) < index
        let beforeLast = hasChildren ? Int(tree.records[last].first) - 1 : -1
        switch record.kind {
        case .and: return [.node(beforeLast), .text(" and "), .node(last)]
        case .or: return [.node(beforeLast), .text(" or "), .node(last)]
        case .not: return [.text("not "), .node(last)]
        case .group: return [.text("("), .node(last), .text(")")]
        case .primitive:
            let words = Qualifiers(packed: record.extra)?.words ?? []
            return [.text(words.joined(separator: " ") + " "), .node(last)]
        case .prefix: return [.node(beforeLast), .text("/"), .node(last)]
        case .masked: return [.node(beforeLast), .text(" mask "), .node(last)]
        case .protocolName: return [.text(ExpressionWord.spelling(record.detail))]
        case .keyword: return keyword(index, record)
        case .comparison, .arithmetic:
            let sign = ExpressionToken.Kind(rawValue: record.detail)?.sign ?? ""
            return [.node(beforeLast), .text(" \(sign) "), .node(last)]
        case .negation: return [.text("-"), .node(last)]
        case .load:
            let word = ExpressionWord.spelling(record.detail)
            guard beforeLast >= Int(record.first) else { return [.text("\(word)["), .node(last), .text("]")] }
            return [.text("\(word)["), .node(beforeLast), .text(":"), .node(last), .text("]")]
        case .length: return [.text("len")]
        case .name, .number, .address, .address6, .ethernetAddress, .arcnetAddress: return []
        }
    }

    private func keyword(_ index: Int, _ record: FilterExpression.Record) -> [Piece] {
        let children = FilterExpression.Node(tree: tree, index: index).children.map { Piece.node($0.index) }
        let word = ExpressionWord.spelling(record.detail)
        switch ExpressionWord.table[Int(record.detail)].kind {
        case .broadcastOrMulticast, .type, .subtype, .direction:
            let start = record.extra == 0 ? word : "\(ExpressionWord.spelling(UInt8(record.extra))) \(word)"
            let subtype: [Piece] = children.count > 1 ? [.text(" subtype "), children[1]] : []
            return [.text(start)] + children.prefix(1).flatMap { [.text(" "), $0] } + subtype
        case .byte:
            return [.text("\(word) "), children[0], .text(" \(comparison(record)) "), children[1]]
        case .field:
            return [.text(record.extra == 0 ? "\(word) " : "\(word) \(comparison(record)) ")] + children
        default:
            return [.text(word)] + children.flatMap { [.text(" "), $0] }
        }
    }

    private func comparison(_ record: FilterExpression.Record) -> String {
        ExpressionToken.Kind(rawValue: UInt8(record.extra))?.sign ?? ""
    }
}
