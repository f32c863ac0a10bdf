import ExtendedBPF

/// The form that LLVM's assembler reads (`llvm-mc -triple bpf`) and its disassembler shows.
///
/// What LLVM has no way of writing stands as a number with a comment behind it: members of kernel structures, which only
/// a compiler's debug information asks a loader for. Source: LLVM 14 and 19, by experiment.
public enum LLVMListing {
    /// The text of `program`, a label in front of each function.
    ///
    /// - Parameter source: As for ``ExtendedListing/text(_:source:)``.
    /// - Complexity: O(*n*) in the number of instructions and source lines.
    public static func text(_ program: Program, source: [String] = []) -> String {
        var text: [UInt8] = []
        for function in program.functions {
            text.append(contentsOf: "\(function.name):\n".utf8)
            var lines: [Int: Int] = [:]
            for mark in function.lines { lines[mark.instruction] = mark.line }
            let slots = function.slots
            let targets = callTargets(function, slots)
            for (index, instruction) in function.instructions.enumerated() {
                if !targets.isEmpty, let label = targets[slots[index]] {
                    text.append(contentsOf: "\(label):\n".utf8)
                }
                if !lines.isEmpty, let line = lines[index], source.indices.contains(line - 1) {
                    text.append(contentsOf: comment(source[line - 1]).utf8)
                }
                text.append(ascii: "\t")
                let reference = function.references.isEmpty ? nil : function.references[index]
                if reference != nil || instruction.callKind != nil || !instruction.appendPlain(to: &text) {
                    let callee = targets.isEmpty ? nil : targets[target(ofCall: instruction, at: slots[index])]
                    text.append(contentsOf: image(instruction, reference, callee).utf8)
                }
                text.append(ascii: "\n")
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func comment(_ line: String) -> String {
        line.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { "# \($0)\n" }.joined()
    }

    /// By slot, labels for places that are called by their distance; LLVM knows names only.
    private static func callTargets(_ function: Function, _ slots: [Slot]) -> [Slot: String] {
        let known = Set(slots)
        return function.instructions.indices.reduce(into: [:]) { targets, index in
            guard function.instructions[index].callKind == .local, function.references[index] == nil else { return }
            let target = target(ofCall: function.instructions[index], at: slots[index])
            if known.contains(target) { targets[target] = "\(function.name)_\(target.rawValue)" }
        }
    }

    private static func target(ofCall instruction: Instruction, at slot: Slot) -> Slot {
        Slot(rawValue: slot.rawValue + 1 + Int(instruction.imm))
    }

    /// - Parameter target: The label where a call by distance leads.
    private static func image(_ instruction: Instruction, _ reference: Reference?, _ target: String?) -> String {
        switch (reference, instruction.callKind) {
        case (.function(let name)?, .some), (.kernelFunction(let name)?, .some), (.kernelSymbol(let name)?, .some):
            return "call \(name)"
        case (nil, .local): return target.map { "call \($0)" } ?? instruction.llvmImage
        case (.map(let name)?, _), (.function(let name)?, _): return "r\(instruction.dstReg.rawValue) = \(name) ll"
        case (.data(let name, let offset)?, _):
            return "r\(instruction.dstReg.rawValue) = \(name)\(offset == 0 ? "" : "+\(offset)") ll"
        case (.kernelField(let structure, let member)?, _):
            return "\(instruction.llvmImage)  # \(structure).\(member)"
        case (.kernelType(let name)?, _): return "\(instruction.llvmImage)  # struct \(name)"
        default: return instruction.llvmImage
        }
    }
}

extension Instruction {
    /// The instruction as LLVM writes it, references not looked at.
    var llvmImage: String {
        switch opcode.instructionClass {
        case .alu, .alu64: return image()
        case .jmp, .jmp32: return llvmJump
        case .ld where isWide:
            let bits = UInt64(UInt32(bitPattern: nextImm)) << 32 | UInt64(UInt32(bitPattern: imm))
            return "r\(dstReg.rawValue) = \(Int64(bitPattern: bits)) ll"
        case .ld: return image()
        case .ldx where opcode.mode == .mem || opcode.mode == .memSigned:
            return "r\(dstReg.rawValue) = \(llvmPlace(srcReg, sign: opcode.mode == .mem ? "u" : "s"))"
        case .stx where opcode.mode == .mem: return "\(llvmPlace(dstReg)) = r\(srcReg.rawValue)"
        case .stx where opcode.mode == .atomic: return llvmAtomic ?? image()
        case .st where opcode.mode == .mem: return "\(llvmPlace(dstReg)) = \(imm)"
        default: return image()
        }
    }

    private var llvmJump: String {
        let target = jumpDistance.map { $0 < 0 ? "\($0)" : "+\($0)" } ?? ""
        switch opcode {
        case .jump: return "goto \(target)"
        case .jumpLong: return "gotol \(target)"
        case .mayGoto: return "may_goto \(target)"
        case .call: return "call \(imm)"
        case .exit: return "exit"
        default: break
        }
        // The comparison is the kernel's but for the number, which LLVM writes with its sign.
        guard let condition = opcode.condition else { return image() }
        let letter = opcode.instructionClass == .jmp32 ? "w" : "r"
        let second = opcode.operand == .register ? letter + String(srcReg.rawValue) : String(imm)
        return "if \(letter)\(dstReg.rawValue) \(condition.symbol) \(second) goto \(target)"
    }

    private func llvmPlace(_ base: Register, sign: Character = "u") -> String {
        "*(\(sign)\(opcode.size.bytes * 8) *)(\(llvmAddress(base)))"
    }

    private func llvmAddress(_ base: Register) -> String {
        "r\(base.rawValue) \(offset < 0 ? "-" : "+") \(offset.magnitude)"
    }

    private var llvmAtomic: String? {
        guard let op = AtomicOperator(rawValue: imm), [.word, .doubleword].contains(opcode.size) else { return nil }
        let isNarrow = opcode.size == .word
        let (source, result) = isNarrow ? ("w\(srcReg.rawValue)", "w0") : ("r\(srcReg.rawValue)", "r0")
        let pointer = llvmPlace(dstReg).dropFirst()
        return switch op {
        case .add: "lock *\(pointer) += \(source)"
        case .or: "lock *\(pointer) |= \(source)"
        case .and: "lock *\(pointer) &= \(source)"
        case .xor: "lock *\(pointer) ^= \(source)"
        case .fetchAndAdd: "\(source) = atomic_fetch_add(\(pointer), \(source))"
        case .fetchAndOr: "\(source) = atomic_fetch_or(\(pointer), \(source))"
        case .fetchAndAnd: "\(source) = atomic_fetch_and(\(pointer), \(source))"
        case .fetchAndXor: "\(source) = atomic_fetch_xor(\(pointer), \(source))"
        case .exchange: "\(source) = xchg\(isNarrow ? "32_32" : "_64")(\(llvmAddress(dstReg)), \(source))"
        case .compareAndExchange:
            "\(result) = cmpxchg\(isNarrow ? "32_32" : "_64")(\(llvmAddress(dstReg)), \(result), \(source))"
        }
    }
}
