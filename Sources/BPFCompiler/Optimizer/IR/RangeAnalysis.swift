/// What is known of every value of a graph from what computes it, whatever the branches on the way have shown.
struct RangeAnalysis {
    /// By value.
    private var ranges: [ValueRange]

    /// Finds the ranges of the values that stand in reachable blocks. Parameters of loops are unknown but for what
    /// `known` says of them.
    ///
    /// - Complexity: O(*n*) in the number of values and edges.
    init(_ graph: Graph, _ known: [Value: ValueRange] = [:]) {
        let order = DominatorTree(graph).order
        var places = [Int](repeating: .max, count: graph.blocks.count)
        for (place, id) in order.enumerated() { places[id.number] = place }
        ranges = Array(repeating: .unknown, count: graph.definitions.count)
        var incoming = [ValueRange?](repeating: nil, count: graph.definitions.count)
        for id in order {
            for edge in graph.blocks[id.number].terminator.edges where places[edge.target.number] <= places[id.number] {
                for parameter in graph.blocks[edge.target.number].parameters {
                    incoming[parameter.number] = known[parameter] ?? .unknown
                }
            }
        }
        for id in order {
            for parameter in graph.blocks[id.number].parameters {
                ranges[parameter.number] = incoming[parameter.number] ?? .unknown
            }
            for value in graph.blocks[id.number].instructions {
                ranges[value.number] = ValueRange(graph.instruction(value)!) { ranges[$0.number] }
            }
            for edge in graph.blocks[id.number].terminator.edges {
                for (parameter, argument) in zip(graph.blocks[edge.target.number].parameters, edge.arguments) {
                    let range = ranges[argument.number]
                    if known[parameter] != nil { continue }
                    incoming[parameter.number] = incoming[parameter.number]?.or(range) ?? range
                }
            }
        }
    }

    /// The number of values the graph had.
    var count: Int { ranges.count }

    /// What is known of `value`.
    subscript(value: Value) -> ValueRange { ranges[value.number] }
}
