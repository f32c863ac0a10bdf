extension TextScanner {
    /// What is written between the words of a language whose lines mean nothing.
    enum CommentStyle {
        /// Comments begin with a semicolon, or with a # at the start of a line.
        case bpfAsm
        /// Comments begin with two slashes; lines that begin with # are for the preprocessor.
        case c
    }

    /// Moves behind spaces, line ends and comments, those between `/*` and `*/` too.
    mutating func skipBlank(_ style: CommentStyle) throws(AssemblyError) {
        while let byte = next {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"): skip()
            case UInt8(ascii: "\n"): skipLineEnd()
            case UInt8(ascii: "\r"):
                guard skipLineEnd() else { return }
            case UInt8(ascii: "#"):
                guard isFirstInLine else { return }
                skipHashLine()
            case UInt8(ascii: ";"):
                guard style == .bpfAsm else { return }
                skipToLineEnd()
            case UInt8(ascii: "/"):
                if peek(1) == UInt8(ascii: "*") {
                    try skipComment()
                } else if style == .c, peek(1) == UInt8(ascii: "/") {
                    skipToLineEnd()
                } else {
                    return
                }
            default: return
            }
        }
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
