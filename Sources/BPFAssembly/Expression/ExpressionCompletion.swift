extension ExpressionParser {
    /// Goes on behind a complete operand: completes what it is the last part of, up to an operator or the end.
    ///
    /// Returns what is expected next, or nil at the end of the expression.
    mutating func complete(_ operand: Category) throws(AssemblyError) -> Expected? {
        var category = operand
        while true {
            if category == .unknown { skipUnknown() }
            switch frames.last {
            case .binary, .negation, .comparison, .load:
                if let next = try completeArithmetic(&category) { return next }
            case .optionalNumber(let word, let start):
                frames.removeLast()
                addParent(.keyword, detail: word, of: 1, start: start)
                qualifiers = 0
                category = .condition
            case .primitive(let start, let packed):
                if category == .number { makeIdentifier() }
                frames.removeLast()
                addParent(.primitive, extra: packed, of: 1, start: start)
                category = .condition
            case .not(let start, let expected):
                if let next = try beginArithmetic(category, expected) { return next }
                category = try settled(category, expected)
                frames.removeLast()
                addParent(.not, of: 1, start: start)
            case .logical(let kind, let isList, let expected):
                if let next = try beginArithmetic(category, expected) { return next }
                category = try settled(category, expected)
                frames.removeLast()
                addParent(kind == .and ? .and : .or, of: 2)
                category = isList ? .identifier : .condition
            case .group(let start, let expected, let outer):
                if let next = try beginArithmetic(category, expected) { return next }
                if token.kind == .rightParenthesis {
                    frames.removeLast()
                    groups -= 1
                    addParent(.group, of: 1, start: start, end: token.end)
                    // What is carried over stays as it was, unless it was used inside.
                    if category == .condition { qualifiers = outer }
                    if category == .identifier { records[records.count - 1].extra = qualifiers }
                    try advance()
                } else {
                    return try beginLogical(category, expected, isGroup: true)
                }
            case nil:
                if let next = try beginArithmetic(category, .condition) { return next }
                if token.kind == .end {
                    _ = try settled(category, .condition)
                    return nil
                }
                return try beginLogical(category, .condition, isGroup: false)
            }
        }
    }

    /// A number whose role is now known, for what follows is no operator of arithmetic.
    private mutating func settled(_ category: Category, _ expected: Expected) throws(AssemblyError) -> Category {
        switch category {
        case .condition, .identifier, .unknown: return category
        case .number:
            guard expected.allowsIdentifier else {
                throw expected.contains(.condition) && isBehindOperand
                    ? loneNumber() : unexpected(["an operator", "a comparison"])
            }
            makeIdentifier()
            return .identifier
        case .arithmetic: throw unexpected(["an operator", "a comparison"])
        }
    }

    /// Whether the next token can stand behind a condition.
    private var isBehindOperand: Bool {
        switch token.kind {
        case .end, .and, .or, .rightParenthesis: true
        default: false
        }
    }

    /// An operator of arithmetic or a comparison behind a number.
    private mutating func beginArithmetic(
        _ category: Category, _ expected: Expected
    ) throws(AssemblyError) -> Expected? {
        guard category == .number || category == .arithmetic else { return nil }
        if token.kind.isArithmetic, expected.allowsArithmetic {
            frames.append(.binary(token.kind))
        } else if token.kind.isComparison, expected.contains(.condition) {
            frames.append(.comparison(token.kind))
        } else {
            return nil
        }
        try advance()
        return .arithmetic
    }

    /// `and` or `or` behind a condition or an identifier.
    private mutating func beginLogical(
        _ category: Category, _ expected: Expected, isGroup: Bool
    ) throws(AssemblyError) -> Expected {
        guard token.kind == .and || token.kind == .or else {
            let isNumber = category == .number || category == .arithmetic
            let arithmetic = isNumber && expected.allowsArithmetic ? ["an operator"] : []
            let comparison = isNumber && expected.contains(.condition) ? ["a comparison"] : []
            let isCondition = !isNumber || category == .number && expected.allowsIdentifier
            throw unexpected(
                arithmetic + comparison + (isCondition ? ["'and'", "'or'"] : [])
                    + (isGroup ? ["')'"] : isCondition ? ["the end"] : []))
        }
        let isList = try settled(category, expected) == .identifier
        let next: Expected = isList ? .identifier : qualifiers == 0 ? .condition : [.condition, .identifier]
        frames.append(.logical(token.kind, isList: isList, next))
        try advance()
        return next
    }

    /// Completes arithmetic as far as the next token allows, or goes on with its operator.
    private mutating func completeArithmetic(_ category: inout Category) throws(AssemblyError) -> Expected? {
        category = .arithmetic
        let operation = token.kind
        switch frames.last {
        case .binary(let kind):
            if operation.isArithmetic, !binds(kind, before: operation) { break }
            frames.removeLast()
            addParent(.arithmetic, detail: kind.rawValue, of: 2)
            return nil
        case .negation(let start):
            if operation.hasNoPrecedence { break }
            frames.removeLast()
            addParent(.negation, of: 1, start: start)
            return nil
        case .comparison(let kind):
            if operation.isArithmetic { break }
            frames.removeLast()
            addParent(.comparison, detail: kind.rawValue, of: 2)
            qualifiers = 0
            category = .condition
            return nil
        case .load(let word, let start):
            if operation.isArithmetic { break }
            try completeLoad(word, start: start)
            return nil
        default: break
        }
        frames.append(.binary(operation))
        try advance()
        return .arithmetic
    }

    /// Whether `left` takes the operand between it and `right`.
    private func binds(_ left: ExpressionToken.Kind, before right: ExpressionToken.Kind) -> Bool {
        !left.hasNoPrecedence && !right.hasNoPrecedence && left.precedence >= right.precedence
    }

    /// The end of a load: `]`, or `:`, the number of bytes and `]`.
    private mutating func completeLoad(_ word: UInt8, start: Int) throws(AssemblyError) {
        var count = 1
        if token.kind == .colon {
            try advance()
            try number("the number of bytes")
            count = 2
            guard token.kind == .rightBracket else { throw unexpected(["']'"]) }
        }
        guard token.kind == .rightBracket else { throw unexpected(["an operator", "':'", "']'"]) }
        try advance()
        frames.removeLast()
        addParent(.load, detail: word, of: count, start: start, end: end)
    }
}
