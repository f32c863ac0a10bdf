/// Checks that a graph is one: what a pass leaves wrong is found right behind it.
enum GraphVerifier {
    /// The first thing that is wrong with `graph`, or nil.
    ///
    /// - Complexity: O(*n* *d*) in the number of uses and the depth of the dominator tree.
    static func problem(in graph: Graph) -> String? {
        let tree = DominatorTree(graph)
        var homes: [Value: (block: BlockID, place: Int)] = [:]
        for id in tree.order {
            let block = graph.blocks[id.number]
            for value in block.parameters {
                guard graph.definitions[value.number] == .parameter(of: id) else {
                    return "\(value) is no parameter of \(id)"
                }
                guard homes.updateValue((id, -1), forKey: value) == nil else { return "\(value) stands twice" }
            }
            for (place, value) in block.instructions.enumerated() {
                guard graph.instruction(value) != nil else { return "\(value) in \(id) is no instruction" }
                guard homes.updateValue((id, place), forKey: value) == nil else { return "\(value) stands twice" }
            }
        }
        for id in tree.order {
            if let problem = problem(with: id, in: graph, tree, homes) { return problem }
        }
        return nil
    }

    private static func problem(
        with id: BlockID, in graph: Graph, _ tree: DominatorTree, _ homes: [Value: (block: BlockID, place: Int)]
    ) -> String? {
        let block = graph.blocks[id.number]
        func isReadable(_ value: Value, at place: Int) -> Bool {
            guard let home = homes[value], graph.instruction(value)?.isRequirement != true else { return false }
            return home.block == id ? home.place < place : tree.dominates(home.block, id)
        }
        for (place, value) in block.instructions.enumerated() {
            for operand in graph.instruction(value)!.operands where !isReadable(operand, at: place) {
                return "\(value) in \(id) reads \(operand), which need not be there"
            }
        }
        let end = block.instructions.count
        for operand in block.terminator.operands where !isReadable(operand, at: end) {
            return "the end of \(id) reads \(operand), which need not be there"
        }
        for value in block.terminator.shared where !isReadable(value, at: end) {
            return "\(id) hands on \(value), which need not be there"
        }
        for edge in block.terminator.edges {
            guard edge.arguments.count == graph.blocks[edge.target.number].parameters.count else {
                return "\(id) gives \(edge.arguments.count) arguments to \(edge.target)"
            }
            for argument in edge.arguments where !isReadable(argument, at: end) {
                return "\(id) passes on \(argument), which need not be there"
            }
        }
        return block.terminator == .unreachable ? "\(id) has no end" : nil
    }
}
