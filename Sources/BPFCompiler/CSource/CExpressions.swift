import ClassicBPF

// Values as C has them.

extension CFunction {
    func name(_ value: Value) -> String {
        if let constant = graph.instruction(value)?.constant { return Self.text(constant) }
        return names[value]!
    }

    static func text(_ constant: UInt32) -> String {
        constant < 10
            ? "\(constant)"
            : constant > 0x7fff_ffff
                ? "0x\(String(constant, radix: 16))u"
                : "0x\(String(constant, radix: 16))"
    }

    /// A value as an operand.
    func operand(_ value: Value) -> String {
        guard isInline.contains(value), case .arithmetic(let op, let left, let right)? = graph.instruction(value) else {
            return name(value)
        }
        return "(\(arithmetic(op, left, right)))"
    }

    func arithmetic(_ op: Operation.ArithmeticOperator, _ left: Value, _ right: Value) -> String {
        // Numbers are of 32 bits without a sign, constants too.
        let first = graph.instruction(left)?.constant == nil ? operand(left) : "(u32)\(operand(left))"
        if op == .shiftLeft || op == .shiftRight {
            let distance = graph.instruction(right)?.constant.map { "\($0 & 31)" } ?? "(\(operand(right)) & 31)"
            return "\(first) \(op.symbol) \(distance)"
        }
        return "\(first) \(op.symbol) \(operand(right))"
    }

    func condition(
        _ comparison: Operation.Comparison, _ left: Value, _ right: Value, isInverted: Bool
    ) -> String {
        let (left, right) = (operand(left), operand(right))
        switch (comparison, isInverted) {
        case (.equal, false): return "\(left) == \(right)"
        case (.equal, true): return "\(left) != \(right)"
        case (.greater, false): return "\(left) > \(right)"
        case (.greater, true): return "\(left) <= \(right)"
        case (.greaterOrEqual, false): return "\(left) >= \(right)"
        case (.greaterOrEqual, true): return "\(left) < \(right)"
        case (.anyBitSet, false): return "\(left) & \(right)"
        case (.anyBitSet, true): return "!(\(left) & \(right))"
        }
    }
}
