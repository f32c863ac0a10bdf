/// The syntax tree of a filter expression, as pcap-filter(7) and `Grammar/pcap-filter.abnf` describe the language.
///
///     let expression = try FilterExpression("tcp port 80 or 443")
///     expression.root!.kind                                    // .or
///     expression.root!.children.map { $0.qualifiers!.type }    // [.port, .port]
///
/// Two are equal if they say the same in the same words, wherever those stand in the text.
///
/// A tree takes 16 bytes for each of its nodes, of which there are at most as many as words and signs in the text.
/// Neither reading nor printing nor comparing recurses, so that none is too deep.
public struct FilterExpression: Sendable {
    /// The text that was read, in ASCII but for what stands behind backslashes.
    public let text: [UInt8]
    /// The nodes, children before parents and left before right, so that the last is the root.
    let records: [Record]

    /// What is kept of a node; its children end just before it.
    struct Record: Equatable {
        var kind: Node.Kind
        /// The index of a word, or an operator.
        var detail: UInt8
        /// ``Qualifiers`` or, of `byte` and of a field, a comparison.
        var extra: UInt16
        /// Where the node is in the text.
        var start: UInt32
        var end: UInt32
        /// The index of the first node that is inside this one, or its own if none is.
        var first: UInt32
    }

    /// The longest text taken, in bytes, 1 GiB.
    public static let maximumLength = 1 << 30

    /// Reads `text`.
    ///
    /// What libpcap 1.10 takes for an expression is taken, and nothing else; whether names are known, numbers in their
    /// range and primitives possible on a link type is not looked at.
    ///
    /// - Throws: ``AssemblyError`` at the first word or sign that cannot stand where it is.
    /// - Complexity: O(*n*) in time and memory, whatever the nesting.
    public init(_ text: [UInt8]) throws(AssemblyError) {
        try Self.checkLength(of: text)
        self.text = text
        var parser = ExpressionParser(text)
        try parser.parse()
        records = parser.records
    }

    /// Reads `text`.
    ///
    /// - Throws: ``AssemblyError`` at the first word or sign that cannot stand where it is.
    public init(_ text: String) throws(AssemblyError) { try self.init(Array(text.utf8)) }

    /// All errors in `text`, 20 at most, the first being the one that reading it throws; nil where there is none.
    ///
    /// Behind an error reading goes on at the next `and`, `or` or closing parenthesis that belongs to the same
    /// parentheses, and there whatever depends on what could not be read is taken to be right: what is reported behind the
    /// first error is wrong however that is mended.
    ///
    /// - Complexity: O(*n*) in time and memory.
    public static func errors(in text: [UInt8]) -> AssemblyErrors? {
        do throws(AssemblyError) {
            try checkLength(of: text)
        } catch {
            return AssemblyErrors(error)
        }
        var parser = ExpressionParser(text)
        return parser.allErrors()
    }

    private static func checkLength(of text: [UInt8]) throws(AssemblyError) {
        guard text.count > maximumLength else { return }
        throw AssemblyError(
            .unexpected(found: "\(text.count) bytes", expected: ["at most \(maximumLength)"]), line: 1, column: 1)
    }

    /// The whole expression, or nil for the empty one, which matches every packet.
    public var root: Node? { records.isEmpty ? nil : Node(tree: self, index: records.count - 1) }
}

extension FilterExpression: Equatable {
    /// Whether both say the same in the same words.
    ///
    /// - Complexity: O(*n*).
    public static func == (left: Self, right: Self) -> Bool {
        guard left.records.count == right.records.count else { return false }
        return zip(left.records, right.records).allSatisfy { a, b in
            guard a.kind == b.kind, a.detail == b.detail, a.extra == b.extra, a.first == b.first else { return false }
            return !a.kind.isText || left.text[a.range].elementsEqual(right.text[b.range])
        }
    }
}

extension FilterExpression.Record {
    var range: Range<Int> { Int(start)..<Int(end) }
}

extension FilterExpression {
    /// A part of the expression.
    public struct Node: Sendable {
        let tree: FilterExpression
        let index: Int

        var record: Record { tree.records[index] }

        /// What it is.
        public var kind: Kind { record.kind }

        /// The bytes of the text it was read from.
        public var range: Range<Int> { record.range }

        /// The text it was read from.
        public var text: String { String(decoding: tree.text[range], as: UTF8.self) }

        /// The parts it is made of, from left to right.
        public var children: [Node] {
            var children: [Node] = []
            var end = index
            while end > Int(record.first) {
                children.append(Node(tree: tree, index: end - 1))
                end = Int(tree.records[end - 1].first)
            }
            return children.reversed()
        }

        /// The word that a primitive or a load begins with, or an operator as the printer writes it; nil for other nodes.
        public var word: String? {
            switch kind {
            case .protocolName, .keyword, .load: ExpressionWord.spelling(record.detail)
            case .arithmetic, .comparison: ExpressionToken.Kind(rawValue: record.detail)!.sign
            case .and: "and"
            case .or: "or"
            case .not: "not"
            default: nil
            }
        }

        /// What a primitive says of its address, name or number, or what it carries over from the one before it.
        ///
        /// Of an address, a name or a number, nil where it stands in another role.
        public var qualifiers: Qualifiers? {
            switch kind {
            case .primitive, .name, .number, .address, .address6, .ethernetAddress, .arcnetAddress, .prefix, .masked:
                Qualifiers(packed: record.extra)
            case .group where record.extra != 0: Qualifiers(packed: record.extra)
            default: nil
            }
        }

        /// The value of a number, whether in digits or a name; nil for other nodes.
        public var value: UInt32? { kind == .number ? ExpressionLexer.value(of: tree.text[range]) : nil }
    }
}

extension FilterExpression.Node {
    /// What a node is.
    public enum Kind: UInt8, Hashable, Sendable {
        /// Two parts that must both hold.
        case and
        /// Two parts of which one must hold.
        case or
        /// A part that must not hold.
        case not
        /// A part in parentheses, of a condition, of a list of addresses or of arithmetic.
        case group
        /// Qualifiers and what they are of: an address, a name, a number or several in parentheses.
        case primitive
        /// A name, escaped by a backslash or not.
        case name
        /// A number.
        case number
        /// An IPv4 address or the front of one.
        case address
        /// An IPv6 address.
        case address6
        /// An Ethernet address.
        case ethernetAddress
        /// An ARCnet address, such as `$7f`.
        case arcnetAddress
        /// An address and the length of a prefix.
        case prefix
        /// An IPv4 address and a mask.
        case masked
        /// The name of a protocol alone.
        case protocolName
        /// A primitive of any other word, with what belongs to it.
        case keyword
        /// Two numbers that are compared.
        case comparison
        /// Two numbers that are computed with.
        case arithmetic
        /// The negative of a number.
        case negation
        /// Bytes of the packet: the offset and, if it is said, how many.
        case load
        /// The length of the packet.
        case length

        /// Whether its own text tells what it is.
        var isText: Bool { Self.name.rawValue...Self.arcnetAddress.rawValue ~= rawValue }
    }
}
