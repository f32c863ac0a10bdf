@testable import BPFCompiler
import BPFInterpreter
import ClassicBPF
import Pcap
import TestSupport
import Testing

/// Every pass alone and all together leave what a filter decides as it is: the graph against the classic machine.
@Suite struct OptimizerTests {
    /// No pass, each pass, and all of them.
    static let selections: [[String]] = [[]] + Optimizer.passNames.map { [$0] } + [Optimizer.passNames]

    @Test(arguments: selections)
    func randomFiltersDecideAsBefore(passes: [String]) throws {
        var generator = SeededGenerator()
        let maker = RandomProgram(allowing: Set(Extension.allCases))
        for _ in 0..<200 {
            let filter = maker.next(using: &generator)
            let graph = Optimizer(passes: passes).optimize(filter).graph
            #expect(GraphVerifier.problem(in: graph) == nil)
            for _ in 0..<3 {
                var packet = Packet(ethernet: randomPacket(using: &generator))
                if generator.chance(80) { packet.metadata.interface = .init(index: 3) }
                packet.metadata.mark = generator.interestingNumber()
                packet.metadata.hash = generator.interestingNumber()
                let expected = try ClassicMachine().run(filter, on: packet)
                #expect(try GraphEvaluator.run(graph, on: packet) == expected, "\(filter.instructions) on \(packet)")
            }
        }
    }

    @Test(arguments: selections)
    func theCorpusDecidesAsBefore(passes: [String]) throws {
        for (name, filter) in Corpus.programs {
            let graph = Optimizer(passes: passes).optimize(filter).graph
            for frame in ["tcp syn to 80", "ipv6 udp to 53", "arp request", "stp"] {
                let packet = Packet(ethernet: Frames.named(frame).bytes)
                let expected = try ClassicMachine().run(filter, on: packet)
                #expect(try GraphEvaluator.run(graph, on: packet) == expected, "\(name) on \(frame)")
            }
        }
    }

    /// Loops, which only libpcap's rules allow, are graphs too: the programs of `protochain`.
    @Test(arguments: Corpus.loops)
    func loopsDecideAsBefore(expression: CorpusExpression) throws {
        let filter = try ExpressionCompiler(linkType: LinkType(expression.linkType)).compile(expression.text)
        let before = GraphBuilder.build(filter)
        #expect(GraphVerifier.problem(in: before) == nil)
        let after = Optimizer().optimize(filter).graph
        for frame in Frames.all {
            let packet = Packet(ethernet: frame.bytes)
            let expected = try ClassicMachine(maximumSteps: 100_000).run(filter, on: packet)
            #expect(try GraphEvaluator.run(before, on: packet) == expected, "\(frame)")
            #expect(try GraphEvaluator.run(after, on: packet) == expected, "\(frame)")
        }
    }
}
