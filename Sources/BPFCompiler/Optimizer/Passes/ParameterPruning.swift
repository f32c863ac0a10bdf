/// Takes out parameters for which every way brings the same value, or which nothing reads.
///
/// The graph builder makes a parameter wherever two ways differ in a cell, whether or not the cell is read later.
enum ParameterPruning: Pass {
    static let name = "parameters"

    static func run(on graph: inout Graph) -> [String] {
        var removed = 0
        while graph.blocks.contains(where: { !$0.parameters.isEmpty }) {
            let count = removeRepeating(from: &graph) + removeUnread(from: &graph)
            if count == 0 { break }
            removed += count
        }
        return removed == 0 ? [] : ["took out \(removed) parameters"]
    }

    /// A parameter that is always given the same value, or itself, is that value.
    private static func removeRepeating(from graph: inout Graph) -> Int {
        let incoming = arguments(in: graph)
        var replacements = Replacements(in: graph)
        for id in DominatorTree(graph).order {
            for (place, parameter) in graph.blocks[id.number].parameters.enumerated() {
                if let value = onlyValue(of: parameter, place, incoming[id.number], replacements) {
                    replacements.replace(parameter, by: value)
                }
            }
        }
        remove(from: &graph) { replacements[$0] != nil }
        graph.replaceUses(replacements)
        return replacements.count
    }

    /// The one value but itself that all ways bring for `parameter`, the one at `place`, or nil.
    private static func onlyValue(
        of parameter: Value, _ place: Int, _ ways: [[Value]], _ replacements: Replacements
    ) -> Value? {
        var only: Value?
        for way in ways {
            let value = replacements.final(way[place])
            if value == parameter || value == only { continue }
            if only != nil { return nil }
            only = value
        }
        return only
    }

    private static func removeUnread(from graph: inout Graph) -> Int {
        // What is read only to be handed to an unread parameter is not read: start from real uses, follow them back.
        let incoming = arguments(in: graph)
        var places = [Int](repeating: -1, count: graph.definitions.count)
        var parameters = 0
        var pending: [Value] = []
        let reachable = graph.reachableBlocks
        // Those of the entry have their places in memory.
        for id in reachable where id != .entry {
            for (place, parameter) in graph.blocks[id.number].parameters.enumerated() {
                places[parameter.number] = place
                parameters += 1
            }
        }
        for id in reachable {
            for value in graph.blocks[id.number].instructions {
                for operand in graph.instruction(value)!.operands { pending.append(operand) }
            }
            for operand in graph.blocks[id.number].terminator.operands { pending.append(operand) }
            pending += graph.blocks[id.number].terminator.shared
        }
        var read = ValueSet(in: graph)
        while let value = pending.popLast() {
            guard places[value.number] >= 0, case .parameter(let block) = graph.definitions[value.number],
                read.insert(value)
            else { continue }
            for way in incoming[block.number] { pending.append(way[places[value.number]]) }
        }
        remove(from: &graph) { places[$0.number] >= 0 && !read.contains($0) }
        return parameters - read.count
    }

    /// By block that has parameters, the arguments of each edge to it.
    private static func arguments(in graph: Graph) -> [[[Value]]] {
        var result = [[[Value]]](repeating: [], count: graph.blocks.count)
        for id in graph.reachableBlocks {
            for edge in graph.blocks[id.number].terminator.edges where !edge.arguments.isEmpty {
                result[edge.target.number].append(edge.arguments)
            }
        }
        return result
    }

    private static func remove(from graph: inout Graph, where isNeedless: (Value) -> Bool) {
        let kept = graph.blocks.map { block in
            block.parameters.indices.filter { !isNeedless(block.parameters[$0]) }
        }
        for number in graph.blocks.indices {
            graph.blocks[number].parameters = kept[number].map { graph.blocks[number].parameters[$0] }
            graph.blocks[number].terminator = graph.blocks[number].terminator.mapEdges { edge in
                if edge.arguments.isEmpty { return edge }
                return Edge(target: edge.target, arguments: kept[edge.target.number].map { edge.arguments[$0] })
            }
        }
    }
}
