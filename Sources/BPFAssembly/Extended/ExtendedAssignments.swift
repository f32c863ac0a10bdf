import ExtendedBPF

// What begins with a register: arithmetic, loads, and atomic operations that fetch.
extension ExtendedReader {
    mutating func readAssignment(to target: NamedRegister, opcode: UInt8?) throws(AssemblyError) -> Instruction {
        scanner.skipSpaces()
        let (op, isSigned) = try readOperator()
        scanner.skipSpaces()
        guard op != .move else { return try readValue(of: target, opcode: opcode) }
        var instruction = arithmetic(op, target)
        if isSigned { instruction.offset = 1 }
        if let second = try register(as: target) {
            instruction.opcode.rawValue |= Operand.register.rawValue
            instruction.srcReg = second
        } else if op == .add, !target.isNarrow, scanner.next?.beginsName ?? false {
            try readField()
        } else {
            instruction.imm = try number("a register or a number").constant(
                takesBits: target.isNarrow ? .always : .never)
        }
        return instruction
    }

    private func arithmetic(_ op: ArithmeticOperator, _ target: NamedRegister) -> Instruction {
        let width: InstructionClass = target.isNarrow ? .alu : .alu64
        return Instruction(Opcode(rawValue: op.rawValue | width.rawValue), dstReg: target.register)
    }

    private static let operators: [(symbol: StaticString, ArithmeticOperator, isSigned: Bool)] = [
        ("=", .move, false), ("+=", .add, false), ("-=", .subtract, false), ("*=", .multiply, false),
        ("/=", .divide, false), ("|=", .or, false), ("&=", .and, false), ("<<=", .shiftLeft, false),
        (">>=", .shiftRight, false), ("%=", .modulo, false), ("^=", .xor, false),
        ("s>>=", .arithmeticShiftRight, false), ("s/=", .divide, true), ("s%=", .modulo, true),
    ]

    private mutating func readOperator() throws(AssemblyError) -> (ArithmeticOperator, isSigned: Bool) {
        for (symbol, op, isSigned) in Self.operators where skip(symbol) { return (op, isSigned) }
        throw expected("an assignment")
    }

    /// Reads what stands behind `=`.
    private mutating func readValue(of target: NamedRegister, opcode: UInt8?) throws(AssemblyError) -> Instruction {
        if let second = try register(as: target) {
            var instruction = arithmetic(.move, target)
            instruction.opcode.rawValue |= Operand.register.rawValue
            instruction.srcReg = second
            return instruction
        }
        switch scanner.next {
        case UInt8(ascii: "*"): return try readLoad(into: target)
        case UInt8(ascii: "("): return try readExtension(of: target)
        case UInt8(ascii: "-") where scanner.peek(1)?.isLetter ?? false: return try readNegation(of: target)
        case let next? where next.beginsName: return try readNamedValue(of: target)
        default: return try readConstant(of: target, opcode: opcode)
        }
    }

    private mutating func readConstant(of target: NamedRegister, opcode: UInt8?) throws(AssemblyError) -> Instruction {
        let number = try number("a value")
        if !target.isNarrow {
            let start = scanner.position
            scanner.skipSpaces()
            let isWide = start < scanner.position && skip("ll") && !(scanner.next?.isNamePart ?? false)
            // A listing writes wide constants in hexadecimal and without `ll`.
            let needsWide = number.isHexadecimal && number.magnitude ?? .max > UInt64(Int32.max)
            if isWide || opcode == Opcode.loadWide.rawValue || opcode == nil && needsWide {
                return .loadWide(target.register, try number.wideConstant())
            }
        }
        var instruction = arithmetic(.move, target)
        instruction.imm = try number.constant(takesBits: target.isNarrow ? .always : .never)
        return instruction
    }

    private mutating func readNegation(of target: NamedRegister) throws(AssemblyError) -> Instruction {
        scanner.skip()
        try sameRegister(target)
        return arithmetic(.negate, target)
    }

