import ClassicBPF
import ExtendedBPF

// What the terms of the classic machine are called in the other one.

extension JumpCondition {
    /// The condition that holds exactly where this one does not, or nil where eBPF has none.
    var inverse: JumpCondition? {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .greater: .lessOrEqual
        case .lessOrEqual: .greater
        case .greaterOrEqual: .less
        case .less: .greaterOrEqual
        case .signedGreater: .signedLessOrEqual
        case .signedLessOrEqual: .signedGreater
        case .signedGreaterOrEqual: .signedLess
        case .signedLess: .signedGreaterOrEqual
        case .anyBitSet: nil
        }
    }

    /// The condition that holds for the operands exchanged.
    var exchanged: JumpCondition {
        switch self {
        case .greater: .less
        case .less: .greater
        case .greaterOrEqual: .lessOrEqual
        case .lessOrEqual: .greaterOrEqual
        case .signedGreater: .signedLess
        case .signedLess: .signedGreater
        case .signedGreaterOrEqual: .signedLessOrEqual
        case .signedLessOrEqual: .signedGreaterOrEqual
        case .equal, .notEqual, .anyBitSet: self
        }
    }
}

extension Operation.Comparison {
    /// The eBPF condition of the same meaning.
    var condition: JumpCondition {
        switch self {
        case .equal: .equal
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        case .anyBitSet: .anyBitSet
        }
    }
}

extension Operation.ArithmeticOperator {
    /// The eBPF operator of the same meaning, whose bits are the same in both machines.
    var machine: ExtendedBPF.ArithmeticOperator { ExtendedBPF.ArithmeticOperator(rawValue: UInt8(rawValue))! }

    /// Whether the operands can be exchanged.
    var isCommutative: Bool {
        switch self {
        case .add, .multiply, .or, .and, .xor: true
        case .subtract, .divide, .modulo, .shiftLeft, .shiftRight: false
        }
    }
}

extension Operation.Size {
    /// The eBPF width of the same number of bytes.
    var machine: ExtendedBPF.Size {
        switch self {
        case .byte: .byte
        case .half: .halfword
        case .word: .word
        }
    }
}
