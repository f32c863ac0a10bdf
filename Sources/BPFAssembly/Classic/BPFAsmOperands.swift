import ClassicBPF

/// The addressing modes of bpf_asm.
extension BPFAsmReader {
    mutating func load(_ size: Operation.Size) throws(AssemblyError) -> Instruction {
        switch scanner.next {
        case UInt8(ascii: "["): return try packetLoad(size)
        case UInt8(ascii: "m"), UInt8(ascii: "M"):
            if size == .word, try isMemory() { return Instruction(.load(.memory(try memory()))) }
            return try named(size)
        case UInt8(ascii: "#"):
            if size == .word, scanner.peek(1)?.isLetter != true {
                return Instruction(.load(.immediate(try constant())))
            }
            return try named(size)
        default: return try named(size)
        }
    }

    private mutating func packetLoad(_ size: Operation.Size) throws(AssemblyError) -> Instruction {
        try expect("[")
        try skipBlank()
        let hasMark = scanner.skip(if: UInt8(ascii: "%"))
        let start = scanner.position
        guard hasMark || scanner.next?.isLetter == true else {
            let k = try number("an offset", "'x'")
            try expect("]")
            return Instruction(.load(.absolute(size, k)))
        }
        let word = scanner.take { $0.isWordCharacter }
        if word.count == 1, word.first.map({ $0 | 0x20 }) == UInt8(ascii: "x") {
            try expect("+")
            try skipBlank()
            let k = try number("an offset")
            try expect("]")
            return Instruction(.load(.indirect(size, k)))
        }
        guard !hasMark, case .extension(let ext)? = NamedSource(word) else {
            scanner.skip(start - scanner.position)
            throw hasMark ? unexpected("'x'") : unexpected("an offset", "'x'", "the name of an extension")
        }
        try expect("]")
        return Instruction(.load(.absolute(size, ext.offset)))
    }

    /// A load of an extension or the length, by its name with # or without.
    private mutating func named(_ size: Operation.Size) throws(AssemblyError) -> Instruction {
        let start = scanner.position
        _ = scanner.skip(if: UInt8(ascii: "#"))
        switch NamedSource(scanner.take { $0.isWordCharacter }) {
        case .extension(let ext): return Instruction(.load(.absolute(size, ext.offset)))
        case .length where size == .word: return Instruction(.load(.length))
        default:
            scanner.skip(start - scanner.position)
            throw size == .word
                ? unexpected("'['", "'M['", "'#'", "the name of an extension")
                : unexpected("'['", "the name of an extension")
        }
    }

    mutating func loadIndex() throws(AssemblyError) -> Instruction {
        if try isMemory() { return Instruction(.loadIndex(.memory(try memory()))) }
        if scanner.next?.isDigit == true { return Instruction(.loadIndex(.headerLength(try headerLength()))) }
        if scanner.next == UInt8(ascii: "#"), scanner.peek(1)?.isLetter != true {
            return Instruction(.loadIndex(.immediate(try constant())))
        }
        let start = scanner.position
        _ = scanner.skip(if: UInt8(ascii: "#"))
        if case .length? = NamedSource(scanner.take { $0.isWordCharacter }) { return Instruction(.loadIndex(.length)) }
        scanner.skip(start - scanner.position)
        throw unexpected("'#'", "'M['", "'4*(['", "'len'")
    }

    mutating func result() throws(AssemblyError) -> Instruction {
        if scanner.next == UInt8(ascii: "#") { return Instruction(.result(.constant(try constant()))) }
        let start = scanner.position
        _ = scanner.skip(if: UInt8(ascii: "%"))
        let word = scanner.take { $0.isWordCharacter }
        switch word.count == 1 ? word[word.startIndex] | 0x20 : 0 {
        case UInt8(ascii: "a"): return Instruction(.result(.a))
        // Not Linux's, but BSD's.
        case UInt8(ascii: "x"): return Instruction(code: 0x0e)
        default:
            scanner.skip(start - scanner.position)
            throw unexpected("'#'", "'a'")
        }
    }

    /// X, or a constant.
    mutating func operand() throws(AssemblyError) -> Operation.Operand {
        if scanner.next == UInt8(ascii: "#") { return .constant(try constant()) }
        let start = scanner.position
        _ = scanner.skip(if: UInt8(ascii: "%"))
        let word = scanner.take { $0.isWordCharacter }
        if word.count == 1, word[word.startIndex] | 0x20 == UInt8(ascii: "x") { return .index }
        scanner.skip(start - scanner.position)
        throw unexpected("'#'", "'x'")
    }

    mutating func headerLength() throws(AssemblyError) -> UInt32 {
        try expectNumber(4, "'4'")
        for character in "*([".unicodeScalars { try expect(character) }
        try skipBlank()
        let k = try number("an offset")
        for character in "]&".unicodeScalars { try expect(character) }
        try skipBlank()
        try expectNumber(15, "'0xf'")
        try expect(")")
        return k
    }

    private mutating func expectNumber(_ value: UInt32, _ name: String) throws(AssemblyError) {
        let start = scanner.position
        if scanner.number()?.bits == value { return }
        scanner.skip(start - scanner.position)
        throw unexpected(name)
    }

    /// Whether M with a bracket behind it stands here.
    private func isMemory() throws(AssemblyError) -> Bool {
        guard scanner.next.map({ $0 | 0x20 }) == UInt8(ascii: "m") else { return false }
        if scanner.peek(1) == UInt8(ascii: "[") { return true }
        var scan = scanner
        scan.skip()
        try scan.skipBlank(.bpfAsm)
        return scan.next == UInt8(ascii: "[")
    }

    mutating func memory() throws(AssemblyError) -> UInt32 {
        guard try isMemory() else { throw unexpected("'M['") }
        scanner.skip()
        try expect("[")
        try skipBlank()
        let cell = try number("the number of a cell")
        try expect("]")
        return cell
    }

    /// A number with # in front of it.
    mutating func constant(markIsOptional: Bool = false) throws(AssemblyError) -> UInt32 {
        guard scanner.skip(if: UInt8(ascii: "#")) || markIsOptional else { throw unexpected("'#'") }
        try skipBlank()
        return try number("a constant")
    }

    private mutating func number(_ field: String, _ others: String...) throws(AssemblyError) -> UInt32 {
        let start = scanner.position
        if let number = scanner.number() {
            if let bits = number.bits { return bits }
            scanner.skip(start - scanner.position)
            throw scanner.error(.numberTooLarge(found: scanner.foundNumber, field: field))
        }
        if scanner.next?.isDigit == true { throw scanner.error(.malformedNumber(found: scanner.found)) }
        throw unexpected([field] + others)
    }

    mutating func expect(_ character: Unicode.Scalar) throws(AssemblyError) {
        try skipBlank()
        guard scanner.skip(if: UInt8(ascii: character)) else { throw unexpected("'\(character)'") }
    }

    mutating func skipBlank() throws(AssemblyError) { try scanner.skipBlank(.bpfAsm) }

    func unexpected(_ expected: String...) -> AssemblyError { unexpected(expected) }

    func unexpected(_ expected: [String]) -> AssemblyError {
        scanner.error(.unexpected(found: scanner.found, expected: expected))
    }
}
