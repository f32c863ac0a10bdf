import ClassicBPF

/// How far numbers can grow in loops: where each round adds no more than so much, as many rounds add that many times.
enum LoopRanges {
    /// The ranges of the values of `graph`, with what the rounds of its loops say of their parameters.
    ///
    /// - Complexity: O(*n*) in the number of values and edges, for each loop.
    static func analysis(of graph: Graph) -> RangeAnalysis {
        let ranges = RangeAnalysis(graph)
        guard !graph.rounds.isEmpty else { return ranges }
        let tree = DominatorTree(graph)
        var known: [Value: ValueRange] = [:]
        for (header, rounds) in graph.rounds {
            for parameter in graph.blocks[header.number].parameters {
                known[parameter] = range(of: parameter, in: header, rounds, graph, tree, ranges)
            }
        }
        return RangeAnalysis(graph, known)
    }

    /// The range of a loop's parameter, or nil where that is not known.
    private static func range(
        of parameter: Value, in header: BlockID, _ rounds: Int, _ graph: Graph, _ tree: DominatorTree,
        _ ranges: RangeAnalysis
    ) -> ValueRange? {
        let place = graph.blocks[header.number].parameters.firstIndex(of: parameter)!
        let growth = growth(from: parameter, graph, tree, ranges)
        // What rounds start from without regard to the one before, and what they add to that.
        var (start, step) = (0, 0)
        for id in tree.order {
            for edge in graph.blocks[id.number].terminator.edges where edge.target == header {
                let argument = edge.arguments[place]
                if let added = growth[argument.number] {
                    step = max(step, added)
                } else {
                    start = max(start, Int(ranges[argument].bounds.upperBound))
                }
            }
        }
        // One step more than there are rounds, so that what is computed in the last does not wrap either.
        let (sum, overflows) = step.multipliedReportingOverflow(by: rounds + 1)
        guard !overflows, let end = UInt32(exactly: start + sum) else { return nil }
        return ValueRange(0...end)
    }

    /// By value, how much more than `parameter` it is at most, for values that are it and something added; by their
    /// numbers. Holds where that does not exceed 32 bits.
    private static func growth(
        from parameter: Value, _ graph: Graph, _ tree: DominatorTree, _ ranges: RangeAnalysis
    ) -> [Int: Int] {
        var growth = [parameter.number: 0]
        for id in tree.order {
            for value in graph.blocks[id.number].instructions {
                guard case .arithmetic(.add, let left, let right)? = graph.instruction(value) else { continue }
                switch (growth[left.number], growth[right.number]) {
                case (let added?, nil): growth[value.number] = added + Int(ranges[right].bounds.upperBound)
                case (nil, let added?): growth[value.number] = added + Int(ranges[left].bounds.upperBound)
                default: break
                }
            }
        }
        return growth
    }
}
