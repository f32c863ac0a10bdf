import ClassicBPF
import ExtendedBPF

// Loops that a helper function runs.

/// What is known of the call of a loop, and of a round what it was called with.
struct LoopCall {
    /// The name of the function for a round.
    var roundName = ""
    /// The block that calls the helper function, where one does already.
    var block: Int?
    /// Where the memory that is shared begins: a distance from the frame pointer, in a round from ``register``.
    var place = 0
    /// In a round, what points to the memory that is shared.
    var register = MachineRegister.frame
}

extension SharedState {
    /// The bytes of memory it takes: the context's address and, each in eight bytes, the result and the numbers.
    var size: Int { 8 + 8 * (1 + count) }

    /// The place of a number in memory; that of the result is the first.
    ///
    /// In the upper half of eight bytes the verifier takes a number for any, unless it is 0. What it knew of another
    /// would make the next round one to be looked at anew.
    fileprivate static func offset(of place: Int) -> Int { 8 + 8 * place + 4 }
}

extension Selector {
    /// Finds a place for what loops share.
    mutating func reserveSharedState() {
        if let state = graph.loop { loopCall.place = function.reserveStack(state.size) }
    }

    /// Begins a round, and returns the register of the context.
    mutating func emitRoundPrologue() -> MachineRegister {
        loopCall.register = function.makeRegister()
        append(.move64(.r0, .r0), dst: loopCall.register, src: MachineRegister(.r2))
        let context = function.makeRegister()
        append(.load(.doubleword, .r0, .r0, 0), dst: context, src: loopCall.register)
        return context
    }

    /// Loads what a round has been handed.
    mutating func emitSharedNumbers() {
        guard graph.isRound else { return }
        for (place, parameter) in graph.blocks[0].parameters.enumerated() {
            append(
                .load(.word, .r0, .r0, Int16(SharedState.offset(of: place + 1))), dst: register(of: parameter),
                src: loopCall.register)
        }
    }

    /// Ends a block that hands `values` to a loop.
    mutating func emit(_ step: LoopStep, _ values: [Value]) {
        switch step {
        case .start:
            append(.store(.doubleword, .r0, Int16(loopCall.place), .r0), dst: .frame, src: context)
            share(graph.loop!.results == nil ? graph.failure : 0, at: 0)
            if options.kernel(for: target.hook) < .followedCalls {
                shareUnknown(values)
            } else {
                share(values, from: 1)
            }
            end(with: .jump(loopBlock))
        case .next:
            share(values, from: 1)
            end(with: .jump(exit(with: 0)))
        case .end:
            share(values, from: 0)
            end(with: .jump(failureExit))
        }
    }

    private mutating func share(_ values: [Value], from first: Int) {
        let parameters = graph.isRound ? graph.blocks[0].parameters : []
        for (place, value) in zip(first..., values) {
            // What has not changed is there already.
            if place > 0, parameters.indices.contains(place - 1), parameters[place - 1] == value { continue }
            if let constant = graph.instruction(value)?.constant {
                share(constant, at: place)
            } else {
                append(
                    .store(.word, .r0, Int16(loopCall.place + SharedState.offset(of: place)), .r0),
                    dst: loopCall.register, src: register(of: value))
            }
        }
    }

    /// Shares the numbers that a loop begins with, and lets the verifier know nothing of them.
    ///
    /// Before Linux 6.7 it looks at a round with what the first one gets only, and takes for never reached what that
    /// does not lead to. It does not look through swaps of bytes, and of constants it remembers none but 0.
    private mutating func shareUnknown(_ values: [Value]) {
        for (place, value) in zip(1..., values) {
            let constant = graph.instruction(value)?.constant
            if let constant, constant != 0 {
                share(constant, at: place)
                continue
            }
            let register = function.makeRegister()
            if constant != nil {
                append(.move32(.r0, 0), dst: register)
            } else {
                append(.move32(.r0, .r0), dst: register, src: self.register(of: value))
                append(.bigEndian(.r0, bits: 32), dst: register)
            }
            append(.bigEndian(.r0, bits: 32), dst: register)
            append(
                .store(.word, .r0, Int16(loopCall.place + SharedState.offset(of: place)), .r0),
                dst: loopCall.register, src: register)
        }
    }

    private mutating func share(_ number: UInt32, at place: Int) {
        append(
            .store(.word, .r0, Int16(loopCall.place + SharedState.offset(of: place)), Int32(bitPattern: number)),
            dst: loopCall.register)
    }

    /// The block that lets a helper function run the loop, and ends with what that leaves.
    private var loopBlock: Int {
        mutating get {
            if let block = loopCall.block { return block }
            let block = function.makeBlock()
            loopCall.block = block
            inBlock(block) { $0.emitLoop() }
            return block
        }
    }

    /// `bpf_loop(rounds, function, shared, 0)`
    private mutating func emitLoop() {
        let state = graph.loop!
        append(.move32(.r0, UInt32(state.rounds)), dst: MachineRegister(.r1))
        append(.loadAddress(.r0, ofLocalAt: 0), dst: MachineRegister(.r2), .function(loopCall.roundName))
        append(.move64(.r0, .r0), dst: MachineRegister(.r3), src: .frame)
        append(.alu64(.add, .r0, Int32(loopCall.place)), dst: MachineRegister(.r3))
        append(.move32(.r0, 0), dst: MachineRegister(.r4))
        appendCall(HelperFunction.loop.rawValue, arguments: 4)
        let place = Int16(loopCall.place + SharedState.offset(of: 0))
        guard let results = state.results else {
            append(.load(.word, .r0, .r0, place), dst: .result, src: .frame)
            return end(with: .exit)
        }
        let result = function.makeRegister()
        append(.load(.word, .r0, .r0, place), dst: result, src: .frame)
        setResult(graph.failure)
        for (number, known) in results.enumerated() {
            let end = exit(with: known)
            jump(
                to: end,
                if: MachineCondition(
                    comparison: .equal, is64: !options.isa.hasJump32, left: result, right: .constant(Int32(number + 1)))
            )
        }
        end(with: .jump(failureExit))
    }
}
