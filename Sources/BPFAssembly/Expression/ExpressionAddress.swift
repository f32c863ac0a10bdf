/// What addresses and numbers look like, of which a scanner for the longest match has to tell the ends.
enum ExpressionAddress {
    /// Where the longest form with colons that begins at `start` ends, if there is one.
    ///
    /// - Returns: The kind of the address, or nil for one that is neither six bytes nor an IPv6 address, and the end.
    static func colonForm(in text: [UInt8], at start: Int) -> (kind: ExpressionToken.Kind?, end: Int)? {
        let ethernet = ethernetEnd(in: text, at: start)
        let address6 = address6End(in: text, at: start)
        let neither = brokenEnd(in: text, at: start)
        guard let end = [ethernet, address6, neither].compactMap(\.self).max() else { return nil }
        if end == ethernet { return (.ethernetAddress, end) }
        return (end == address6 ? .address6 : nil, end)
    }

    /// The kind of the word `word`, or nil if it is a name.
    static func kind(of word: ArraySlice<UInt8>) -> ExpressionToken.Kind? {
        // Each of these begins with a hexadecimal digit, and few names do and have no other letter.
        guard word.first?.digitValue != nil else { return nil }
        if isEthernetAddress(word) { return .ethernetAddress }
        if isNumber(word) { return .number }
        return isDotted(word) ? .address : nil
    }

    /// Whether `word` is two to four numbers with dots between them.
    private static func isDotted(_ word: ArraySlice<UInt8>) -> Bool {
        var parts = 0
        var start = word.startIndex
        while let dot = word[start...].firstIndex(of: UInt8(ascii: ".")) {
            parts += 1
            guard parts < 4, isNumber(word[start..<dot]) else { return false }
            start = dot + 1
        }
        return parts > 0 && isNumber(word[start...])
    }

    /// Whether `word` is a decimal, octal or hexadecimal number, 8 and 9 taken for octal digits.
    static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
        if word.count > 2, word.first == UInt8(ascii: "0"), word[word.startIndex + 1] | 0x20 == UInt8(ascii: "x") {
            return word.dropFirst(2).allSatisfy { $0.digitValue != nil }
        }
        return !word.isEmpty && word.allSatisfy(\.isDigit)
    }

    /// Whether `word` is `0-1-2-3-4-5`, `0.1.2.3.4.5`, `0001.0203.0405` or `000102030405`.
    private static func isEthernetAddress(_ word: ArraySlice<UInt8>) -> Bool {
        guard 11...17 ~= word.count else { return false }
        if word.count == 12, word.allSatisfy({ $0.digitValue != nil }) { return true }
        // Two dots or five dots or hyphens; looked at before anything is split, as most addresses are IPv4's.
        let separators = word.count { $0.digitValue == nil }
        guard separators == 2 || separators == 5 else { return false }
        for separator in [UInt8(ascii: "-"), UInt8(ascii: ".")] {
            let parts = word.split(separator: separator, omittingEmptySubsequences: false)
            let areHexadecimal = parts.allSatisfy { $0.allSatisfy { $0.digitValue != nil } }
            if parts.count == 6, areHexadecimal, parts.allSatisfy({ 1...2 ~= $0.count }) { return true }
            if parts.count == 3, separator == UInt8(ascii: "."), areHexadecimal, parts.allSatisfy({ $0.count == 4 }) {
                return true
            }
        }
        return false
    }

    /// Behind up to `limit` hexadecimal digits, or nil if there is none.
    private static func digitsEnd(in text: [UInt8], at start: Int, limit: Int) -> Int? {
        var end = start
        while end < text.count, end - start < limit, text[end].digitValue != nil { end += 1 }
        return end > start ? end : nil
    }

    private static func isColon(_ text: [UInt8], _ position: Int) -> Bool {
        position < text.count && text[position] == UInt8(ascii: ":")
    }

    /// Six bytes with colons between them.
    private static func ethernetEnd(in text: [UInt8], at start: Int) -> Int? {
        var position = start
        for index in 0..<6 {
            if index > 0 {
                guard isColon(text, position) else { return nil }
                position += 1
            }
            guard let end = digitsEnd(in: text, at: position, limit: 2) else { return nil }
            position = end
        }
        return position
    }

    /// Two or more bytes, each with colons behind it: what libpcap takes for an Ethernet address and refuses.
    private static func brokenEnd(in text: [UInt8], at start: Int) -> Int? {
        var position = start
        var bytes = 0
        while let end = digitsEnd(in: text, at: position, limit: 2), isColon(text, end) {
            position = end
            while isColon(text, position) { position += 1 }
            bytes += 1
        }
        return bytes >= 2 ? position : nil
    }

    /// An IPv6 address: eight groups, or up to seven and a gap, of which the last two may be an IPv4 address.
    private static func address6End(in text: [UInt8], at start: Int) -> Int? {
        var position = start
        var groups = 0
        var hasGap = false
        var best: Int?
        while true {
            if isColon(text, position), isColon(text, position + 1), !hasGap, groups > 0 || position == start {
                hasGap = true
                position += 2
                best = position
                if groups == 7 { return best }
            } else if groups > 0 {
                guard isColon(text, position) else { return best }
                position += 1
            }
            if hasGap ? groups <= 5 : groups == 6, let end = dottedEnd(in: text, at: position) {
                best = max(best ?? 0, end)
            }
            guard let end = digitsEnd(in: text, at: position, limit: 4) else { return best }
            position = end
            groups += 1
            if hasGap || groups == 8 { best = max(best ?? 0, position) }
            if groups == (hasGap ? 7 : 8) { return best }
        }
    }

    /// Four numbers with dots between them.
    private static func dottedEnd(in text: [UInt8], at start: Int) -> Int? {
        var position = start
        for index in 0..<4 {
            if index > 0 {
                guard position < text.count, text[position] == UInt8(ascii: ".") else { return nil }
                position += 1
            }
            guard let end = numberEnd(in: text, at: position) else { return nil }
            position = end
        }
        return position
    }

    private static func numberEnd(in text: [UInt8], at start: Int) -> Int? {
        if start + 2 < text.count, text[start] == UInt8(ascii: "0"), text[start + 1] | 0x20 == UInt8(ascii: "x"),
            let end = digitsEnd(in: text, at: start + 2, limit: .max)
        {
            return end
        }
        var end = start
        while end < text.count, text[end].isDigit { end += 1 }
        return end > start ? end : nil
    }
}
