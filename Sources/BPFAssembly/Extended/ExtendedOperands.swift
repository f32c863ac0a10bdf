import ExtendedBPF

// What instructions are made of: registers, numbers, names and places in memory.

/// A register, and whether its 32-bit name is meant.
struct NamedRegister: Hashable {
    var register: Register
    var isNarrow: Bool

    var text: String { (isNarrow ? "w" : "r") + String(register.rawValue) }
}

/// A place in memory or in the packet, and how it is read.
struct MemoryPlace {
    enum Kind: Hashable {
        case plain
        /// The load extends the sign.
        case signed
        /// The packet, at a constant or at a register and a constant.
        case packet(Register?)
    }

    var kind = Kind.plain
    var size: Size
    var base = Register.r0
    var offset: Int16 = 0
    var constant: Int32 = 0
    var reference: Reference?
}

/// The names of atomic operations that fetch: the kernel's, which tell the size in front, and LLVM's, which do not.
enum AtomicText {
    struct Operation {
        var op: AtomicOperator
        /// The size that the name says.
        var size: Size?
        /// Whether the address has a type in front.
        var hasType = true
    }

    static let operations: [String: Operation] = {
        var operations: [String: Operation] = [
            "xchg_64": Operation(op: .exchange, size: .doubleword, hasType: false),
            "xchg32_32": Operation(op: .exchange, size: .word, hasType: false),
            "cmpxchg_64": Operation(op: .compareAndExchange, size: .doubleword, hasType: false),
            "cmpxchg32_32": Operation(op: .compareAndExchange, size: .word, hasType: false),
            "atomic64_xchg": Operation(op: .exchange, size: .doubleword),
            "atomic_xchg": Operation(op: .exchange, size: .word),
            "atomic64_cmpxchg": Operation(op: .compareAndExchange, size: .doubleword),
            "atomic_cmpxchg": Operation(op: .compareAndExchange, size: .word),
        ]
        let fetching: [(String, AtomicOperator)] = [
            ("add", .fetchAndAdd), ("or", .fetchAndOr), ("and", .fetchAndAnd), ("xor", .fetchAndXor),
        ]
        for (name, op) in fetching {
            operations["atomic_fetch_\(name)"] = Operation(op: op)
            operations["atomic64_fetch_\(name)"] = Operation(op: op, size: .doubleword)
        }
        return operations
    }()
}

extension ExtendedReader {
    /// Moves behind `text`, if that is next.
    mutating func skip(_ text: StaticString) -> Bool {
        for index in 0..<text.utf8CodeUnitCount where scanner.peek(index) != text.utf8Start[index] { return false }
        scanner.skip(text.utf8CodeUnitCount)
        return true
    }

    func text(_ range: Range<Int>) -> String { String(decoding: scanner.text[range], as: UTF8.self) }

    mutating func name(_ what: String) throws(AssemblyError) -> Range<Int> {
        guard scanner.next?.beginsName ?? false else { throw expected(what) }
        let start = scanner.position
        return start..<start + scanner.take(while: \.isNamePart).count
    }

    // MARK: Registers

    /// Reads a register, if one is next.
    mutating func register(orNil: Void) throws(AssemblyError) -> NamedRegister? {
        guard let letter = scanner.next, letter == UInt8(ascii: "r") || letter == UInt8(ascii: "w"),
            let first = scanner.peek(1), first.isDigit
        else { return nil }
        var number = first & 0x0f
        var count = 2
        if number != 0, let second = scanner.peek(2), second.isDigit {
            number = number &* 10 &+ (second & 0x0f)
            count = 3
        }
        if scanner.peek(count)?.isNamePart ?? false { return nil }
        guard let register = Register(rawValue: number) else { throw expected("a register from r0 to r10") }
        scanner.skip(count)
        return NamedRegister(register: register, isNarrow: letter == UInt8(ascii: "w"))
    }

    mutating func register() throws(AssemblyError) -> NamedRegister {
        guard let register = try register(orNil: ()) else { throw expected("a register") }
        return register
    }

    /// Reads a register as wide as `first`, if one is next.
    mutating func register(as first: NamedRegister) throws(AssemblyError) -> Register? {
        let before = scanner
        guard let second = try register(orNil: ()) else { return nil }
        guard second.isNarrow == first.isNarrow else {
            throw before.error(
                .unexpected(found: before.found, expected: ["a register as wide as '\(first.text)'"]))
        }
        return second.register
    }

    // MARK: Places in memory

    /// Keeps what the place of the instruction that is being read refers to.
    mutating func remember(_ place: MemoryPlace) {
        if let reference = place.reference { references[index] = reference }
    }

