extension ExpressionParser {
    /// What may begin with the name of a protocol, which is `name` if there is one: qualifiers of an identifier,
    /// `broadcast`, `multicast` and what IEEE 802.11 frames are asked for. Nil if the next token begins none of that.
    mutating func qualified(by name: ExpressionToken?) throws(AssemblyError) -> Operand? {
        let start = name?.start ?? token.start
        let word = name?.word ?? 0
        let keyword = token
        switch keyword.kind {
        case .broadcastOrMulticast, .type, .subtype, .direction:
            try advance()
            let count = try frameArguments(of: keyword)
            addParent(.keyword, detail: keyword.word, extra: UInt16(word), of: count, start: start, end: end)
            qualifiers = 0
            return .complete(.condition)
        case .source, .destination, .wirelessAddress, .host, .net, .port, .portrange, .proto, .protochain, .gateway:
            let packed = Qualifiers(
                word: word, direction: try addressDirection(), type: try addressType(behind: keyword.kind)
            ).packed
            frames.append(.primitive(start: start, qualifiers: packed))
            qualifiers = packed
            return .begun(.identifier)
        default: return nil
        }
    }

    /// What `type`, `subtype` and `dir` are asked for; returns how many nodes that are.
    private mutating func frameArguments(of keyword: ExpressionToken) throws(AssemblyError) -> Int {
        switch keyword.kind {
        case .type:
            try nameOrNumber(["the name of a frame type", "its number"], allowsNumber: true)
            guard token.kind == .subtype else { return 1 }
            try advance()
            try nameOrNumber(["the name of a frame subtype", "its number"], allowsNumber: true)
            return 2
        case .subtype:
            try nameOrNumber(["the name of a frame subtype"], allowsNumber: false)
            return 1
        case .direction:
            try nameOrNumber(["the name of a direction", "its number"], allowsNumber: true)
            return 1
        default: return 0
        }
    }

    private mutating func addressDirection() throws(AssemblyError) -> Qualifiers.Direction {
        let first = token
        switch first.kind {
        case .source, .destination:
            try advance()
            guard token.kind == .or || token.kind == .and else {
                return first.kind == .source ? .source : .destination
            }
            let isOr = token.kind == .or
            try advance()
            let isSource = first.kind == .source
            guard token.kind == (isSource ? .destination : .source) else {
                throw unexpected([isSource ? "'dst'" : "'src'"])
            }
            try advance()
            return isOr ? .sourceOrDestination : .sourceAndDestination
        case .wirelessAddress:
            try advance()
            return wirelessDirection(ExpressionWord.spelling(first.word))
        default: return .unsaid
        }
    }

    private func wirelessDirection(_ word: String) -> Qualifiers.Direction {
        switch word.last {
        case "1": .address1
        case "2": .address2
        case "3": .address3
        case "4": .address4
        default: word == "ra" ? .receiver : .transmitter
        }
    }

    /// The kind of thing, which need not be said behind a direction.
    private mutating func addressType(behind first: ExpressionToken.Kind) throws(AssemblyError) -> Qualifiers.Kind {
        let hasDirection = first == .source || first == .destination || first == .wirelessAddress
        let type: Qualifiers.Kind =
            switch token.kind {
            case .host: .host
            case .net: .net
            case .port: .port
            case .portrange: .portrange
            case .proto where !hasDirection: .proto
            case .protochain where !hasDirection: .protochain
            case .gateway where !hasDirection: .gateway
            default: .unsaid
            }
        if type != .unsaid { try advance() }
        return type
    }
}
