import ClassicBPF
import ExtendedBPF

/// The registers and memory of the classic machine while a filter runs, and what each operation does to them.
struct ClassicState {
    /// How execution continues after an operation.
    enum Continuation {
        case next
        /// Over that many instructions.
        case skip(Int)
        /// As a `ja` with that distance.
        case jump(UInt32)
        case end(UInt32)
    }

    let packet: Packet
    let byteOrder: ByteOrder
    var a: UInt32 = 0
    var x: UInt32 = 0
    var memory = [UInt32](repeating: 0, count: Int(RuleSet.memoryCells))

    init(packet: Packet, byteOrder: ByteOrder) {
        self.packet = packet
        self.byteOrder = byteOrder
    }

    mutating func perform(_ operation: Operation) -> Continuation {
        switch operation {
        case .load(let source): return load(source)
        case .loadIndex(let source): return loadIndex(source)
        case .store(let cell): memory[Int(cell)] = a
        case .storeIndex(let cell): memory[Int(cell)] = x
        case .arithmetic(let op, let operand): return arithmetic(op, operand)
        case .negate: a = 0 &- a
        case .jump(let distance): return .jump(distance)
        case .branch(let comparison, let operand, let jt, let jf):
            return .skip(Int(holds(comparison, value(of: operand)) ? jt : jf))
        case .result(.constant(let k)): return .end(k)
        case .result(.a): return .end(a)
        case .transferAToX: x = a
        case .transferXToA: a = x
        }
        return .next
    }

    private func value(of operand: Operation.Operand) -> UInt32 {
        switch operand {
        case .constant(let k): k
        case .index: x
        }
    }

    private mutating func arithmetic(
        _ op: Operation.ArithmeticOperator, _ operand: Operation.Operand
    ) -> Continuation {
        let value = value(of: operand)
        switch op {
        case .add: a &+= value
        case .subtract: a &-= value
        case .multiply: a &*= value
        case .divide, .modulo:
            if value == 0 { return .end(0) }
            a = op == .divide ? a / value : a % value
        case .or: a |= value
        case .and: a &= value
        case .xor: a ^= value
        case .shiftLeft: a &<<= value
        case .shiftRight: a &>>= value
        }
        return .next
    }

    private func holds(_ comparison: Operation.Comparison, _ value: UInt32) -> Bool {
        switch comparison {
        case .equal: a == value
        case .greater: a > value
        case .greaterOrEqual: a >= value
        case .anyBitSet: a & value != 0
        }
    }
}
