import ExtendedBPF

// Jumps, calls of functions of the program, and exit. Source: RFC 9669 §4.3.

extension ExtendedState {
    mutating func jump(_ instruction: Instruction) throws(Trap.Reason) {
        switch instruction.opcode {
        case .jump: frame.slot += Int(instruction.offset)
        case .jumpLong: frame.slot += Int(instruction.imm)
        // Eight million rounds are allowed, more than this machine has steps.
        case .mayGoto: break
        default:
            let (left, right) = (try read(instruction.dstReg), try secondOperand(of: instruction))
            let condition = instruction.opcode.condition!
            let holds =
                instruction.opcode.instructionClass == .jmp
                ? condition.holds(Int64(bitPattern: left), Int64(bitPattern: right))
                : condition.holds(Int32(truncatingIfNeeded: left), Int32(truncatingIfNeeded: right))
            if holds { frame.slot += Int(instruction.offset) }
        }
    }

    mutating func call(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) {
        switch (reference, instruction.callKind) {
        case (.function(let name), _):
            guard let function = code.firstIndex(where: { $0.name == name }) else {
                throw .unknownFunction(name: name)
            }
            try enter(function, at: 0)
        case (.kernelFunction(let name), .kernelFunction):
            try callKernelFunction(name)
        case (let reference?, _):
            throw .unresolvedReference(reference)
        case (nil, .helper):
            try callHelper(instruction.imm)
        case (nil, .local):
            // A linked program is one function whose calls are distances.
            try enter(frame.function, at: frame.slot + Int(instruction.imm))
        case (nil, .kernelFunction), (nil, nil):
            throw .unresolvedReference(.kernelFunction("\(instruction.imm)"))
        }
    }

    /// Starts a function with the caller's `r1` to `r5` as its arguments.
    mutating func enter(_ function: Int, at slot: Int) throws(Trap.Reason) {
        guard frames.count < ExtendedMachine.maximumFrames else {
            throw .tooManyFrames(limit: ExtendedMachine.maximumFrames)
        }
        var callee = Frame(function: function, slot: slot)
        callee.registers[1...5] = frame.registers[1...5]
        frames.append(callee)
    }

    /// Ends the active function, and returns `r0` if it is the program's entry.
    mutating func exit() throws(Trap.Reason) -> UInt64? {
        if frames.count == 1 { return try read(.r0) }
        // A function of the program may leave r0 unwritten as long as its caller does not read it.
        let result = frame.registers[0]
        if let loop = frame.loop { return try endRound(of: loop, with: try read(.r0)) }
        frames.removeLast()
        destroyArguments()
        frame.registers[0] = result
        return nil
    }
}

extension JumpCondition {
    /// Whether `left` and `right`, bit patterns of the width compared, satisfy the condition.
    fileprivate func holds<Number: FixedWidthInteger & SignedInteger>(_ left: Number, _ right: Number) -> Bool {
        let (unsignedLeft, unsignedRight) = (
            Number.Magnitude(truncatingIfNeeded: left), Number.Magnitude(truncatingIfNeeded: right)
        )
        return switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .anyBitSet: left & right != 0
        case .greater: unsignedLeft > unsignedRight
        case .greaterOrEqual: unsignedLeft >= unsignedRight
        case .less: unsignedLeft < unsignedRight
        case .lessOrEqual: unsignedLeft <= unsignedRight
        case .signedGreater: left > right
        case .signedGreaterOrEqual: left >= right
        case .signedLess: left < right
        case .signedLessOrEqual: left <= right
        }
    }
}
