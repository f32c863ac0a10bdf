import ClassicBPF

/// Makes one value of those that are computed the same way, and one requirement of the same ones, where the first
/// stands on every way to the others.
///
/// Packets do not change while a filter runs, so this holds for loads too.
enum ValueNumbering: Pass {
    static let name = "numbering"

    static func run(on graph: inout Graph) -> [String] {
        let tree = DominatorTree(graph)
        let children = tree.children
        var replacements = Replacements(in: graph)
        var known: [Graph.Instruction: Value] = [:]
        // Down the dominator tree and back up, without recursion; `added` is what a block has made known.
        var pending: [(block: BlockID, isDone: Bool)] = [(.entry, false)]
        var added = [[Graph.Instruction]](repeating: [], count: graph.blocks.count)
        while let (block, isDone) = pending.popLast() {
            if isDone {
                for instruction in added[block.number] { known[instruction] = nil }
                continue
            }
            pending.append((block, true))
            for value in graph.blocks[block.number].instructions {
                let instruction = graph.instruction(value)!.mapOperands { replacements[$0] ?? $0 }.canonical
                guard instruction.isRepeatable else { continue }
                if let first = known[instruction] {
                    replacements.replace(value, by: first)
                } else {
                    known[instruction] = value
                    added[block.number].append(instruction)
                }
            }
            pending += children[block.number].reversed().map { ($0, false) }
        }
        guard !replacements.isEmpty else { return [] }
        for number in graph.blocks.indices {
            graph.blocks[number].instructions.removeAll { replacements[$0] != nil }
        }
        graph.replaceUses(replacements)
        return ["found \(replacements.count) values known already"]
    }
}

extension Graph.Instruction {
    /// The same instruction with the operands of a commutative operator in a fixed order.
    fileprivate var canonical: Graph.Instruction {
        guard case .arithmetic(let op, let left, let right) = self, left.number > right.number,
            [.add, .multiply, .or, .and, .xor].contains(op)
        else { return self }
        return .arithmetic(op, right, left)
    }
}
