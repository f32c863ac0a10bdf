import ExtendedBPF

// The instructions, by the word they begin with.
extension ExtendedReader {
    /// Reads one instruction.
    ///
    /// - Parameter opcode: What the listing says the opcode is; it tells apart two that have the same text.
    mutating func readInstruction(opcode: UInt8?) throws(AssemblyError) -> Instruction {
        if scanner.next == UInt8(ascii: "*") { return try readStore() }
        if let register = try register(orNil: ()) { return try readAssignment(to: register, opcode: opcode) }
        switch word() {
        case "if": return try readBranch()
        case "goto": return try readJump(.jump)
        case "gotol": return try readJump(.jumpLong)
        case "may_goto": return try readJump(.mayGoto)
        case "call": return try readCall()
        case "lock": return try readLocked()
        case "exit":
            scanner.skip(4)
            return .exit
        default:
            try refuseNewer()
            throw expected("an instruction", "a label")
        }
    }

    /// Instructions of later kernels and compilers that RFC 9669 does not have, by the word that tells them.
    private static let newer = ["gotox", "callx", "load_acquire", "store_release", "addr_space_cast"]

    /// Throws where the word that is next is one of an instruction that RFC 9669 does not have.
    func refuseNewer() throws(AssemblyError) {
        let name = scanner.text[scanner.position...].prefix(16).prefix { $0.isNamePart }
        guard let word = Self.newer.first(where: { name.elementsEqual($0.utf8) }) else { return }
        throw scanner.error(.notInStandard(word))
    }

    /// Whether the word that is next begins an instruction.
    var isAtInstruction: Bool {
        if scanner.next == UInt8(ascii: "*") { return scanner.peek(1) == UInt8(ascii: "(") }
        let word = word()
        if ["goto", "gotol", "may_goto", "call", "lock", "exit", "gotox", "callx"].contains(word) { return true }
        if word == "if" { return scanner.peek(2) == UInt8(ascii: " ") }
        var copy = self
        return (try? copy.register(orNil: ())) != nil
    }

    /// The word that is next, if it is short enough for one that begins an instruction.
    private func word() -> String {
        var count = 0
        while count < 9, scanner.peek(count)?.isNamePart ?? false { count += 1 }
        return String(decoding: scanner.text[scanner.position..<scanner.position + count], as: UTF8.self)
    }

    // MARK: Jumps

    private mutating func readJump(_ opcode: Opcode) throws(AssemblyError) -> Instruction {
        scanner.skip(opcode == .jump ? 4 : opcode == .jumpLong ? 5 : 8)
        var instruction = Instruction(opcode)
        try readTarget(of: &instruction)
        return instruction
    }

    private mutating func readBranch() throws(AssemblyError) -> Instruction {
        scanner.skip(2)
        scanner.skipSpaces()
        let first = try register()
        scanner.skipSpaces()
        let condition = try readCondition()
        scanner.skipSpaces()
        let width: UInt8 = first.isNarrow ? InstructionClass.jmp32.rawValue : InstructionClass.jmp.rawValue
        var instruction = Instruction(Opcode(rawValue: condition.rawValue | width), dstReg: first.register)
        if let second = try register(as: first) {
            instruction.opcode.rawValue |= Operand.register.rawValue
            instruction.srcReg = second
        } else {
            instruction.imm = try number("a register as the first or a number").constant(
                takesBits: first.isNarrow ? .always : .inHexadecimal)
        }
        scanner.skipSpaces()
        guard word() == "goto" else { throw expected("'goto'") }
        scanner.skip(4)
        try readTarget(of: &instruction)
        return instruction
    }

    private static let conditions: [(symbol: StaticString, JumpCondition)] = [
        ("==", .equal), ("!=", .notEqual), ("s>=", .signedGreaterOrEqual), ("s<=", .signedLessOrEqual),
        ("s>", .signedGreater), ("s<", .signedLess), (">=", .greaterOrEqual), ("<=", .lessOrEqual), (">", .greater),
        ("<", .less), ("&", .anyBitSet),
    ]

    private mutating func readCondition() throws(AssemblyError) -> JumpCondition {
        for (symbol, condition) in Self.conditions where skip(symbol) { return condition }
        throw expected("a comparison")
    }

