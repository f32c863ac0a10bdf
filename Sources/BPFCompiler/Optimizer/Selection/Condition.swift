import ClassicBPF
import ExtendedBPF

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
    /// The eBPF operator of the same meaning.
    var machine: ExtendedBPF.ArithmeticOperator {
        switch self {
        case .add: .add
        case .subtract: .subtract
        case .multiply: .multiply
        case .divide: .divide
        case .modulo: .modulo
        case .or: .or
        case .and: .and
        case .xor: .xor
        case .shiftLeft: .shiftLeft
        case .shiftRight: .shiftRight
        }
    }

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