    /// Reads the register `target` once more.
    private mutating func sameRegister(_ target: NamedRegister) throws(AssemblyError) {
        let before = scanner
        guard try register(orNil: ()) == target else {
            throw before.error(.unexpected(found: before.found, expected: ["'\(target.text)' again"]))
        }
    }

    /// Reads `(s8)r2`.
    private mutating func readExtension(of target: NamedRegister) throws(AssemblyError) -> Instruction {
        let width: Int16
        if skip("(s8)") {
            width = 8
        } else if skip("(s16)") {
            width = 16
        } else if !target.isNarrow, skip("(s32)") {
            width = 32
        } else {
            throw target.isNarrow ? expected("'(s8)'", "'(s16)'") : expected("'(s8)'", "'(s16)'", "'(s32)'")
        }
        scanner.skipSpaces()
        var instruction = arithmetic(.move, target)
        instruction.opcode.rawValue |= Operand.register.rawValue
        instruction.offset = width
        guard let source = try register(as: target) else { throw expected("a register as wide as the first") }
        instruction.srcReg = source
        return instruction
    }

    // MARK: Loads

    private mutating func readLoad(into target: NamedRegister) throws(AssemblyError) -> Instruction {
        let start = scanner.place
        let place = try memory(takesPacket: target.text == "r0")
        if case .packet(let index) = place.kind {
            return index.map { .loadPacket(place.size, at: $0, plus: UInt32(bitPattern: place.constant)) }
                ?? .loadPacket(place.size, at: UInt32(bitPattern: place.constant))
        }
        if target.isNarrow, place.size == .doubleword || place.kind == .signed {
            throw AssemblyError(
                .unexpected(found: "a load of 64 bits", expected: ["a 64-bit register on the left"]), line: start.line,
                column: start.column)
        }
        remember(place)
        var instruction = Instruction.load(place.size, target.register, place.base, place.offset)
        if place.kind == .signed {
            instruction.opcode.rawValue = InstructionClass.ldx.rawValue | Mode.memSigned.rawValue | place.size.rawValue
        }
        return instruction
    }

    // MARK: Values by name

    private mutating func readNamedValue(of target: NamedRegister) throws(AssemblyError) -> Instruction {
        try refuseNewer()
        let before = scanner
        let nameRange = try name("a value")
        let name = String(decoding: scanner.text[nameRange], as: UTF8.self)
        if name == "struct" {
            scanner.skipSpaces()
            references[index] = .kernelType(text(try self.name("the name of a structure")))
            return arithmetic(.move, target)
        }
        if !target.isNarrow, let swap = Self.swaps[name] {
            scanner.skipSpaces()
            try sameRegister(target)
            return Instruction(Opcode(rawValue: swap.opcode), dstReg: target.register, imm: swap.bits)
        }
        if let operation = AtomicText.operations[name] { return try readFetch(operation, into: target) }
        if name.dropFirst().contains("."), scanner.next != UInt8(ascii: "["), scanner.next != UInt8(ascii: "+"),
            !isBehindSpaces("ll")
        {
            scanner = before
            try readField()
            return arithmetic(.move, target)
        }
        guard !target.isNarrow else {
            throw before.error(.unexpected(found: before.found, expected: ["a value of 32 bits"]))
        }
        return try readAddress(into: target.register, name, nameRange, at: before.place)
    }

    private func isBehindSpaces(_ text: StaticString) -> Bool {
        var scanner = scanner
        scanner.skipSpaces()
        return scanner.peek(0) == text.utf8Start[0] && scanner.peek(1) == text.utf8Start[1]
    }

    private static let swaps: [String: (opcode: UInt8, bits: Int32)] = {
        var swaps: [String: (UInt8, Int32)] = [:]
        for bits: Int32 in [16, 32, 64] {
            swaps["le\(bits)"] = (0xd4, bits)
            swaps["be\(bits)"] = (0xdc, bits)
            swaps["bswap\(bits)"] = (0xd7, bits)
        }
        return swaps
    }()

