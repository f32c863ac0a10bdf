import ClassicBPF

/// Reads what `tcpdump -d` prints, and ``ClassicListing``.
struct ListingReader: LineReader {
    var scanner: TextScanner
    static let beginning = "'(000)'"
    /// The index of the instruction that is being read.
    private var index = 0

    init(scanner: TextScanner) { self.scanner = scanner }

    mutating func readInstruction(at index: Int) throws(AssemblyError) -> Instruction {
        self.index = index
        try readNumber()
        let instruction = try readInstruction()
        scanner.skipSpaces()
        guard scanner.isAtLineEnd else { throw unexpected("the end of the line") }
        return instruction
    }

    /// The number of the line's instruction, in brackets.
    private mutating func readNumber() throws(AssemblyError) {
        let expected = String(index)
        try expect("(")
        let start = scanner.position
        guard let number = scanner.digits(), number == index, scanner.next?.isWordCharacter != true
        else {
            scanner.skip(start - scanner.position)
            throw unexpected("'\(String(repeating: "0", count: max(0, 3 - expected.count)))\(expected)'")
        }
        try expect(")")
        scanner.skipSpaces()
    }

    private mutating func readInstruction() throws(AssemblyError) -> Instruction {
        let start = scanner.position
        let word = scanner.take { $0.isWordCharacter }
        guard let mnemonic = Mnemonic(word, inTcpdump: true) else {
            scanner.skip(start - scanner.position)
            throw word.elementsEqual("unimp".utf8) ? scanner.error(.unknownCode) : unexpected("a mnemonic")
        }
        scanner.skipSpaces()
        switch mnemonic {
        case .load(let size): return try load(size)
        case .loadIndex: return try loadIndex()
        case .loadIndexByte: return Instruction(.loadIndex(.headerLength(try headerLength())))
        case .store: return Instruction(.store(try memory()))
        case .storeIndex: return Instruction(.storeIndex(try memory()))
        case .jump: return Instruction(.jump(try jumpDistance()))
        case .branch(let comparison, _): return try branch(comparison)
        case .arithmetic(let op): return Instruction(.arithmetic(op, try operand()))
        case .negate: return Instruction(.negate)
        case .result:
            guard !scanner.isAtLineEnd else { return Instruction(.result(.a)) }
            return Instruction(.result(.constant(try constant(or: "the end of the line"))))
        case .transferAToX: return Instruction(.transferAToX)
        case .transferXToA: return Instruction(.transferXToA)
        case .loadImmediate, .loadIndexImmediate: preconditionFailure("tcpdump has no such mnemonic")
        }
    }

    private mutating func load(_ size: Operation.Size) throws(AssemblyError) -> Instruction {
        if scanner.next == UInt8(ascii: "[") { return try packetLoad(size) }
        guard size == .word else { throw unexpected("'['") }
        switch scanner.next {
        case UInt8(ascii: "M"): return Instruction(.load(.memory(try memory())))
        case UInt8(ascii: "#"):
            if takesLength() { return Instruction(.load(.length)) }
            return Instruction(.load(.immediate(try constant())))
        default: throw unexpected("'['", "'M['", "'#'")
        }
    }

    private mutating func packetLoad(_ size: Operation.Size) throws(AssemblyError) -> Instruction {
        scanner.skip()
        let start = scanner.position
        let word = scanner.next?.isLetter == true ? scanner.take { $0.isWordCharacter } : []
        if word.elementsEqual("x".utf8) {
            scanner.skipSpaces()
            try expect("+")
            scanner.skipSpaces()
            let k = try number("an offset")
            try expect("]")
            return Instruction(.load(.indirect(size, k)))
        }
        var k: UInt32
        if word.isEmpty {
            k = try number("an offset", or: "'x'", "the name of an extension")
        } else if case .extension(let ext)? = NamedSource(word) {
            k = ext.offset
        } else if word.elementsEqual("xor_x".utf8) {
            k = Extension.xorX.offset
        } else {
            scanner.skip(start - scanner.position)
            throw unexpected("an offset", "'x'", "the name of an extension")
        }
        try expect("]")
        return Instruction(.load(.absolute(size, k)))
    }

