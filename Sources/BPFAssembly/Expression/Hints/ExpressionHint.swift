/// A place in an expression that is in order for libpcap but hardly what its author means.
public struct ExpressionHint: Hashable, Sendable {
    /// What is the matter and what would be right: one sentence without a full stop.
    public var message: String
    /// The bytes of the text that are meant.
    public var range: Range<Int>
    /// The line of the first of them, counted from 1.
    public var line: Int
    /// Its byte in that line, counted from 1.
    public var column: Int
}

extension FilterExpression {
    /// What packets begin with, as far as hints depend on it.
    public enum LinkLayer: Hashable, Sendable {
        /// Some header of a link.
        case header
        /// The IP header.
        case ip
    }

    /// The most hints that are given for one expression.
    public static let maximumHints = 20

    /// Where a person has gone wrong, in the order of the text, ``maximumHints`` at most.
    ///
    /// Looked for are offsets that a word such as `vlan` shifts where that cannot be meant, `and` and `or` that bind
    /// otherwise than they read, conditions that never hold together, what is said twice or denied, and primitives of a
    /// link layer that is not there.
    ///
    /// - Complexity: O(*n*).
    public func hints(for layer: LinkLayer = .header) -> [ExpressionHint] {
        guard !records.isEmpty else { return [] }
        var hints = HintCollector(tree: self)
        hints.findShifted()
        hints.findBinding()
        hints.findContradictions()
        hints.findRepetitions()
        if layer == .ip { hints.findLinkLayer() }
        return hints.found.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
    }
}

/// Collects hints about a tree.
struct HintCollector {
    let tree: FilterExpression
    private(set) var found: [ExpressionHint] = []

    init(tree: FilterExpression) { self.tree = tree }

    var isFull: Bool { found.count >= FilterExpression.maximumHints }

    /// Adds a hint about the bytes `range`, unless there are many.
    mutating func add(_ message: String, at range: Range<Int>) {
        guard !isFull else { return }
        let before = tree.text[..<range.lowerBound]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        found.append(
            ExpressionHint(
                message: message, range: range, line: before.count { $0 == UInt8(ascii: "\n") } + 1,
                column: range.lowerBound - lineStart + 1))
    }

    /// The text of a node in quotes, on one line and shortened.
    func quoted(_ index: Int) -> String { "'\(shown(tree.records[index].range))'" }

    /// At most 40 bytes of the text at `range`, white space as single spaces.
    func shown(_ range: Range<Int>) -> String {
        let words = tree.text[range].prefix(64).split { $0 <= UInt8(ascii: " ") }
        let text = String(decoding: Array(words.joined(separator: [UInt8(ascii: " ")])), as: UTF8.self)
        return range.count > 64 || text.utf8.count > 40 ? text.prefix(39) + "…" : text
    }

    /// The index of what `index` is in however many parentheses.
    func inside(_ index: Int) -> Int {
        var index = index
        while tree.records[index].kind == .group { index -= 1 }
        return index
    }

    /// The left one of the two parts of a node.
    func left(of index: Int) -> Int { Int(tree.records[index - 1].first) - 1 }
}
