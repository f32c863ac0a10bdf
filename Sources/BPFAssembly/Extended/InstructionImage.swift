import ExtendedBPF

extension Instruction {
    /// The instruction as the verifier writes it, without slot and opcode; a field with a reference by its name.
    func image(_ reference: Reference? = nil) -> String {
        switch opcode.instructionClass {
        case .alu, .alu64: arithmeticImage(reference) ?? unknownImage
        case .jmp, .jmp32: jumpImage(reference) ?? unknownImage
        case .ld: constantOrPacketImage(reference) ?? unknownImage
        case .ldx, .st, .stx: memoryImage(reference) ?? unknownImage
        }
    }

    private var unknownImage: String { "opcode 0x\(String(opcode.rawValue, radix: 16))" }

    /// The name of a register in this instruction's width.
    private func name(_ register: Register) -> String {
        let isNarrow = opcode.instructionClass == .alu || opcode.instructionClass == .jmp32
        return (isNarrow ? "w" : "r") + String(register.rawValue)
    }

    private func arithmeticImage(_ reference: Reference?) -> String? {
        let dst = name(dstReg)
        let second =
            switch reference {
            case .kernelField(let structure, let member): "\(structure).\(member)"
            case .kernelType(let structure): "struct \(structure)"
            default: opcode.operand == .register ? name(srcReg) : "\(imm)"
            }
        switch opcode.arithmetic {
        case nil: return nil
        case .negate: return "\(dst) = -\(dst)"
        case .byteSwap: return byteSwapImage
        case .move where offset != 0: return "\(dst) = (s\(offset))\(second)"
        case .divide where offset == 1: return "\(dst) s/= \(second)"
        case .modulo where offset == 1: return "\(dst) s%= \(second)"
        case let op?: return "\(dst) \(op.symbol) \(second)"
        }
    }

    private var byteSwapImage: String {
        let conversion =
            if opcode.instructionClass == .alu64 { "bswap" } else if opcode.operand == .register { "be" } else { "le" }
        return "r\(dstReg.rawValue) = \(conversion)\(imm) r\(dstReg.rawValue)"
    }

    private func jumpImage(_ reference: Reference?) -> String? {
        switch opcode {
        case .jump: return "goto pc\(signed(Int32(offset)))"
        case .jumpLong: return "gotol pc\(signed(imm))"
        case .mayGoto: return "may_goto pc\(signed(Int32(offset)))"
        case .exit: return "exit"
        case .call: return callImage(reference)
        default:
            guard let condition = opcode.condition else { return nil }
            let second =
                opcode.operand == .register ? name(srcReg) : "0x\(String(UInt32(bitPattern: imm), radix: 16))"
            return "if \(name(dstReg)) \(condition.symbol) \(second) goto pc\(signed(Int32(offset)))"
        }
    }

    private func callImage(_ reference: Reference?) -> String? {
        switch (reference, callKind) {
        case (.kernelSymbol(let name)?, _), (.kernelFunction(let name)?, _), (.function(let name)?, _):
            "call \(name)"
        case (_, .helper): "call \(HelperName.byNumber[imm] ?? "unknown")#\(imm)"
        case (_, .local): "call pc\(signed(imm))"
        case (_, .kernelFunction): "call kernel-function#\(imm)" + (offset == 0 ? "" : "@\(offset)")
        case (_, nil): nil
        }
    }

    private func constantOrPacketImage(_ reference: Reference?) -> String? {
        if isWide {
            switch reference {
            case .map(let map): return "r\(dstReg.rawValue) = map[\(map)]"
            case .data(let table, let offset): return "r\(dstReg.rawValue) = \(table)[0]+\(offset)"
            default: break
            }
            return "r\(dstReg.rawValue) = \(wideImage)"
        }
        switch opcode.mode {
        case .abs: return "r0 = *(\(opcode.size.symbol) *)skb[\(imm)]"
        case .ind: return "r0 = *(\(opcode.size.symbol) *)skb[r\(srcReg.rawValue) + \(imm)]"
        default: return nil
        }
    }