    /// Reads `*(u8 *)(r1 + 12)`, or `*(u8 *)skb[12]`.
    mutating func memory(atomic: Bool = false, takesPacket: Bool = false) throws(AssemblyError) -> MemoryPlace {
        scanner.skip()
        var place = try type(takesSigned: !atomic)
        if atomic { try checkAtomic(place) }
        if takesPacket, skip("skb[") {
            try readPacketPlace(&place)
        } else {
            guard scanner.skip(if: UInt8(ascii: "(")) else { throw expected(takesPacket ? "'(' or 'skb['" : "'('") }
            try readAddress(&place)
            guard scanner.skip(if: UInt8(ascii: ")")) else { throw expected("')'") }
        }
        return place
    }

    /// Reads the address that an atomic operation has as its first argument.
    mutating func memory(of operation: AtomicText.Operation) throws(AssemblyError) -> MemoryPlace {
        guard scanner.skip(if: UInt8(ascii: "(")) else { throw expected("'('") }
        guard operation.hasType else {
            var place = MemoryPlace(size: operation.size!)
            try readAddress(&place)
            return place
        }
        var place = try type(takesSigned: false)
        try checkAtomic(place)
        guard operation.size == nil || operation.size == place.size else {
            throw expected("a place of \(operation.size!.bytes * 8) bits")
        }
        guard scanner.skip(if: UInt8(ascii: "(")) else { throw expected("'('") }
        try readAddress(&place)
        guard scanner.skip(if: UInt8(ascii: ")")) else { throw expected("')'") }
        return place
    }

    private func checkAtomic(_ place: MemoryPlace) throws(AssemblyError) {
        guard place.size == .word || place.size == .doubleword else { throw expected("a place of 32 or 64 bits") }
    }

    private static let types: [(text: StaticString, Size, MemoryPlace.Kind)] = [
        ("(u8 *)", .byte, .plain), ("(u16 *)", .halfword, .plain), ("(u32 *)", .word, .plain),
        ("(u64 *)", .doubleword, .plain), ("(s8 *)", .byte, .signed), ("(s16 *)", .halfword, .signed),
        ("(s32 *)", .word, .signed),
    ]

    private mutating func type(takesSigned: Bool) throws(AssemblyError) -> MemoryPlace {
        for (text, size, kind) in Self.types where takesSigned || kind == .plain {
            if skip(text) { return MemoryPlace(kind: kind, size: size) }
        }
        throw expected("a type as '(u8 *)'")
    }

    /// Reads `r1 + 12`, `r1 +12` or, for a place that a loader looks up, `r1 +sk_buff.len`.
    private mutating func readAddress(_ place: inout MemoryPlace) throws(AssemblyError) {
        let base = try register()
        guard !base.isNarrow else { throw expected("a 64-bit register in the address") }
        place.base = base.register
        scanner.skipSpaces()
        let start = scanner.place
        let isNegative = scanner.next == UInt8(ascii: "-")
        guard isNegative || scanner.next == UInt8(ascii: "+") else { throw expected("'+'", "'-'") }
        scanner.skip()
        scanner.skipSpaces()
        if !isNegative, scanner.next?.beginsName ?? false {
            place.reference = try field()
            return
        }
        guard scanner.next?.isDigit ?? false else { throw expected("a number") }
        var number = try number("a number")
        number.isNegative = isNegative
        number.place = start
        place.offset = Int16(try number.value(-32768...32767, "the offset"))
    }

    /// Reads the rest of `skb[12]` or `skb[r1 + 12]`.
    private mutating func readPacketPlace(_ place: inout MemoryPlace) throws(AssemblyError) {
        guard place.size != .doubleword, place.kind == .plain else {
            throw expected("a place of 8, 16 or 32 bits in memory")
        }
        if let index = try register(orNil: ()) {
            guard !index.isNarrow else { throw expected("a 64-bit register in the address") }
            place.kind = .packet(index.register)
            scanner.skipSpaces()
            if scanner.skip(if: UInt8(ascii: "+")) {
                scanner.skipSpaces()
                place.constant = try number("a number").constant(takesBits: .always)
            }
        } else {
            place.kind = .packet(nil)
            place.constant = try number("a register or a number").constant(takesBits: .always)
        }
        guard scanner.skip(if: UInt8(ascii: "]")) else { throw expected("']'") }
    }

    /// Reads the name of a structure and of a member, which an addition gets the distance of.
    mutating func readField() throws(AssemblyError) { references[index] = try field() }

    private mutating func field() throws(AssemblyError) -> Reference {
        let before = scanner
        let name = text(try name("a number or a member as 'sk_buff.len'"))
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw before.error(.unexpected(found: before.found, expected: ["a number", "a member as 'sk_buff.len'"]))
        }
        return .kernelField(structure: String(parts[0]), member: String(parts[1]))
    }
}
