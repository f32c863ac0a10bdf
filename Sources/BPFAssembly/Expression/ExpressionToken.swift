/// A piece of an expression's text that the language takes as one.
struct ExpressionToken {
    enum Kind: UInt8 {
        case end
        /// What is no token.
        case unreadable
        // Signs.
        case and, or, not, leftParenthesis, rightParenthesis, leftBracket, rightBracket, colon
        case plus, minus, times, divide, modulo, bitAnd, bitOr, bitXor, shiftLeft, shiftRight
        case isGreater, isGreaterOrEqual, isEqual, isLess, isLessOrEqual, isNotEqual
        // What words cannot list.
        case number, name, address, address6, ethernetAddress, arcnetAddress
        // Words, by how the grammar treats them.
        case protocolName
        case source, destination, wirelessAddress
        case host, net, port, portrange, proto, protochain, gateway
        case mask, length
        case broadcastOrMulticast
        case type, subtype, direction, logicalLink, byte
        /// A primitive of one word.
        case alone
        /// Words with a number behind them, which may stand in parentheses or be missing.
        case optionalNumber
        /// Words with a number behind them.
        case withNumber
        /// `rnr`, one of those, and a kind of LLC frame.
        case ruleNumber
        /// Words with a name behind them.
        case withName
        /// Words with a number or a name behind them.
        case withNumberOrName
        /// Words with a number, a comparison with one or a list of them behind them.
        case field
    }

    var kind: Kind
    /// The index in ``ExpressionWord/table`` of a word; 0 is none that a tree keeps.
    var word: UInt8 = 0
    var start: Int
    var end: Int
}

extension ExpressionToken.Kind {
    /// How tightly an arithmetic operator binds; 0 for what is none.
    ///
    /// `%` and `^` have no place in this order: see ``hasNoPrecedence``.
    var precedence: Int {
        switch self {
        case .bitOr: 1
        case .bitAnd: 2
        case .shiftLeft, .shiftRight: 3
        case .plus, .minus: 4
        case .times, .divide: 5
        case .modulo, .bitXor: 6
        default: 0
        }
    }

    var isArithmetic: Bool { precedence > 0 }

    /// Whether it is an operator that libpcap's grammar gives no precedence, so that it is applied to the operand just
    /// before it and to all of the arithmetic behind it: `1 * 7 % 2 + 3` is `1 * (7 % (2 + 3))`.
    var hasNoPrecedence: Bool { self == .modulo || self == .bitXor }

    var isComparison: Bool { Self.isGreater.rawValue...Self.isNotEqual.rawValue ~= rawValue }

    /// How a sign is written.
    var sign: String {
        switch self {
        case .and: "and"
        case .or: "or"
        case .not: "not"
        case .plus: "+"
        case .minus: "-"
        case .times: "*"
        case .divide: "/"
        case .modulo: "%"
        case .bitAnd: "&"
        case .bitOr: "|"
        case .bitXor: "^"
        case .shiftLeft: "<<"
        case .shiftRight: ">>"
        case .isGreater: ">"
        case .isGreaterOrEqual: ">="
        case .isEqual: "="
        case .isLess: "<"
        case .isLessOrEqual: "<="
        case .isNotEqual: "!="
        default: ""
        }
    }
}
