import PacketFilter

/// What the tool says about places in an expression: the message, and the line of the expression with marks beneath.
struct ExpressionMessages {
    private let text: [UInt8]

    init(_ expression: String) { text = Array(expression.utf8) }

    /// Where a reason is for which libpcap refused the expression, and what could stand there.
    func message(_ error: AssemblyError) -> String {
        "\(place(error.line, error.column)): \(error.reason)\n\(marked(line: error.line, column: error.column, count: 1))"
    }

    /// A hint, as `-v` shows it.
    func message(_ hint: Hint) -> String {
        "hint: \(place(hint.line, hint.column)): \(hint.message)\n"
            + marked(line: hint.line, column: hint.column, count: hint.range.count)
    }

    /// Of an expression of one line the column says all.
    private func place(_ line: Int, _ column: Int) -> String {
        let end = text.lastIndex { $0 > UInt8(ascii: " ") } ?? 0
        return text[..<end].contains(UInt8(ascii: "\n")) ? "line \(line), column \(column)" : "column \(column)"
    }

    /// How much of a line is shown, in bytes, of which so many before what is marked.
    private static let width = (all: 100, before: 40)

    /// The line and, beneath, a caret at the column with a wave behind it; of long lines only what is around.
    private func marked(line: Int, column: Int, count: Int) -> String {
        var bytes = text.split(separator: UInt8(ascii: "\n"), maxSplits: line, omittingEmptySubsequences: false)[
            line - 1]
        var before = column - 1
        var start = ""
        if bytes.count > Self.width.all, before > Self.width.before {
            bytes = bytes.dropFirst(before - Self.width.before)
            before = Self.width.before
            start = "…"
        }
        let end = bytes.count > Self.width.all ? "…" : ""
        bytes = bytes.prefix(Self.width.all)
        let wave = max(1, shown(bytes.dropFirst(before).prefix(count)).count)
        return "    \(start)\(shown(bytes))\(end)\n    "
            + String(repeating: " ", count: start.count + shown(bytes.prefix(before)).count)
            + "^" + String(repeating: "~", count: wave - 1)
    }

    /// Text for a terminal: control characters, tabs among them, as spaces.
    private func shown(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}

extension ToolError {
    /// The error with which libpcap refused `expression` and beneath it, if it is one of syntax, where that and others are.
    init(_ error: any Error, refusing expression: String) {
        self.init("\(error)")
        guard let places = PacketFilter.syntaxErrors(in: expression, refusedWith: error) else { return }
        let messages = ExpressionMessages(expression)
        for place in places.errors { description += "\ncbpf2ebpf: " + messages.message(place) }
        if places.hasMore { description += "\ncbpf2ebpf: there are more errors" }
    }
}

extension Console {
    /// Reports what `expression` hardly means.
    func reportHints(on expression: String, linkType: LinkType) {
        let messages = ExpressionMessages(expression)
        for hint in PacketFilter.hints(for: expression, linkType: linkType) {
            report("cbpf2ebpf: \(messages.message(hint))\n")
        }
    }
}
