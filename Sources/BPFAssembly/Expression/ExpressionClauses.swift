/// A part of an expression between one `and` or `or` and the next, as it is to be tried by itself.
public struct ExpressionClause: Hashable, Sendable {
    /// What joins it to those before.
    public enum Joint: String, Hashable, Sendable {
        /// It must hold too.
        case and
        /// It may hold instead.
        case or
    }

    /// What joins it to the one before; nil for the first of an expression, and of what stands in parentheses.
    public var joint: Joint?
    /// How many parentheses around other clauses it stands in.
    public var depth: Int
    /// Its text, on one line, with the qualifiers that it shares with what stands before: `port 443` of
    /// `port 80 or 443`.
    public var text: String
    /// An expression that is true of the packets for which the clause holds.
    ///
    /// Behind a word that shifts offsets, such as `vlan`, these are those for which what stands before holds as far as
    /// that word does: only there the clause is looked for in the right place.
    public var alone: String
    /// An expression that is true of the packets for which the text up to the end of the clause holds, from the
    /// beginning of the expression or of the parentheses on.
    public var soFar: String
    /// What stands before it as far as a word that shifts offsets does; nil where there is none.
    public var shift: String?
}

extension FilterExpression {
    /// The clauses of the expression from left to right, those inside of parentheses behind the parentheses as a whole.
    ///
    /// `and` and `or` bind equally, so that each joins its right side to all that stands to its left. What is negated is
    /// one clause, and so are parentheses in which offsets are shifted, or that are deeper than eight in others.
    /// - Complexity: O(*n* *m*) in the length of the text and the number of clauses.
    public var clauses: [ExpressionClause] {
        guard !records.isEmpty else { return [] }
        return ClauseFinder(tree: self).clauses(of: records.count - 1, depth: 0, behind: nil)
    }
}

private struct ClauseFinder {
    let tree: FilterExpression
    /// The qualifiers that are carried over, by where their words would have to stand.
    private let insertions: [(place: Int, words: String)]
    private static let deepest = 8

    init(tree: FilterExpression) {
        self.tree = tree
        var insertions: [(place: Int, words: String)] = []
        var stack = [tree.records.count - 1]
        while let index = stack.popLast() {
            let record = tree.records[index]
            switch record.kind {
            case .and, .or:
                stack += [index - 1, Int(tree.records[index - 1].first) - 1]
            case .not: stack.append(index - 1)
            case .group where record.extra == 0: stack.append(index - 1)
            case .group, .name, .number, .address, .address6, .ethernetAddress, .arcnetAddress, .prefix, .masked:
                guard let words = Qualifiers(packed: record.extra)?.words, !words.isEmpty else { break }
                insertions.append((Int(record.start), words.joined(separator: " ") + " "))
            // A primitive says its qualifiers itself, and other nodes have none.
            default: break
            }
        }
        self.insertions = insertions.sorted { $0.place < $1.place }
    }

    /// The clauses of a node, which is a whole expression once `shift` stands before it.
    func clauses(of root: Int, depth: Int, behind shift: String?) -> [ExpressionClause] {
        let root = unwrapped(root)
        let operands = operands(of: root)
        let start = Int(tree.records[operands[0].index].start)
        var shift = shift
        let shiftOutside = shift
        var clauses: [ExpressionClause] = []
        for (joint, index) in operands {
            let record = tree.records[index]
            let (text, before) = (text(record.range), self.text(start..<Int(record.end)))
            clauses.append(
                ExpressionClause(
                    joint: joint, depth: depth, text: text, alone: Self.conjunction(shift, text),
                    soFar: Self.conjunction(shiftOutside, before), shift: shift))
            if shiftsOffsets(index) {
                shift = Self.conjunction(shiftOutside, before)
            } else if record.kind == .group, record.extra == 0, depth < Self.deepest {
                let inner = self.clauses(of: index, depth: depth + 1, behind: shift)
                if inner.count > 1 { clauses += inner }
            }
        }
        return clauses
    }

    /// What is inside of parentheses around a whole condition.
    private func unwrapped(_ index: Int) -> Int {
        var index = index
        while tree.records[index].kind == .group, tree.records[index].extra == 0 { index -= 1 }
        return index
    }

    private func operands(of root: Int) -> [(joint: ExpressionClause.Joint?, index: Int)] {
        var operands: [(joint: ExpressionClause.Joint?, index: Int)] = []
        var index = root
        while tree.records[index].kind == .and || tree.records[index].kind == .or {
            operands.append((tree.records[index].kind == .and ? .and : .or, index - 1))
            index = Int(tree.records[index - 1].first) - 1
        }
        return [(nil, index)] + operands.reversed()
    }

    private func shiftsOffsets(_ index: Int) -> Bool {
        (Int(tree.records[index].first)...index).contains { tree.records[$0].shiftsOffsets }
    }

    private static func conjunction(_ shift: String?, _ text: String) -> String {
        shift.map { "(\($0)) and (\(text))" } ?? text
    }

    /// The text of a range, with the qualifiers that are carried over, on one line.
    private func text(_ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        var place = range.lowerBound
        for insertion in insertions where range.contains(insertion.place) {
            bytes += tree.text[place..<insertion.place] + Array(insertion.words.utf8)
            place = insertion.place
        }
        bytes += tree.text[place..<range.upperBound]
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
