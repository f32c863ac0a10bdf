extension TextScanner {
    /// What is written between the words of a language whose lines mean nothing.
    struct CommentStyle {
        /// The bytes that begin a comment up to the end of the line.
        var lineComment: StaticString
        /// Whether a # that begins a line makes it a comment, or in C one for the preprocessor.
        var hashLines: Bool

        static let bpfAsm = CommentStyle(lineComment: ";", hashLines: true)
        static let c = CommentStyle(lineComment: "//", hashLines: true)
    }

    /// Moves behind spaces, line ends and comments, those between `/*` and `*/` too.
    mutating func skipBlank(_ style: CommentStyle) throws(AssemblyError) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): skip()
            case UInt8(ascii: "\n"): skipLineEnd()
            case UInt8(ascii: "\r") where isAtLineEnd: skipLineEnd()
            case UInt8(ascii: "#") where style.hashLines && isFirstInLine: skipHashLine()
            case style.lineComment.utf8Start.pointee where isLineComment(style): skipToLineEnd()
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): try skipComment()
            default: return
            }
        }
    }

    private func isLineComment(_ style: CommentStyle) -> Bool {
        style.lineComment.utf8CodeUnitCount == 1 || peek(1) == style.lineComment.utf8Start[1]
    }

    /// Moves behind a line, and the next one where it ends with a backslash.
    private mutating func skipHashLine() {
        while true {
            skipToLineEnd()
            guard !isAtEnd, text[position - 1] == UInt8(ascii: "\\") else { return }
            skipLineEnd()
        }
    }

    private mutating func skipComment() throws(AssemblyError) {
        let start = error(.unclosedComment)
        skip(2)
        while let byte = next {
            if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") { return skip(2) }
            if !skipLineEnd() { skip() }
        }
        throw start
    }
}
