/// Reads an expression from left to right with a stack of what is begun and not yet complete.
///
/// The language is what `Grammar/pcap-filter.abnf` says. Only the next token is ever looked at; where a number or an
/// opening parenthesis could begin several things, what they begin is left open until a later token tells.
struct ExpressionParser {
    /// What may stand where an operand is expected.
    struct Expected: OptionSet, Hashable {
        let rawValue: UInt8
        /// A primitive, and so arithmetic, with which a comparison can begin.
        static let condition = Expected(rawValue: 1)
        /// An address, a name or a number, whose qualifiers are known, or several in parentheses.
        static let identifier = Expected(rawValue: 2)
        /// The first of several identifiers in parentheses, which itself can be in parentheses only if it is a number.
        static let firstIdentifier = Expected(rawValue: 4)
        /// Arithmetic.
        static let arithmetic = Expected(rawValue: 8)
        /// A number, in parentheses or not.
        static let number = Expected(rawValue: 16)

        var allowsIdentifier: Bool { !isDisjoint(with: [.identifier, .firstIdentifier]) }
        var allowsArithmetic: Bool { !isDisjoint(with: [.condition, .arithmetic]) }
    }

    /// What has just been completed.
    enum Category {
        case condition
        case identifier
        /// A number, alone or in parentheses, that may be an identifier or the beginning of arithmetic.
        case number
        case arithmetic
        /// What an error was found in: anything may stand behind it.
        case unknown
    }

    /// What is to be done next.
    enum Step: Equatable {
        case readOperand(Expected)
        case complete(Category)
        case end
    }

    /// What is begun; each keeps where.
    enum Frame {
        case not(start: Int, Expected)
        /// The left side, in front of it, and the operator have been read.
        case logical(ExpressionToken.Kind, isList: Bool, Expected)
        case group(start: Int, Expected, qualifiers: UInt16)
        case primitive(start: Int, qualifiers: UInt16)
        case optionalNumber(word: UInt8, start: Int)
        case binary(ExpressionToken.Kind)
        case negation(start: Int)
        case comparison(ExpressionToken.Kind)
        case load(word: UInt8, start: Int)
    }

    var records: [FilterExpression.Record] = []
    private(set) var token = ExpressionToken(kind: .end, start: 0, end: 0)
    private var lexer: ExpressionLexer
    var frames: [Frame] = []
    /// The qualifiers that an identifier would carry over here, 0 if there are none.
    var qualifiers: UInt16 = 0
    /// Where the last token read ends.
    private(set) var end = 0
    /// How many of the frames are groups.
    var groups = 0
    /// How many brackets are open that belong to loads with errors.
    var strayBrackets = 0
    /// How many parentheses are open that are no frames.
    var plainParentheses = 0

    init(_ text: [UInt8]) { lexer = ExpressionLexer(text) }

    mutating func parse() throws(AssemblyError) {
        var step = try start()
        while step != .end { step = try next(step) }
    }

    mutating func start() throws(AssemblyError) -> Step {
        try advance()
        return token.kind == .end ? .end : .readOperand(.condition)
    }

    /// Does a step; whatever begins without being complete says what it expects, else the operand is complete.
    mutating func next(_ step: Step) throws(AssemblyError) -> Step {
        switch step {
        case .readOperand(let expected):
            switch try operand(expected) {
            case .begun(let next): .readOperand(next)
            case .complete(let category): .complete(category)
            }
        case .complete(let category): try complete(category).map { .readOperand($0) } ?? .end
        case .end: .end
        }
    }

    /// Reads the next token; where there is none, ``token`` stands for what cannot be read.
    mutating func advance() throws(AssemblyError) {
        end = token.end
        do {
            token = try lexer.next()
        } catch {
            token = lexer.skipUnreadable()
            throw error
        }
    }

    /// Moves to the next token or to what is none.
    mutating func skip() {
        lexer.isSkipping = true
        do throws(AssemblyError) { try advance() } catch {}
        lexer.isSkipping = false
    }

    // MARK: Nodes

    /// Adds a node without children.
    mutating func addLeaf(
        _ kind: FilterExpression.Node.Kind, detail: UInt8 = 0, extra: UInt16 = 0, _ range: Range<Int>
    ) {
        add(kind, detail: detail, extra: extra, start: range.lowerBound, end: range.upperBound, first: records.count)
    }

    /// Adds a node around the last `count` that have no parent; it begins with the first of them unless `start` is given.
    mutating func addParent(
        _ kind: FilterExpression.Node.Kind, detail: UInt8 = 0, extra: UInt16 = 0, of count: Int, start: Int? = nil,
        end: Int? = nil
    ) {
        var first = records.count
        var begin = start ?? self.end
        for _ in 0..<count {
            begin = Int(records[first - 1].start)
            first = Int(records[first - 1].first)
        }
        add(
            kind, detail: detail, extra: extra, start: start ?? begin, end: end ?? Int(records.last?.end ?? 0),
            first: first)
    }

    private mutating func add(
        _ kind: FilterExpression.Node.Kind, detail: UInt8, extra: UInt16, start: Int, end: Int, first: Int
    ) {
        records.append(
            FilterExpression.Record(
                kind: kind, detail: detail, extra: extra, start: UInt32(start), end: UInt32(end), first: UInt32(first)))
    }

    /// Gives the number that was completed last, and the parentheses around it, qualifiers.
    mutating func makeIdentifier() {
        var index = records.count - 1
        records[index].extra = qualifiers
        while records[index].kind == .group {
            index -= 1
            records[index].extra = qualifiers
        }
    }

    // MARK: Errors

    /// What stands at the next token is none of `expected`.
    func unexpected(_ expected: [String]) -> AssemblyError {
        // The end is where the last word ends, not in an empty line behind it.
        if token.kind == .end {
            return lexer.error(.unexpected(found: "the end of the text", expected: expected), at: end)
        }
        let found = lexer.quoted(token.start..<token.end)
        return lexer.error(.unexpected(found: found, expected: expected), at: token.start)
    }

    /// The number that was completed last has neither qualifiers before it nor an operator behind it.
    func loneNumber() -> AssemblyError {
        let start = records.last.map { Int($0.start) } ?? 0
        let found = lexer.quoted(start..<end) + " alone"
        return lexer.error(
            .unexpected(
                found: found, expected: ["a qualifier such as 'host' or 'port' before it", "a comparison behind it"]),
            at: start)
    }
}
