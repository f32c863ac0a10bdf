@testable import BPFCompiler
import Testing

/// The verifier of graphs finds what a pass could leave wrong.
@Suite struct GraphVerifierTests {
    /// `b0: if length > 100 goto b1 else b2; b1: goto b3(1); b2: goto b3(2); b3(%p): return %p`
    private struct Diamond {
        var graph = Graph()
        let length, parameter, one, two: Value

        init() {
            graph.blocks = Array(repeating: Graph.Block(origin: 0), count: 4)
            length = graph.append(.length, to: .entry)
            let hundred = graph.append(.constant(100), to: .entry)
            one = graph.append(.constant(1), to: BlockID(number: 1))
            two = graph.append(.constant(2), to: BlockID(number: 2))
            parameter = graph.addParameter(to: BlockID(number: 3))
            graph.blocks[0].terminator = .branch(
                .greater, length, hundred, then: Edge(target: BlockID(number: 1)),
                otherwise: Edge(target: BlockID(number: 2)))
            graph.blocks[1].terminator = .jump(Edge(target: BlockID(number: 3), arguments: [one]))
            graph.blocks[2].terminator = .jump(Edge(target: BlockID(number: 3), arguments: [two]))
            graph.blocks[3].terminator = .return(parameter)
        }
    }

    private func problem(_ change: (inout Diamond) -> Void) -> String? {
        var diamond = Diamond()
        change(&diamond)
        return GraphVerifier.problem(in: diamond.graph)
    }

    @Test func aGraphIsFoundRight() {
        #expect(problem { _ in } == nil)
    }

    @Test func aValueMustBeThereOnEveryWay() {
        // `one` is computed on one of the two ways to b3 only.
        #expect(problem { $0.graph.blocks[3].terminator = .return($0.one) } != nil)
    }

    @Test func aValueMustBeComputedBeforeItIsRead() {
        #expect(
            problem {
                let sum = $0.graph.append(.arithmetic(.add, $0.length, $0.length), to: .entry)
                $0.graph.blocks[0].instructions.removeAll { $0 == sum }
                $0.graph.blocks[0].instructions.insert(sum, at: 0)
            } != nil)
    }

    @Test func aRequirementIsNoValue() {
        #expect(
            problem {
                let requirement = $0.graph.append(.requireNonzero($0.length), to: BlockID(number: 3))
                $0.graph.blocks[3].terminator = .return(requirement)
            } != nil)
    }

    @Test func edgesBringAnArgumentForEachParameter() {
        #expect(problem { $0.graph.blocks[1].terminator = .jump(Edge(target: BlockID(number: 3))) } != nil)
        #expect(problem { $0.graph.blocks[3].parameters = [] } != nil)
    }

    @Test func aValueStandsOnce() {
        #expect(problem { $0.graph.blocks[1].instructions.append($0.length) } != nil)
    }

    @Test func blocksHaveAnEnd() {
        #expect(problem { $0.graph.blocks[2].terminator = .unreachable } != nil)
    }
}
