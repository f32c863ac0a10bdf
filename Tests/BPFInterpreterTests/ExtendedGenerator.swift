import ExtendedBPF

/// Makes random eBPF programs that the verifier accepts: arithmetic, forward jumps and stack over unknown numbers.
struct ExtendedGenerator {
    var random: RandomSource

    private let stackBytes: Int32 = 80

    /// A program that reads ten numbers from the packet's first 80 bytes and returns what becomes of them.
    mutating func program() -> [Instruction] {
        var result: [Instruction] = [.move64(.r6, .r1)]
        result += Instruction.loadBytes(0, toStackBelow: stackBytes, count: stackBytes)
        for (number, register) in writable.enumerated() {
            result.append(.load(.doubleword, register, .r10, Int16(8 * number) - Int16(stackBytes)))
        }
        // Few branches, since the verifier follows both ways of each.
        var body: [Instruction] = []
        for _ in 0..<Int.random(in: 5...40, using: &random) {
            body = (random.oneIn(8) ? jump(over: Int.random(in: 0...body.count, using: &random)) : [straight()]) + body
        }
        result += body
        for register in writable.dropFirst() {
            result += [.alu64(.multiply, .r0, 0x0100_0193), .alu64(.xor, .r0, register)]
        }
        return result + Instruction.foldR0 + [.exit]
    }

    private mutating func register() -> Register { writable.randomElement(using: &random)! }

    private mutating func constant() -> Int32 { Int32(truncatingIfNeeded: random.number()) }

    /// A jump over `distance` slots; the instructions that can be jumped over fill one slot each.
    private mutating func jump(over distance: Int) -> [Instruction] {
        if random.oneIn(6) {
            // A jump around the long one, since the verifier refuses what nothing leads to.
            return [conditional(over: 1), .raw(0x06, imm: Int32(distance))]
        }
        return [conditional(over: Int16(distance))]
    }

    private mutating func conditional(over distance: Int16) -> Instruction {
        let condition = JumpCondition.allCases.randomElement(using: &random)!
        let kind: UInt8 = random.oneIn(2) ? 0x05 : 0x06
        return random.oneIn(2)
            ? .raw(kind | 0x08 | condition.rawValue, register(), register(), offset: distance)
            : .raw(kind | condition.rawValue, register(), offset: distance, imm: constant())
    }

    private mutating func straight() -> Instruction {
        let kind: UInt8 = random.oneIn(2) ? 0x07 : 0x04
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return .raw(kind | 0x80, register())
        case 1:
            let width: Int32 = [16, 32, 64].randomElement(using: &random)!
            return .raw([0xd4, 0xdc, 0xd7].randomElement(using: &random)!, register(), imm: width)
        case 2: return access(.load(size(), register(), .r10, 0))
        case 3: return access(.raw([0x91, 0x89, 0x81].randomElement(using: &random)!, register(), .r10))
        case 4: return access(.store(size(), .r10, 0, register()))
        case 5: return access(.store(size(), .r10, 0, constant()))
        case 6:
            let widths: [Int16] = kind == 0x07 ? [8, 16, 32] : [8, 16]
            return .raw(kind | 0xb8, register(), register(), offset: widths.randomElement(using: &random)!)
        default: return twoOperands(kind)
        }
    }

    private mutating func size() -> Size { Size.allCases.randomElement(using: &random)! }

    /// `instruction` with an aligned place on the stack as its address.
    private mutating func access(_ instruction: Instruction) -> Instruction {
        let size = Int32(instruction.opcode.size.bytes)
        var instruction = instruction
        instruction.offset = Int16(Int32.random(in: 0..<stackBytes / size, using: &random) * size - stackBytes)
        return instruction
    }

    private mutating func twoOperands(_ kind: UInt8) -> Instruction {
        let op = ArithmeticOperator.allCases.filter { ![.negate, .byteSwap].contains($0) }
            .randomElement(using: &random)!
        let signed: Int16 = (op == .divide || op == .modulo) && random.oneIn(2) ? 1 : 0
        if random.oneIn(2) { return .raw(kind | 0x08 | op.rawValue, register(), register(), offset: signed) }
        var constant = constant()
        // What the verifier refuses.
        if [.shiftLeft, .shiftRight, .arithmeticShiftRight].contains(op) { constant &= kind == 0x07 ? 63 : 31 }
        if [.divide, .modulo].contains(op), constant == 0 { constant = -1 }
        return .raw(kind | op.rawValue, register(), offset: signed, imm: constant)
    }
}
