import ClassicBPF

extension ClassicForm {
    /// The form that `bytes` are in, by how they begin; the rest may still be wrong.
    ///
    /// Lines that both `tcpdump -dd` prints and C takes are said to be tcpdump's.
    ///
    /// - Throws: ``AssemblyError`` where there could be several forms, as for a sole number, or none is known.
    /// - Complexity: O(*n*) in the number of bytes.
    public static func guess(_ bytes: [UInt8]) throws(AssemblyError) -> ClassicForm {
        if bytes.starts(with: Savefile.signature.prefix(4)) { return .savefile }
        // No text has a NUL byte, and every instruction has one in its code.
        if bytes.contains(0) { return try guessBinary(bytes) }
        return try guessText(bytes)
    }

    private static func guessBinary(_ bytes: [UInt8]) throws(AssemblyError) -> ClassicForm {
        let host = Instruction.ByteOrder.host
        switch (isProgram(bytes, host), isProgram(bytes, host == .little ? .big : .little)) {
        case (true, false): return .sockFilter
        case (true, true):
            // Codes of 0 are the same in both.
            let names = ["little", "big"].map { "\(ClassicForm.sockFilter.rawValue) in \($0)-endian order" }
            throw AssemblyError(.ambiguousForm(names), line: 0, column: 1)
        case (false, true): throw AssemblyError(.otherByteOrder, line: 0, column: 1)
        case (false, false): throw AssemblyError(.unknownForm, line: 0, column: 1)
        }
    }

    private static func isProgram(_ bytes: [UInt8], _ order: Instruction.ByteOrder) -> Bool {
        guard bytes.count % Instruction.size == 0 else { return false }
        return stride(from: 0, to: bytes.count, by: Instruction.size).allSatisfy {
            Instruction(in: bytes, at: $0, order).operation != nil
        }
    }

    private static func guessText(_ bytes: [UInt8]) throws(AssemblyError) -> ClassicForm {
        var scanner = TextScanner(bytes)
        try scanner.skipBlank(.c)
        let hasNoComment = !scanner.text[..<scanner.position].contains { $0 > UInt8(ascii: " ") && $0 < 0x80 }
        switch scanner.next {
        case nil: throw scanner.error(.unexpected(found: scanner.found, expected: ["a classic program"]))
        case UInt8(ascii: "("): return .tcpdumpD
        case UInt8(ascii: ";"): return .bpfAsm
        case UInt8(ascii: "{"): return hasNoComment && (try? BraceForm.read(bytes)) != nil ? .tcpdumpDD : .cArray
        case let byte? where byte.isDigit: return try guessNumbers(&scanner)
        default: return try guessWords(&scanner)
        }
    }

    /// Numbers behind a count: on lines, or with commas.
    private static func guessNumbers(_ scanner: inout TextScanner) throws(AssemblyError) -> ClassicForm {
        let start = scanner
        _ = scanner.take { $0.isDigit }
        scanner.skipSpaces()
        if scanner.next == UInt8(ascii: ",") { return .xtBPF }
        guard scanner.isAtLineEnd else { throw start.error(.unknownForm) }
        try scanner.skipBlank(.c)
        guard !scanner.isAtEnd else {
            throw start.error(.ambiguousForm([ClassicForm.tcpdumpDDD, .xtBPF].map(\.rawValue)))
        }
        return .tcpdumpDDD
    }

    private static func guessWords(_ scanner: inout TextScanner) throws(AssemblyError) -> ClassicForm {
        let start = scanner
        let word = scanner.take { $0.isWordCharacter }
        if wordsOfC.contains(where: { word.elementsEqual($0.utf8) }) { return .cArray }
        try scanner.skipBlank(.bpfAsm)
        if !word.isEmpty, Mnemonic(word) != nil || scanner.next == UInt8(ascii: ":") { return .bpfAsm }
        throw start.error(.unknownForm)
    }

    /// What the initialiser of an array of instructions or its declaration begins with.
    private static let wordsOfC = [
        "BPF_STMT", "BPF_JUMP", "struct", "static", "const", "extern", "volatile", "register",
    ]
}