    /// Reads `pc+5`, `+5` or a label, and behind it a label in angle brackets.
    private mutating func readTarget(of instruction: inout Instruction) throws(AssemblyError) {
        scanner.skipSpaces()
        let isLong = instruction.opcode == .jumpLong
        if let distance = try distance(bits: isLong ? 32 : 16) {
            if isLong { instruction.imm = distance } else { instruction.offset = Int16(distance) }
        } else {
            let place = scanner.place
            useLabel(try name("a distance or a label"), at: place)
        }
        scanner.skipSpaces()
        guard scanner.skip(if: UInt8(ascii: "<")) else { return }
        _ = scanner.take { $0 != UInt8(ascii: ">") && $0 > 0x20 }
        guard scanner.skip(if: UInt8(ascii: ">")) else { throw expected("'>'") }
    }

    /// Reads `pc+5` or `+5`, if that is next.
    private mutating func distance(bits: Int) throws(AssemblyError) -> Int32? {
        let isSign = { (byte: UInt8?) in byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") }
        if scanner.next == UInt8(ascii: "p"), scanner.peek(1) == UInt8(ascii: "c"), isSign(scanner.peek(2)) {
            scanner.skip(2)
        }
        guard isSign(scanner.next) else { return nil }
        let number = try signedNumber("a distance")
        return Int32(try number.value(-(1 << Int64(bits - 1))...(1 << Int64(bits - 1)) - 1, "the distance"))
    }

    // MARK: Calls

    private mutating func readCall() throws(AssemblyError) -> Instruction {
        scanner.skip(4)
        scanner.skipSpaces()
        let start = scanner.place
        if scanner.next == UInt8(ascii: "p"), let distance = try distance(bits: 32) {
            // bpftool names the function behind the distance.
            if scanner.skip(if: UInt8(ascii: "#")) { _ = scanner.take(while: \.isNamePart) }
            return Instruction(.call, srcReg: .r1, imm: distance)
        }
        if scanner.next?.isDigit ?? false || scanner.next == UInt8(ascii: "-") {
            return Instruction(.call, imm: try number("a number").constant(takesBits: .never))
        }
        if skip("kernel-function#") { return try readKernelFunction() }
        let name = try name("a function")
        if scanner.skip(if: UInt8(ascii: "#")) {
            return Instruction(.call, imm: try number("a number").constant(takesBits: .never))
        }
        useLabel(name, at: start)
        return Instruction(.call, srcReg: .r1)
    }

    /// Reads the number of a type and, behind an `@`, the place of its module in the descriptors.
    private mutating func readKernelFunction() throws(AssemblyError) -> Instruction {
        let id = try number("a number").constant(takesBits: .never)
        guard scanner.skip(if: UInt8(ascii: "@")) else { return Instruction(.call, srcReg: .r2, imm: id) }
        let module = try number("a number").value(-32768...32767, "the module")
        return Instruction(.call, srcReg: .r2, offset: Int16(module), imm: id)
    }

    // MARK: Stores and atomic operations

    private mutating func readStore() throws(AssemblyError) -> Instruction {
        let place = try memory()
        scanner.skipSpaces()
        guard scanner.skip(if: UInt8(ascii: "=")) else { throw expected("'='") }
        scanner.skipSpaces()
        remember(place)
        let source = scanner.place
        guard let value = try register(orNil: ()) else {
            let imm = try number("a register or a number").constant(takesBits: .never)
            return .store(place.size, place.base, place.offset, imm)
        }
        if value.isNarrow, place.size == .doubleword {
            throw AssemblyError(
                .unexpected(found: "'w\(value.register.rawValue)'", expected: ["a 64-bit register", "a number"]),
                line: source.line, column: source.column)
        }
        return .store(place.size, place.base, place.offset, value.register)
    }

    private mutating func readLocked() throws(AssemblyError) -> Instruction {
        scanner.skip(4)
        scanner.skipSpaces()
        guard scanner.next == UInt8(ascii: "*") else { throw expected("'*'") }
        let place = try memory(atomic: true)
        scanner.skipSpaces()
        let operators: [(StaticString, AtomicOperator)] = [("+=", .add), ("|=", .or), ("&=", .and), ("^=", .xor)]
        for (symbol, op) in operators where skip(symbol) {
            scanner.skipSpaces()
            let source = try atomicRegister(place.size)
            remember(place)
            return .atomic(op, place.size, place.base, place.offset, source)
        }
        throw expected("'+='", "'|='", "'&='", "'^='")
    }

    /// A register that is as wide as the memory, or by its 64-bit name.
    mutating func atomicRegister(_ size: Size) throws(AssemblyError) -> Register {
        let place = scanner.place
        let found = try register()
        if found.isNarrow, size == .doubleword {
            throw AssemblyError(
                .unexpected(found: "'w\(found.register.rawValue)'", expected: ["a 64-bit register"]),
                line: place.line, column: place.column)
        }
        return found.register
    }
}
