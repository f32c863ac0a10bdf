/// Takes out parameters for which every way brings the same value, or which nothing reads.
///
/// The graph builder makes a parameter wherever two ways differ in a cell, whether or not the cell is read later.
enum ParameterPruning: Pass {
    static let name = "parameters"

    static func run(on graph: inout Graph) -> [String] {
        var removed = 0
        while true {
            let count = removeRepeating(from: &graph) + removeUnread(from: &graph)
            if count == 0 { break }
            removed += count
        }
        return removed == 0 ? [] : ["took out \(removed) parameters"]
    }

    /// A parameter that is always given the same value, or itself, is that value.
    private static func removeRepeating(from graph: inout Graph) -> Int {
        let incoming = arguments(in: graph)
        var replacements: [Value: Value] = [:]
        func final(_ value: Value) -> Value {
            var value = value
            while let next = replacements[value] { value = next }
            return value
        }
        for id in DominatorTree(graph).order {
            for (place, parameter) in graph.blocks[id.number].parameters.enumerated() {
                let values = Set(incoming[id.number].map { final($0[place]) }).subtracting([parameter])
                if values.count == 1 { replacements[parameter] = values.first! }
            }
        }
        remove(Set(replacements.keys), from: &graph)
        graph.replaceUses(replacements)
        return replacements.count
    }

    private static func removeUnread(from graph: inout Graph) -> Int {
        // What is read only to be handed to an unread parameter is not read: start from real uses, follow them back.
        let incoming = arguments(in: graph)
        var places: [Value: (block: BlockID, place: Int)] = [:]
        var pending: [Value] = []
        for id in DominatorTree(graph).order {
            let block = graph.blocks[id.number]
            for (place, parameter) in block.parameters.enumerated() { places[parameter] = (id, place) }
            pending += block.instructions.flatMap { graph.instruction($0)!.operands } + block.terminator.operands
        }
        var read: Set<Value> = []
        while let value = pending.popLast() {
            guard let (block, place) = places[value], read.insert(value).inserted else { continue }
            pending += incoming[block.number].map { $0[place] }
        }
        let unread = Set(places.keys).subtracting(read)
        remove(unread, from: &graph)
        return unread.count
    }

    /// By block, the arguments of each edge to it.
    private static func arguments(in graph: Graph) -> [[[Value]]] {
        var result = [[[Value]]](repeating: [], count: graph.blocks.count)
        for id in graph.reachableBlocks {
            for edge in graph.blocks[id.number].terminator.edges {
                result[edge.target.number].append(edge.arguments)
            }
        }
        return result
    }

    private static func remove(_ parameters: Set<Value>, from graph: inout Graph) {
        guard !parameters.isEmpty else { return }
        let kept = graph.blocks.map { block in
            block.parameters.indices.filter { !parameters.contains(block.parameters[$0]) }
        }
        for number in graph.blocks.indices {
            graph.blocks[number].parameters = kept[number].map { graph.blocks[number].parameters[$0] }
            graph.blocks[number].terminator = graph.blocks[number].terminator.mapEdges { edge in
                Edge(target: edge.target, arguments: kept[edge.target.number].map { edge.arguments[$0] })
            }
        }
    }
}
