import ExtendedBPF

// What the search for a program's requirements asks of a function.

extension Function {
    /// By index of the instruction, where the function may continue behind it.
    var successors: [[Int]] {
        let slots = slots
        var index: [Int: Int] = [:]
        for (number, slot) in slots.enumerated() { index[slot.rawValue] = number }
        return instructions.enumerated().map { number, instruction in
            let opcode = instruction.opcode
            let next = number + 1 < instructions.count ? number + 1 : nil
            let isJump = [.jmp, .jmp32].contains(opcode.instructionClass)
            guard isJump, opcode != .call else { return [next].compactMap(\.self) }
            if opcode == .exit { return [] }
            let distance = opcode == .jumpLong ? Int(instruction.imm) : Int(instruction.offset)
            let target = index[slots[number].rawValue + 1 + distance]
            let falls = opcode != .jump && opcode != .jumpLong
            return [falls ? next : nil, target].compactMap(\.self)
        }
    }

    /// Whether the `bpf_rdonly_cast` that `index` calls has no type to cast to: the last write of `r2` before it is a
    /// constant of 0.
    func castsToVoid(at index: Int) -> Bool {
        let write = instructions[..<index].lastIndex {
            $0.dstReg == .r2 && [.alu, .alu64, .ldx, .ld].contains($0.opcode.instructionClass)
        }
        guard let write, references[write] == nil else { return false }
        let instruction = instructions[write]
        return instruction.opcode.arithmetic == .move && instruction.opcode.operand == .immediate
            && [.alu, .alu64].contains(instruction.opcode.instructionClass) && instruction.imm == 0
    }
}

/// The first instruction that may continue at one that has led to it, as the verifier before 5.3 found it.
func firstJumpBack(in successors: [[Int]]) -> Int? {
    var isOnPath = [Bool](repeating: false, count: successors.count)
    var isDone = isOnPath
    var found: Int?
    var path: [(index: Int, next: Int)] = successors.isEmpty ? [] : [(0, 0)]
    if !path.isEmpty { isOnPath[0] = true }
    while let (index, next) = path.last {
        guard next < successors[index].count else {
            isOnPath[index] = false
            isDone[index] = true
            path.removeLast()
            continue
        }
        path[path.count - 1].next += 1
        let target = successors[index][next]
        if isOnPath[target] {
            found = min(found ?? index, index)
        } else if !isDone[target] {
            isOnPath[target] = true
            path.append((target, 0))
        }
    }
    return found
}

extension Instruction {
    /// Whether it is one of the classic packet loads.
    var isPacketLoad: Bool {
        opcode.instructionClass == .ld && (opcode.mode == .abs || opcode.mode == .ind)
    }

    /// What it is that only `clang -mcpu=v4` uses, or nil.
    var featureOfFourthSet: String? {
        if opcode == .jumpLong { return "jumps of any distance" }
        switch opcode.instructionClass {
        case .ldx: return opcode.mode == .memSigned ? "loads with sign" : nil
        case .alu, .alu64:
            switch opcode.arithmetic {
            case .move where opcode.operand == .register && offset != 0: return "moves with sign"
            case .divide where offset != 0, .modulo where offset != 0: return "division with sign"
            case .byteSwap where opcode.instructionClass == .alu64: return "byte swaps"
            default: return nil
            }
        default: return nil
        }
    }
}
