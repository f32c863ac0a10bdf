import ClassicBPF
import ExtendedBPF

extension Selector {
    /// Computes a value of the graph, or asks what a requirement asks.
    mutating func emit(_ value: Value) throws(CompilerError) {
        switch graph.instruction(value)! {
        case .constant: break
        case .arithmetic(let op, let left, let right): emitArithmetic(op, left, right, into: register(of: value))
        case .load(let size, let address):
            emitLoad(size, address, into: register(of: value))
            if size != .byte { append(.bigEndian(.r0, bits: Int32(size.rawValue) * 8), dst: register(of: value)) }
        case .rawLoad(let size, let address): emitLoad(size, address, into: register(of: value))
        case .classicLoad(let size, let address, by: .instruction(let permit)):
            emitClassicLoad(size, address, into: register(of: value), permit)
        case .classicLoad(let size, let address, by: .helpers): emitAreaLoad(size, address, into: register(of: value))
        case .length: emitLength(into: register(of: value))
        case .metadata(let ext): try emitMetadata(ext, into: register(of: value))
        case .search(let ext, let a, let x): try emitSearch(ext, a, x, into: register(of: value))
        case .tableLoad(let part, let table, let index):
            emitTableLoad(part, of: table, index, into: register(of: value))
        case .swapped(let size, let number):
            append(.move32(.r0, .r0), dst: register(of: value), src: register(of: number))
            append(.bigEndian(.r0, bits: Int32(size.rawValue) * 8), dst: register(of: value))
        case .requireEnd(let window, let end): emitCheck(of: window, upTo: end)
        case .requireNonzero(let divisor):
            jump(
                to: failureExit,
                if: MachineCondition(
                    comparison: .equal, is64: !options.isa.hasJump32, left: operand(divisor), right: .constant(0)))
        case .requireBytes, .requireInterface, .member:
            preconditionFailure("requirements and sets have been lowered")
        }
    }

    private mutating func emitArithmetic(
        _ op: Operation.ArithmeticOperator, _ left: Value, _ right: Value, into result: MachineRegister
    ) {
        var (left, right) = (left, right)
        if op.isCommutative, graph.instruction(left)?.constant != nil { swap(&left, &right) }
        if op == .subtract, graph.instruction(left)?.constant == 0 {
            append(.move32(.r0, .r0), dst: result, src: operand(right))
            append(.negate32(.r0), dst: result)
            return
        }
        if let constant = graph.instruction(left)?.constant {
            append(.move32(.r0, constant), dst: result)
        } else {
            append(.move32(.r0, .r0), dst: result, src: register(of: left))
        }
        switch graph.instruction(right)?.constant {
        case let distance? where op == .shiftLeft || op == .shiftRight:
            append(.alu32(op.machine, .r0, Int32(distance & 31)), dst: result)
        case let constant?:
            append(.alu32(op.machine, .r0, Int32(bitPattern: constant)), dst: result)
        case nil:
            append(.alu32(op.machine, .r0, .r0), dst: result, src: register(of: right))
        }
    }

    /// A load by the kernel's instruction for it, which ends the function with 0 where there is nothing.
    private mutating func emitClassicLoad(
        _ size: Operation.Size, _ address: Graph.Address, into result: MachineRegister, _: EndingPermit
    ) {
        if let index = address.index {
            append(.loadPacket(size.machine, at: .r0, plus: address.offset), src: operand(index))
        } else {
            append(.loadPacket(size.machine, at: address.offset))
        }
        append(.move32(.r0, .r0), dst: result, src: .result)
        if keepsResult { setResult(graph.failure) }
    }

    /// Ends a block of the graph.
    mutating func emit(_ terminator: Terminator) {
        switch terminator {
        case .unreachable: preconditionFailure("a reachable block ends somehow")
        case .jump(let edge): end(with: .jump(way(along: edge)))
        case .loop(let step, let values): emit(step, values)
        case .return(let value):
            if let number = graph.instruction(value)?.constant {
                end(with: .jump(exit(with: number)))
            } else {
                append(.move32(.r0, .r0), dst: .result, src: register(of: value))
                end(with: .exit)
            }
        case .branch(let comparison, let left, let right, let then, let otherwise):
            let condition = condition(comparison, left, right)
            end(with: .branch(condition, then: way(along: then), otherwise: way(along: otherwise)))
        }
    }

    private mutating func condition(
        _ comparison: Operation.Comparison, _ left: Value, _ right: Value
    ) -> MachineCondition {
        if graph.instruction(left)?.constant != nil, graph.instruction(right)?.constant == nil {
            var exchanged = condition(comparison.condition.exchanged, right, left)
            exchanged.is64 = !options.isa.hasJump32
            return exchanged
        }
        return condition(comparison.condition, left, right)
    }

    /// A comparison of two numbers of 32 bits, which registers hold with their upper halves 0.
    private mutating func condition(_ comparison: JumpCondition, _ left: Value, _ right: Value) -> MachineCondition {
        let is64 = !options.isa.hasJump32
        let leftRegister = operand(left)
        // A constant is sign-extended to the width of the comparison.
        if let constant = graph.instruction(right)?.constant, !is64 || constant <= Int32.max {
            return MachineCondition(
                comparison: comparison, is64: is64, left: leftRegister, right: .constant(Int32(bitPattern: constant)))
        }
        return MachineCondition(
            comparison: comparison, is64: is64, left: leftRegister, right: .register(operand(right)))
    }
}
