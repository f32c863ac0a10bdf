import ClassicBPF

/// Makes one test of those at the end of several blocks that ask the same of what they then hand to the same block.
///
///     b: if a == 1 goto t else d(a)        b: goto d'(a)
///     c: if e == 1 goto t else d(e)        c: goto d'(e)
///                                          d'(v): if v == 1 goto t else d(v)
///
/// What a chain of tests begins with so comes to stand with the rest of it: libpcap shares all of it but the first.
enum CommonTests {
    static func run(on graph: inout Graph) -> [String] {
        let predecessors = graph.predecessors
        let tree = DominatorTree(graph)
        var count = 0
        // Later blocks first, for what is shared with those in front of them may be shared further up.
        for id in tree.order.reversed() where !graph.blocks[id.number].parameters.isEmpty {
            let ways = predecessors[id.number]
            guard ways.count > 1, Set(ways).count == ways.count, !ways.contains(where: { tree.dominates(id, $0) }),
                let test = commonTest(at: ways, before: id, in: graph)
            else { continue }
            sink(test, from: ways, into: id, of: &graph)
            count += 1
        }
        return count == 0 ? [] : ["made the tests in front of \(count) blocks part of them"]
    }

    /// A test of a parameter-to-be.
    private struct Test: Hashable {
        var comparison: Operation.Comparison
        /// Which of the block's parameters is compared.
        var place: Int
        var number: UInt32
        /// Whether the way to the block is the one where the comparison holds.
        var isTaken: Bool
        /// Where the other way leads.
        var other: BlockID
    }

    private static func commonTest(at ways: [BlockID], before id: BlockID, in graph: Graph) -> Test? {
        guard let first = test(at: ways[0], before: id, in: graph) else { return nil }
        return ways.dropFirst().allSatisfy { test(at: $0, before: id, in: graph) == first } ? first : nil
    }

    private static func test(at way: BlockID, before id: BlockID, in graph: Graph) -> Test? {
        guard
            case .branch(let comparison, let value, let right, let then, let otherwise) =
                graph.blocks[way.number].terminator,
            let number = graph.instruction(right)?.constant
        else { return nil }
        let isTaken = then.target == id
        let (edge, other) = isTaken ? (then, otherwise) : (otherwise, then)
        guard let place = edge.arguments.firstIndex(of: value), other.arguments.isEmpty else { return nil }
        return Test(comparison: comparison, place: place, number: number, isTaken: isTaken, other: other.target)
    }

    private static func sink(_ test: Test, from ways: [BlockID], into id: BlockID, of graph: inout Graph) {
        let origin = graph.blocks[ways[0].number].terminatorOrigin ?? graph.blocks[ways[0].number].origin
        for way in ways {
            let edge = graph.blocks[way.number].terminator.edges.first { $0.target == id }!
            graph.blocks[way.number].terminator = .jump(edge)
        }
        let rest = Edge(target: graph.split(id, at: 0))
        let number = graph.append(.constant(test.number), to: id, origin: origin)
        let other = Edge(target: test.other)
        graph.blocks[id.number].terminator = .branch(
            test.comparison, graph.blocks[id.number].parameters[test.place], number,
            then: test.isTaken ? rest : other, otherwise: test.isTaken ? other : rest)
        graph.blocks[id.number].terminatorOrigin = origin
    }
}
