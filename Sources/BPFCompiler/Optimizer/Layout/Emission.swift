import ExtendedBPF

/// Writes the blocks of a function down, one behind the other.
struct Emission {
    private let function: MachineFunction
    private let isa: InstructionSet
    private var assembler: Assembler
    private var labels: [Assembler.Label] = []
    private var line = 0
    /// By block, whether its jumps are long.
    private let isFar: [Bool]

    /// The finished function. Line *n* + 2 of its line marks is the classic instruction *n*, line 1 what has none.
    ///
    /// - Throws: ``CompilerError`` if a jump is too long for the instruction set.
    static func emit(
        _ function: MachineFunction, _ order: [Int], _ isa: InstructionSet, named name: String
    ) throws(CompilerError) -> Function {
        var function = function
        let jumps = try LongJumps(in: &function, order, isa)
        var emission = Emission(
            function: function, isa: isa, assembler: Assembler(functionNamed: name), isFar: jumps.isFar)
        return try emission.run(jumps.order)
    }

    private init(function: MachineFunction, isa: InstructionSet, assembler: Assembler, isFar: [Bool]) {
        self.function = function
        self.isa = isa
        self.isFar = isFar
        self.assembler = assembler
        for _ in function.blocks { labels.append(self.assembler.makeLabel()) }
    }

    private mutating func run(_ order: [Int]) throws(CompilerError) -> Function {
        let isReached = reachedBlocks(order)
        for (place, number) in order.enumerated() where isReached.contains(number) || !isPlainExit(number) {
            let block = function.blocks[number]
            assembler.place(labels[number])
            for instruction in block.instructions {
                mark(instruction.origin)
                assembler.append(instruction.resolved, instruction.reference)
            }
            let next = order.indices.contains(place + 1) ? order[place + 1] : nil
            emit(block.terminator, origin: block.origin, next: next, isFar: isFar[number])
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

    /// The blocks that something falls through or jumps to. To an exit, jumps are written as exits themselves; one that
    /// only those lead to must not be there, for the verifier refuses what nothing reaches.
    private func reachedBlocks(_ order: [Int]) -> Set<Int> {
        var isReached = Set(order.prefix(1))
        for (place, number) in order.enumerated() {
            let next = order.indices.contains(place + 1) ? order[place + 1] : nil
            switch function.blocks[number].terminator {
            case .jump(let target): if target == next || !isPlainExit(target) { isReached.insert(target) }
            case .branch(let condition, let then, let otherwise):
                let branch = written(condition, then, otherwise, next)
                isReached.insert(branch.then)
                if branch.otherwise == next || !isPlainExit(branch.otherwise) { isReached.insert(branch.otherwise) }
            case .exit: break
            }
        }
        return isReached
    }

    private func isPlainExit(_ number: Int) -> Bool {
        function.blocks[number].instructions.isEmpty && function.blocks[number].terminator == .exit
    }

    private mutating func mark(_ origin: Int) {
        guard line != origin + 2 else { return }
        line = origin + 2
        assembler.mark(line: line)
    }

    private mutating func emit(_ terminator: MachineTerminator, origin: Int, next: Int?, isFar: Bool) {
        switch terminator {
        case .exit:
            mark(origin)
            assembler.append(.exit)
        case .jump(let target):
            if target != next { emitJump(to: target, origin, isFar) }
        case .branch(let condition, let then, let otherwise):
            mark(origin)
            let branch = written(condition, then, otherwise, next)
            emitJump(to: branch.then, if: branch.condition, isFar)
            if branch.otherwise != next { emitJump(to: branch.otherwise, origin, isFar) }
        }
    }

    /// A branch as it is written in front of the block `next`: what it jumps to where its condition holds, and what
    /// follows where it does not, `next` if that can be, else rather an exit than a jump.
    private func written(
        _ condition: MachineCondition, _ then: Int, _ otherwise: Int, _ next: Int?
    ) -> (condition: MachineCondition, then: Int, otherwise: Int) {
        let isBetterTurned = then == next || otherwise != next && isPlainExit(then) && !isPlainExit(otherwise)
        guard isBetterTurned, let inverse = inverse(of: condition) else { return (condition, then, otherwise) }
        return (inverse, otherwise, then)
    }

    /// The condition that holds where `condition` does not, if the instruction set has one.
    private func inverse(of condition: MachineCondition) -> MachineCondition? {
        guard let comparison = condition.comparison.inverse else { return nil }
        var inverse = condition
        inverse.comparison = comparison
        guard comparison == .less || comparison == .lessOrEqual, !isa.hasLess else { return inverse }
        // The operands exchanged, that is a comparison the first instruction set has.
        guard case .register(let right) = condition.right else { return nil }
        inverse.comparison = comparison.exchanged
        inverse.left = right
        inverse.right = .register(condition.left)
        return inverse
    }

    private mutating func emitJump(to target: Int, if condition: MachineCondition, _ isFar: Bool) {
        guard isFar else { return assembler.append(condition.jump, to: labels[target]) }
        // No condition has a long distance, so the other way steps over one.
        if let inverse = inverse(of: condition) {
            assembler.append(inverse.jump(over: 1))
        } else {
            assembler.append(condition.jump(over: 1))
            assembler.append(.jump(1))
        }
        assembler.append(.jumpLong(0), to: labels[target])
    }

    private mutating func emitJump(to target: Int, _ origin: Int, _ isFar: Bool) {
        // An exit is no longer than the jump to one.
        mark(origin)
        if isPlainExit(target) {
            assembler.append(.exit)
        } else {
            assembler.append(isFar ? .jumpLong(0) : .jump(0), to: labels[target])
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
    fileprivate var jump: Instruction { jump(over: 0) }

    /// The jump over `distance` slots where the condition holds.
    fileprivate func jump(over distance: Int16) -> Instruction {
        let left = left.register!
        return switch right {
        case .register(let right):
            is64
                ? .jump64(if: left, comparison, right.register!, distance)
                : .jump32(if: left, comparison, right.register!, distance)
        case .constant(let constant):
            is64
                ? .jump64(if: left, comparison, constant, distance)
                : .jump32(if: left, comparison, constant, distance)
        case .budget: .mayGoto(distance)
        }
    }
}
