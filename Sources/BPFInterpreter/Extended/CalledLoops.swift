import ExtendedBPF

// Loops that a helper function runs. Source: bpf-helpers(7), `bpf_loop`.

/// A loop of which a round is running.
struct CalledLoop {
    /// Where a round starts.
    var code: (function: Int, slot: Int)
    /// What each round gets a pointer to.
    var shared: UInt64
    /// The round's number, counted from 0.
    var round: UInt32
    /// The most rounds there are.
    var count: UInt32
}

extension ExtendedState {
    /// The most rounds (`BPF_MAX_LOOPS`).
    private static let mostRounds: UInt32 = 8 << 20

    /// What a wide instruction that stands for a function of the program gives, or nil for another one.
    func functionAddress(_ instruction: Instruction, _ reference: Reference?) throws(Trap.Reason) -> UInt64? {
        if case .function(let name)? = reference {
            guard let function = code.firstIndex(where: { $0.name == name }) else {
                throw .unknownFunction(name: name)
            }
            return AddressSpace.code(of: function, at: 0)
        }
        guard reference == nil, instruction.srcReg.rawValue == WideKind.localFunction.rawValue else { return nil }
        // In a linked program the distance counts from behind the instruction's first slot.
        return AddressSpace.code(of: frame.function, at: frame.slot - 1 + Int(instruction.imm))
    }

    /// `bpf_loop(nr_loops, callback_fn, callback_ctx, flags)`
    mutating func beginLoop() throws(Trap.Reason) {
        let count = UInt32(truncatingIfNeeded: try read(.r1))
        guard let start = AddressSpace.code(at: try read(.r2)), code.indices.contains(start.function),
            code[start.function].index(at: start.slot) != nil
        else { throw .notAFunction(.r2) }
        let (shared, flags) = (try read(.r3), try read(.r4))
        if flags != 0 || count > Self.mostRounds || count == 0 {
            destroyArguments()
            // −EINVAL, −E2BIG
            return try write(.r0, UInt64(bitPattern: flags != 0 ? -22 : count == 0 ? 0 : -7))
        }
        try beginRound(CalledLoop(code: start, shared: shared, round: 0, count: count))
    }

    private mutating func beginRound(_ loop: CalledLoop) throws(Trap.Reason) {
        try enter(loop.code.function, at: loop.code.slot)
        frame.registers.replaceSubrange(1...5, with: [UInt64(loop.round), loop.shared, nil, nil, nil])
        frame.loop = loop
    }

    /// Goes on with the next round, or behind the loop.
    mutating func endRound(of loop: CalledLoop, with result: UInt64) throws(Trap.Reason) -> UInt64? {
        frames.removeLast()
        var next = loop
        next.round += 1
        if result == 0, next.round < loop.count {
            try beginRound(next)
        } else {
            destroyArguments()
            try write(.r0, UInt64(next.round))
        }
        return nil
    }
}
