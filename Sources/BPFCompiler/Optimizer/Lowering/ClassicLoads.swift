import ClassicBPF

/// Leaves loads to the kernel's own instruction for classic loads, which is their requirement as well.
enum ClassicLoads {
    /// - Parameter isLeft: Whether a load is left to it.
    /// - Returns: Whether a load stands apart from its requirement, so that there are now two where one would do.
    static func run(
        on graph: inout Graph, _ permit: EndingPermit,
        where isLeft: (Operation.Size, Graph.Address) -> Bool = { _, _ in true }
    ) -> Bool {
        var areApart = false
        for number in graph.blocks.indices {
            var kept: [Value] = []
            for value in graph.blocks[number].instructions {
                switch graph.instruction(value) {
                case .requireBytes(let size, let address) where isLeft(size, address):
                    graph.redefine(value, as: .classicLoad(size, address, by: .instruction(permit)))
                case .load(let size, let address) where isLeft(size, address):
                    graph.redefine(value, as: .classicLoad(size, address, by: .instruction(permit)))
                    // The load right behind becomes both, so that what reads it need not be told.
                    if let last = kept.last, graph.instruction(last) == graph.instruction(value) {
                        kept.removeLast()
                    } else {
                        areApart = true
                    }
                default: break
                }
                kept.append(value)
            }
            graph.blocks[number].instructions = kept
        }
        return areApart
    }
}
