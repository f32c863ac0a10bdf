import ExtendedBPF

extension Selector {
    /// Begins a round of the loop whose first block is `header`.
    mutating func beginRound(_ header: Graph.Block) {
        if hasMayGoto {
            // The verifier takes it that the loop may end here, and stops when a round starts like one before.
            jump(to: failureExit, if: .budgetIsUsedUp)
        } else {
            forgetParameters(of: header)
        }
    }

    /// Whether the verifier need not walk through every round.
    var hasMayGoto: Bool { options.loops(on: target.hook) == .leftToRun }

    /// Lets the verifier forget what it knows of the numbers that a loop starts a round with, but for the count.
    ///
    /// It walks through every round, and from each on as many ways as there are different states to start the next one
    /// with. Where all it knows is that there are numbers, all ways are one. It does not look through swaps of bytes
    /// before Linux 6.18, and later ones do no harm.
    private mutating func forgetParameters(of header: Graph.Block) {
        origin = header.origin
        for parameter in header.parameters.dropLast() {
            let register = register(of: parameter)
            append(.bigEndian(.r0, bits: 32), dst: register)
            append(.bigEndian(.r0, bits: 32), dst: register)
        }
    }

    /// Lets the verifier know nothing of what a loop's round starts with, so that it starts like all others: the packet's
    /// length, of which it knows nothing, is added and taken away again.
    mutating func forgetParameters(handedAlong edge: Edge) {
        let length = function.makeRegister()
        emitLength(into: length)
        for parameter in graph.blocks[edge.target.number].parameters {
            let register = register(of: parameter)
            append(.alu32(.add, .r0, .r0), dst: register, src: length)
            append(.alu32(.subtract, .r0, .r0), dst: register, src: length)
        }
    }
}