    /// The constant, or what it counts; bpftool's way of writing where it has one.
    private var wideImage: String {
        let next = nextImm == 0 ? "" : ",\(nextImm)"
        return switch WideKind(rawValue: srcReg.rawValue) {
        case .constant, nil:
            "0x" + String(UInt64(UInt32(bitPattern: nextImm)) << 32 | UInt64(UInt32(bitPattern: imm)), radix: 16)
        case .mapDescriptor: "map[fd:\(imm)\(next)]"
        case .mapValue: "map[fd:\(imm)][0]+\(UInt32(bitPattern: nextImm))"
        case .kernelVariable: "btf[\(imm)\(next)]"
        case .localFunction: "subprog[\(signed(imm))\(next)]"
        case .mapIndex: "map[idx:\(imm)\(next)]"
        case .mapIndexValue: "map[idx:\(imm)][0]+\(UInt32(bitPattern: nextImm))"
        }
    }

    /// An operation in one step, as `lock` in front of an assignment or, if it fetches, as a function.
    private func atomicImage(_ reference: Reference?) -> String? {
        guard let op = AtomicOperator(rawValue: imm), [.word, .doubleword].contains(opcode.size) else { return nil }
        let (place, source) = (place(dstReg, reference), "r\(srcReg.rawValue)")
        let suffix = opcode.size == .doubleword ? "64" : ""
        return switch op {
        case .add: "lock \(place) += \(source)"
        case .or: "lock \(place) |= \(source)"
        case .and: "lock \(place) &= \(source)"
        case .xor: "lock \(place) ^= \(source)"
        case .fetchAndAdd: "\(source) = atomic\(suffix)_fetch_add(\(place.dropFirst()), \(source))"
        case .fetchAndOr: "\(source) = atomic\(suffix)_fetch_or(\(place.dropFirst()), \(source))"
        case .fetchAndAnd: "\(source) = atomic\(suffix)_fetch_and(\(place.dropFirst()), \(source))"
        case .fetchAndXor: "\(source) = atomic\(suffix)_fetch_xor(\(place.dropFirst()), \(source))"
        case .exchange: "\(source) = atomic\(suffix)_xchg(\(place.dropFirst()), \(source))"
        case .compareAndExchange: "r0 = atomic\(suffix)_cmpxchg(\(place.dropFirst()), r0, \(source))"
        }
    }

    private func memoryImage(_ reference: Reference?) -> String? {
        switch (opcode.instructionClass, opcode.mode) {
        case (.ldx, .mem): "r\(dstReg.rawValue) = \(place(srcReg, reference))"
        case (.ldx, .memSigned): "r\(dstReg.rawValue) = \(place(srcReg, reference, sign: "s"))"
        case (.stx, .atomic): atomicImage(reference)
        case (.stx, .mem): "\(place(dstReg, reference)) = r\(srcReg.rawValue)"
        case (.st, .mem): "\(place(dstReg, reference)) = \(imm)"
        default: nil
        }
    }

    private func place(_ base: Register, _ reference: Reference?, sign: Character = "u") -> String {
        let distance =
            if case .kernelField(let structure, let member)? = reference {
                "+\(structure).\(member)"
            } else {
                signed(Int32(offset))
            }
        return "*(\(sign)\(opcode.size.bytes * 8) *)(r\(base.rawValue) \(distance))"
    }

    private func signed(_ number: Int32) -> String { number < 0 ? "\(number)" : "+\(number)" }
}

extension Size {
    fileprivate var symbol: String { "u\(bytes * 8)" }
}

extension ArithmeticOperator {
    var symbol: String {
        switch self {
        case .add: "+="
        case .subtract: "-="
        case .multiply: "*="
        case .divide: "/="
        case .or: "|="
        case .and: "&="
        case .shiftLeft: "<<="
        case .shiftRight: ">>="
        case .modulo: "%="
        case .xor: "^="
        case .arithmeticShiftRight: "s>>="
        case .negate, .byteSwap, .move: "="
        }
    }
}

extension JumpCondition {
    var symbol: String {
        switch self {
        case .equal: "=="
        case .greater: ">"
        case .greaterOrEqual: ">="
        case .anyBitSet: "&"
        case .notEqual: "!="
        case .signedGreater: "s>"
        case .signedGreaterOrEqual: "s>="
        case .less: "<"
        case .lessOrEqual: "<="
        case .signedLess: "s<"
        case .signedLessOrEqual: "s<="
        }
    }
}
