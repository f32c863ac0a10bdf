extension ExpressionParser {
    /// What an operand has come to.
    enum Operand {
        /// Something has begun that needs an operand itself.
        case begun(Expected)
        case complete(Category)
    }

    /// Reads an operand, or what it begins with.
    mutating func operand(_ expected: Expected) throws(AssemblyError) -> Operand {
        switch token.kind {
        case .leftParenthesis: return try beginGroup(expected)
        case .number:
            addLeaf(.number, token.start..<token.end)
            try advance()
            return .complete(.number)
        case .not:
            guard expected.contains(.condition) || expected.allowsIdentifier else { break }
            var next: Expected = []
            if expected.contains(.condition) { next.insert(.condition) }
            if expected.allowsIdentifier { next.insert(.identifier) }
            frames.append(.not(start: token.start, next))
            try advance()
            return .begun(next)
        case .minus:
            guard expected.allowsArithmetic else { break }
            frames.append(.negation(start: token.start))
            try advance()
            return .begun(.arithmetic)
        case .length:
            guard expected.allowsArithmetic else { break }
            addLeaf(.length, token.start..<token.end)
            try advance()
            return .complete(.arithmetic)
        case .protocolName:
            guard expected.allowsArithmetic else { break }
            return try protocolName(expected)
        case .name, .address, .address6, .ethernetAddress, .arcnetAddress:
            guard expected.allowsIdentifier else { break }
            try identifier()
            return .complete(.identifier)
        default:
            if expected.contains(.condition), let operand = try primitive() { return operand }
        }
        throw unexpected(alternatives(expected))
    }

    private func alternatives(_ expected: Expected) -> [String] {
        var alternatives: [String] = []
        if expected.contains(.condition) { alternatives.append("a primitive") }
        if expected.allowsIdentifier { alternatives += ["an address", "a name", "a number"] }
        if expected.contains(.arithmetic) { alternatives.append("a number, a load such as ip[0] or 'len'") }
        if expected == .number { alternatives.append("a number") }
        if expected.contains(.condition) || expected.allowsIdentifier { alternatives.append("'not'") }
        return alternatives + ["'('"]
    }

    private mutating func beginGroup(_ expected: Expected) throws(AssemblyError) -> Operand {
        var next: Expected = .number
        if expected.contains(.condition) { next.formUnion([.condition, .arithmetic]) }
        if expected.contains(.arithmetic) { next.insert(.arithmetic) }
        if expected.contains(.identifier) { next.insert(.firstIdentifier) }
        frames.append(.group(start: token.start, next, qualifiers: qualifiers))
        groups += 1
        try advance()
        return .begun(next)
    }

    /// An identifier that is no plain number: a name, or an address with or without a prefix or a mask.
    private mutating func identifier() throws(AssemblyError) {
        let start = token
        let kind: FilterExpression.Node.Kind =
            switch start.kind {
            case .address: .address
            case .address6: .address6
            case .ethernetAddress: .ethernetAddress
            case .arcnetAddress: .arcnetAddress
            default: .name
            }
        addLeaf(kind, extra: qualifiers, start.start..<start.end)
        try advance()
        guard kind == .address || kind == .address6 else { return }
        if token.kind == .divide {
            try advance()
            try number("the length of the prefix, a number")
            addParent(.prefix, extra: qualifiers, of: 2)
        } else if token.kind == .mask, kind == .address {
            try advance()
            guard token.kind == .address else { throw unexpected(["a mask such as 255.255.255.0"]) }
            addLeaf(.address, token.start..<token.end)
            try advance()
            addParent(.masked, extra: qualifiers, of: 2)
        }
    }

    /// A number that is no operand, called `name` where there is none.
    mutating func number(_ name: String) throws(AssemblyError) {
        guard token.kind == .number else { throw unexpected([name]) }
        addLeaf(.number, token.start..<token.end)
        try advance()
    }

    /// What begins with the name of a protocol: a load, a primitive, or nothing else.
    private mutating func protocolName(_ expected: Expected) throws(AssemblyError) -> Operand {
        let name = token
        try advance()
        if token.kind == .leftBracket {
            try advance()
            frames.append(.load(word: name.word, start: name.start))
            return .begun(.arithmetic)
        }
        guard expected.contains(.condition) else { throw unexpected(["'['"]) }
        if let operand = try qualified(by: name) { return operand }
        addLeaf(.protocolName, detail: name.word, name.start..<name.end)
        qualifiers = 0
        return .complete(.condition)
    }

    /// A primitive that begins with another word; nil if the next token begins none.
    private mutating func primitive() throws(AssemblyError) -> Operand? {
        let word = token
        switch word.kind {
        case .alone, .optionalNumber, .withNumber, .ruleNumber, .withName, .withNumberOrName, .field, .byte,
            .logicalLink:
            try advance()
            if word.kind == .optionalNumber, token.kind == .number || token.kind == .leftParenthesis {
                frames.append(.optionalNumber(word: word.word, start: word.start))
                return .begun(.number)
            }
            let before = records.count
            let comparison = try arguments(of: word)
            addParent(
                .keyword, detail: word.word, extra: comparison, of: children(from: before), start: word.start, end: end)
            qualifiers = 0
            return .complete(.condition)
        default:
            return try qualified(by: nil)
        }
    }

    /// How many of the nodes from `first` on have no parent.
    private func children(from first: Int) -> Int {
        var count = 0
        var end = records.count
        while end > first {
            end = Int(records[end - 1].first)
            count += 1
        }
        return count
    }

    /// What belongs to a primitive's word; returns the comparison of `byte` or of a field, 0 if there is none.
    private mutating func arguments(of word: ExpressionToken) throws(AssemblyError) -> UInt16 {
        switch word.kind {
        case .withNumber, .ruleNumber: try number("a number")
        case .withName: try nameOrNumber(["a name"], allowsNumber: false)
        case .withNumberOrName: try nameOrNumber(["a name", "a number"], allowsNumber: true)
        case .logicalLink:
            if token.kind == .name || token.kind == .ruleNumber {
                addLeaf(.name, token.start..<token.end)
                try advance()
            }
        case .byte:
            try number("the offset of the byte")
            let comparison = token.kind
            guard [.bitAnd, .bitOr, .isLess, .isGreater, .isEqual].contains(comparison) else {
                throw unexpected(["'&'", "'|'", "'<'", "'>'", "'='"])
            }
            try advance()
            try number("a number")
            return UInt16(comparison.rawValue)
        case .field: return try fieldValue()
        default: break
        }
        return 0
    }

    /// A number, a comparison with one, or several in parentheses with `or` between them.
    private mutating func fieldValue() throws(AssemblyError) -> UInt16 {
        let comparison = token.kind
        if comparison.isComparison {
            try advance()
            try number("a number")
            return UInt16(comparison.rawValue)
        }
        guard token.kind == .leftParenthesis else {
            guard token.kind == .number else { throw unexpected(["a number", "a comparison", "'('"]) }
            try number("a number")
            return 0
        }
        let start = token.start
        plainParentheses += 1
        try advance()
        try number("a number")
        while token.kind == .or {
            try advance()
            try number("a number")
            addParent(.or, of: 2)
        }
        guard token.kind == .rightParenthesis else { throw unexpected(["'or'", "')'"]) }
        plainParentheses -= 1
        try advance()
        addParent(.group, of: 1, start: start, end: end)
        return 0
    }

    /// A name or, if it is allowed, a number.
    mutating func nameOrNumber(_ names: [String], allowsNumber: Bool) throws(AssemblyError) {
        guard token.kind == .name || allowsNumber && token.kind == .number else { throw unexpected(names) }
        addLeaf(token.kind == .name ? .name : .number, token.start..<token.end)
        try advance()
    }
}
