import ExtendedBPF

extension Selector {
    /// Lets the verifier forget what it knows of the numbers that a loop starts a round with, but for the count.
    ///
    /// It walks through every round, and from each on as many ways as there are different states to start the next one
    /// with. Where all it knows is that there are numbers, all ways are one. It does not look through swaps of bytes.
    mutating func forgetParameters(of header: Graph.Block) {
        origin = header.origin
        for parameter in header.parameters.dropLast() {
            let register = register(of: parameter)
            append(.bigEndian(.r0, bits: 32), dst: register)
            append(.bigEndian(.r0, bits: 32), dst: register)
        }
    }
}
