import ExtendedBPF

/// Writes the blocks of a function down, one behind the other.
struct Emission {
    private let function: MachineFunction
    private let isa: InstructionSet
    private var assembler: Assembler
    private var labels: [Assembler.Label] = []
    private var line = 0

    /// The finished function. Line *n* + 2 of its line marks is the classic instruction *n*, line 1 what has none.
    ///
    /// - Throws: ``CompilerError`` if a jump is too long for the instruction set.
    static func emit(
        _ function: MachineFunction, _ order: [Int], _ isa: InstructionSet, named name: String
    ) throws(CompilerError) -> Function {
        var emission = Emission(function: function, isa: isa, assembler: Assembler(functionNamed: name))
        return try emission.run(order)
    }

    private init(function: MachineFunction, isa: InstructionSet, assembler: Assembler) {
        self.function = function
        self.isa = isa
        self.assembler = assembler
        for _ in function.blocks { labels.append(self.assembler.makeLabel()) }
    }

    private mutating func run(_ whole: [Int]) throws(CompilerError) -> Function {
        let order = withoutUnreachedExits(whole)
        for (place, number) in order.enumerated() {
            let block = function.blocks[number]
            assembler.place(labels[number])
            for instruction in block.instructions {
                mark(instruction.origin)
                assembler.append(instruction.resolved, instruction.reference)
            }
            let next = order.indices.contains(place + 1) ? order[place + 1] : nil
            emit(block.terminator, origin: block.origin, next: next)
        }
        do {
            return try assembler.finish()
        } catch {
            guard case .jumpTooFar(let distance) = error.reason else {
                preconditionFailure("resolving labels fails for distance only")
            }
            throw CompilerError(.jumpTooFar(distance: distance))
        }
    }

    /// The order without the exits that only jumps lead to, which are written as exits themselves: the verifier refuses
    /// what nothing reaches.
    private func withoutUnreachedExits(_ order: [Int]) -> [Int] {
        var isReached = Set(order.prefix(1))
        for (place, number) in order.enumerated() {
            switch function.blocks[number].terminator {
            case .jump(let target):
                if order.indices.contains(place + 1), order[place + 1] == target { isReached.insert(target) }
            case .branch(_, let then, let otherwise): isReached.formUnion([then, otherwise])
            case .exit: break
            }
        }
        return order.filter { number in
            let block = function.blocks[number]
            return !(block.instructions.isEmpty && block.terminator == .exit) || isReached.contains(number)
        }
    }

    private mutating func mark(_ origin: Int) {
        guard line != origin + 2 else { return }
        line = origin + 2
        assembler.mark(line: line)
    }

    private mutating func emit(_ terminator: MachineTerminator, origin: Int, next: Int?) {
        switch terminator {
        case .exit:
            mark(origin)
            assembler.append(.exit)
        case .jump(let target):
            if target != next { emitJump(to: target, origin) }
        case .branch(let condition, let then, let otherwise):
            mark(origin)
            if then == next, let inverse = condition.comparison.inverse {
                var condition = condition
                condition.comparison = inverse
                assembler.append(condition.jump, to: labels[otherwise])
            } else {
                assembler.append(condition.jump, to: labels[then])
                if otherwise != next { emitJump(to: otherwise, origin) }
            }
        }
    }

    private mutating func emitJump(to target: Int, _ origin: Int) {
        // An exit is no longer than the jump to one.
        let block = function.blocks[target]
        mark(origin)
        if block.instructions.isEmpty, block.terminator == .exit {
            assembler.append(.exit)
        } else {
            assembler.append(.jump(0), to: labels[target])
        }
    }
}

extension MachineInstruction {
    /// The instruction with its registers in their fields.
    fileprivate var resolved: Instruction {
        var copy = instruction
        if let dst { copy.dstReg = dst.register! }
        if let src { copy.srcReg = src.register! }
        return copy
    }
}

extension MachineCondition {
    /// The jump where the condition holds, its distance to be filled in.
    fileprivate var jump: Instruction {
        let left = left.register!
        return switch right {
        case .register(let right):
            is64 ? .jump64(if: left, comparison, right.register!, 0) : .jump32(if: left, comparison, right.register!, 0)
        case .constant(let constant):
            is64 ? .jump64(if: left, comparison, constant, 0) : .jump32(if: left, comparison, constant, 0)
        }
    }
}