    /// Reads what stands behind the name of a map, a table, a function or what else has an address.
    private mutating func readAddress(
        into register: Register, _ name: String, _ nameRange: Range<Int>, at start: (line: Int, column: Int)
    ) throws(AssemblyError) -> Instruction {
        var instruction = Instruction(.loadWide, dstReg: register)
        if scanner.skip(if: UInt8(ascii: "[")) {
            switch name {
            case "map": try readMap(&instruction)
            case "subprog": (instruction.srcReg, instruction.imm) = (.r4, try bracketed(&instruction))
            case "btf": (instruction.srcReg, instruction.imm) = (.r3, try bracketed(&instruction))
            default:
                guard skip("0]+") else { throw expected("'0]+'") }
                let offset = try number("a number").value(0...Int64(Int32.max), "the place in the table")
                instruction.srcReg = .r2
                references[index] = .data(name, offset: Int(offset))
            }
            return instruction
        }
        let hasOffset = scanner.skip(if: UInt8(ascii: "+"))
        if hasOffset {
            let offset = try number("a number").value(0...Int64(Int32.max), "the place in the table")
            references[index] = .data(name, offset: Int(offset))
        }
        scanner.skipSpaces()
        guard skip("ll"), !(scanner.next?.isNamePart ?? false) else { throw expected("'['", "'ll'") }
        if hasOffset {
            instruction.srcReg = .r2
            return instruction
        }
        instruction.srcReg = .r4
        useLabel(nameRange, at: start)
        return instruction
    }

    private static let mapKinds: [(StaticString, Register)] = [("id:", .r1), ("fd:", .r1), ("idx:", .r5)]

    /// Reads the name of a map, or a number with what it counts, and perhaps a place in the map's value.
    private mutating func readMap(_ instruction: inout Instruction) throws(AssemblyError) {
        instruction.srcReg = .r1
        // A name cannot hold a colon.
        guard let kind = Self.mapKinds.first(where: { skip($0.0) })
        else {
            references[index] = .map(text(try name("the name of a map")))
            guard scanner.skip(if: UInt8(ascii: "]")) else { throw expected("']'") }
            return
        }
        instruction.srcReg = kind.1
        instruction.imm = try bracketed(&instruction)
        guard instruction.nextImm == 0, skip("[0]+") else { return }
        instruction.srcReg = kind.1 == .r1 ? .r2 : .r6
        instruction.nextImm = try number("a number").constant(takesBits: .always)
    }

    /// Reads a number, perhaps a comma and the number of the second slot, and the bracket.
    private mutating func bracketed(_ instruction: inout Instruction) throws(AssemblyError) -> Int32 {
        let first = try signedNumber("a number").constant(takesBits: .never)
        if scanner.skip(if: UInt8(ascii: ",")) {
            instruction.nextImm = try number("a number").constant(takesBits: .never)
        }
        guard scanner.skip(if: UInt8(ascii: "]")) else { throw expected("']'") }
        return first
    }

    // MARK: Atomic operations that fetch

    private mutating func readFetch(
        _ operation: AtomicText.Operation, into target: NamedRegister
    ) throws(AssemblyError) -> Instruction {
        let place = try memory(of: operation)
        if operation.op == .compareAndExchange {
            try comma()
            let before = scanner
            guard target.register == .r0, try atomicRegister(place.size) == .r0 else {
                throw before.error(.unexpected(found: before.found, expected: ["r0 on the left and here"]))
            }
        }
        try comma()
        let before = scanner
        let source = try atomicRegister(place.size)
        guard operation.op == .compareAndExchange || source == target.register,
            !(target.isNarrow && place.size == .doubleword)
        else {
            throw before.error(.unexpected(found: before.found, expected: ["a 64-bit register, the one on the left"]))
        }
        scanner.skipSpaces()
        guard scanner.skip(if: UInt8(ascii: ")")) else { throw expected("')'") }
        remember(place)
        return .atomic(operation.op, place.size, place.base, place.offset, source)
    }

    private mutating func comma() throws(AssemblyError) {
        scanner.skipSpaces()
        guard scanner.skip(if: UInt8(ascii: ",")) else { throw expected("','") }
        scanner.skipSpaces()
    }
}