    private mutating func loadIndex() throws(AssemblyError) -> Instruction {
        switch scanner.next {
        case UInt8(ascii: "M"): return Instruction(.loadIndex(.memory(try memory())))
        case UInt8(ascii: "#"):
            if takesLength() { return Instruction(.loadIndex(.length)) }
            return Instruction(.loadIndex(.immediate(try constant())))
        default: throw unexpected("'M['", "'#'")
        }
    }

    /// Moves behind `#pktlen`, if that is next.
    private mutating func takesLength() -> Bool {
        let name = Array("#pktlen".utf8)
        guard scanner.text[scanner.position...].starts(with: name), scanner.peek(name.count)?.isWordCharacter != true
        else { return false }
        scanner.skip(name.count)
        return true
    }

    private mutating func headerLength() throws(AssemblyError) -> UInt32 {
        for character in "4*([".unicodeScalars { try expect(character) }
        let k = try number("an offset")
        for character in "]&0xf)".unicodeScalars { try expect(character) }
        return k
    }

    private mutating func memory() throws(AssemblyError) -> UInt32 {
        try expect("M")
        try expect("[")
        let cell = try number("the number of a cell")
        try expect("]")
        return cell
    }

    private mutating func operand() throws(AssemblyError) -> Operation.Operand {
        if scanner.skip(if: UInt8(ascii: "x")) { return .index }
        return .constant(try constant(or: "'x'"))
    }

    private mutating func branch(_ comparison: Operation.Comparison) throws(AssemblyError) -> Instruction {
        let operand = try operand()
        let jt = try target("jt")
        let jf = try target("jf")
        return Instruction(.branch(comparison, operand, jt: jt, jf: jf))
    }

    /// The number of an instruction behind the word `side`, as a distance.
    private mutating func target(_ side: StaticString) throws(AssemblyError) -> UInt8 {
        scanner.skipSpaces()
        let name = "\(side)"
        guard scanner.next == UInt8(ascii: "j"), scanner.peek(1) == name.utf8.last else {
            throw unexpected("'\(name)'")
        }
        scanner.skip(2)
        scanner.skipSpaces()
        let start = scanner.position
        guard let target = scanner.digits() else { throw unexpected("the number of an instruction") }
        let distance = Int(target) - index - 1
        if let distance = UInt8(exactly: distance) { return distance }
        scanner.skip(start - scanner.position)
        throw scanner.error(.branchTooFar(to: "instruction \(target)", distance: distance))
    }

    private mutating func jumpDistance() throws(AssemblyError) -> UInt32 {
        try number("the number of an instruction") &- UInt32(truncatingIfNeeded: index + 1)
    }

    private mutating func constant(or others: String...) throws(AssemblyError) -> UInt32 {
        guard scanner.skip(if: UInt8(ascii: "#")) else { throw unexpected(["'#'"] + others) }
        return try number("a constant")
    }

    private mutating func number(_ field: String, or others: String...) throws(AssemblyError) -> UInt32 {
        let start = scanner.position
        guard let number = scanner.number() else { throw unexpected([field] + others) }
        if let bits = number.bits { return bits }
        scanner.skip(start - scanner.position)
        throw scanner.error(.numberTooLarge(found: scanner.foundNumber, field: field))
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(AssemblyError) {
        guard scanner.skip(if: UInt8(ascii: character)) else { throw unexpected("'\(character)'") }
    }

    private func unexpected(_ expected: String...) -> AssemblyError { unexpected(expected) }

    private func unexpected(_ expected: [String]) -> AssemblyError {
        scanner.error(.unexpected(found: scanner.found, expected: expected))
    }
}
