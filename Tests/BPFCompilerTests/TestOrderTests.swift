@testable import BPFCompiler
import BPFInterpreter
import ClassicBPF
import Pcap
import TestSupport
import Testing

/// In which order tests are asked, as text worked out by hand, and that no answer depends on it.
@Suite struct TestOrderTests {
    private func graph(_ expression: String) throws -> Graph {
        let filter = try ExpressionCompiler(linkType: LinkType("EN10MB")).compile(expression)
        return Optimizer(passes: Optimizer.passNames).optimize(filter).graph
    }

    private func text(_ graph: Graph) -> String {
        #expect(GraphVerifier.problem(in: graph) == nil)
        return GraphPrinter.text(graph)
    }

    /// The address, of which one in many packets has the right one, costs less than the port behind IPv4's header.
    @Test func whatIsCheapAndRareComesFirst() throws {
        var graph = try graph("tcp dst port 443 and dst host 10.0.0.1")
        #expect(text(graph).contains("b1:\n  require byte packet[23]"))
        #expect(TestOrder.run(on: &graph).first == "asked the cheap and rare first in 1 rows of tests")
        #expect(
            text(graph).hasPrefix(
                """
                b0:
                  require half packet[12]
                  %0 = half packet[12]
                  if %0 == 0x800 goto b4 else b6
                b1:
                  require byte packet[23]
                """))
        #expect(
            text(graph).contains(
                """
                b4:
                  require word packet[30]
                  %7 = word packet[30]
                  if %7 == 0xa000001 goto b1 else b6
                """))
    }

    /// One of three tags in front of a type: that is asked first, though it stands behind them.
    @Test func partsOfSeveralBlocksMoveWhole() throws {
        var graph = try graph("vlan and ip")
        #expect(!TestOrder.run(on: &graph).isEmpty)
        #expect(
            text(graph).hasPrefix(
                """
                b0:
                  require half packet[16]
                  %0 = half packet[16]
                  if %0 == 0x800 goto b5 else b4
                """))
        #expect(TestOrder.run(on: &graph).isEmpty, "once is enough")
    }

    /// What reads a number of an earlier test stays behind it.
    @Test func whatReadsAnEarlierNumberStays() throws {
        let filter: [Operation] = [
            .loadIndex(.headerLength(14)), .load(.indirect(.word, 20)), .store(0), .arithmetic(.and, .constant(3)),
            .branch(.greater, .constant(1), jt: 0, jf: 3), .load(.memory(0)),
            .branch(.equal, .constant(0x1234_5678), jt: 0, jf: 1), .result(.constant(1)), .result(.constant(0)),
        ]
        var graph = try Optimizer().optimize(Program(filter.map { Instruction($0) })).graph
        #expect(text(graph).contains("== 0x12345678"))
        #expect(TestOrder.run(on: &graph).isEmpty)
    }

    /// What has made sure of a load's bytes may come behind it then.
    @Test func whatMovesIsRequiredAnew() throws {
        var graph = try graph("tcp dst port 443 and dst host 10.0.0.1")
        let load = Graph.Instruction.load(.word, Graph.Address(index: nil, offset: 30))
        let type = Graph.Instruction.load(.byte, Graph.Address(index: nil, offset: 23))
        func block(_ instruction: Graph.Instruction) throws -> Int {
            try #require(
                graph.blocks.indices.first { block in
                    graph.blocks[block].instructions.contains { graph.instruction($0) == instruction }
                })
        }
        // As if the address had been asked for where the protocol is.
        let requirement = graph.blocks[try block(load)].instructions.remove(at: 0)
        #expect(graph.instruction(requirement)?.isRequirement == true)
        graph.blocks[try block(type)].instructions.append(requirement)
        #expect(text(graph).components(separatedBy: "require word packet[30]").count == 2)
        #expect(!TestOrder.run(on: &graph).isEmpty)
        #expect(text(graph).contains("if %0 == 0x800 goto b4 else b6"))
        #expect(text(graph).contains("b4:\n  require word packet[30]\n"))
    }

    /// A packet without an interface ends this filter with another number, whatever is asked behind that.
    @Test func nothingPassesAnotherEnd() throws {
        let filter: [Operation] = [
            .load(.absolute(.half, 60)), .branch(.anyBitSet, .constant(1), jt: 0, jf: 4),
            .load(.extension(.hatype)), .branch(.equal, .constant(1), jt: 0, jf: 2), .load(.absolute(.word, 26)),
            .branch(.equal, .constant(1), jt: 1, jf: 0), .result(.constant(0)), .result(.constant(1)),
        ]
        var graph = try Optimizer().optimize(Program(filter.map { Instruction($0) })).graph
        InterfaceLowering.run(on: &graph)
        #expect(TestOrder.run(on: &graph).first == "asked the cheap and rare first in 1 rows of tests")
        #expect(
            text(graph).hasPrefix(
                """
                b0:
                  require half packet[60]
                  %0 = half packet[60]
                  if %0 & 1 goto b1 else b3
                b1:
                  %1 = ifidx
                  if %1 == 0 goto b5 else b2
                b2:
                  require word packet[26]
                """))
    }

    /// `portrange` over IPv4 and IPv6 shares the second bound of the second port; the first is asked there, too.
    @Test func sharedTestsAreAskedWhereTheyAreShared() throws {
        var graph = try graph("portrange 1000-2000")
        #expect(text(graph).contains("if %10 >= 0x3e8 goto b15(%10) else b17"))
        #expect(CommonTests.run(on: &graph) == ["made the tests in front of 1 blocks part of them"])
        #expect(
            text(graph).contains("b14:\n  require half packet[%8 + 16]\n  %10 = half packet[%8 + 16]\n  goto b15(%10)"))
        #expect(Ranges.run(on: &graph) == ["made 3 comparisons part of others"])
    }

    /// IPv4 before IPv6, TCP before UDP before SCTP; libpcap has it the other way round.
    @Test func whatIsLikelyComesFirst() throws {
        var graph = try graph("port 80")
        #expect(EqualityChains.run(on: &graph) == ["put what is likely first in 3 chains of equalities"])
        _ = BlockMerging.run(on: &graph)
        #expect(text(graph).hasPrefix("b0:\n  require half packet[12]\n  %0 = half packet[12]\n  if %0 == 0x800 goto"))
    }

    private static let primitives = [
        "ip", "ip6", "tcp", "udp", "vlan", "port 53", "dst host 10.0.0.1", "net 10.0.0.0/8", "ether src 2:0:0:0:0:1",
        "ip[8] > 5", "udp[4:2] & 3 != 0", "greater 60", "portrange 20-90", "icmp or udp", "ip[2:2] - ip[6:2] > 40",
    ]

    /// Expressions of many parts decide as before, whatever the order.
    @Test func noAnswerDependsOnTheOrder() throws {
        var generator = SeededGenerator()
        var changed = 0
        for _ in 0..<300 {
            let parts = (0..<Int.random(in: 2...4, using: &generator)).map { _ in
                (generator.chance(20) ? "not " : "") + "(\(generator.pick(Self.primitives)))"
            }
            let expression = parts.joined(separator: generator.chance(70) ? " and " : " or ")
            // Some contradict themselves, which libpcap says.
            guard let before = try? graph(expression) else { continue }
            var after = before
            let notes = TestOrder.run(on: &after) + CommonTests.run(on: &after) + EqualityChains.run(on: &after)
            if notes.isEmpty { continue }
            changed += 1
            #expect(GraphVerifier.problem(in: after) == nil)
            for _ in 0..<8 {
                let packet = Packet(ethernet: randomPacket(using: &generator))
                let expected = try GraphEvaluator.run(before, on: packet)
                #expect(try GraphEvaluator.run(after, on: packet) == expected, "\(expression) on \(packet)")
            }
        }
        #expect(changed > 50, "of 300 expressions")
    }
}
