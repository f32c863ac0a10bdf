@testable import BPFCompiler
import ClassicBPF
import Testing

/// What each lowering makes of a small filter, as text before and after, worked out by hand.
@Suite struct LoweringTests {
    private func graph(_ operations: [Operation], _ passes: String...) throws -> Graph {
        try Optimizer(passes: passes).optimize(Program(operations.map { Instruction($0) })).graph
    }

    private func text(_ graph: Graph) -> String {
        #expect(GraphVerifier.problem(in: graph) == nil)
        return GraphPrinter.text(graph)
    }

    private let limits = BoundsChecks.Limits(windowSize: 64, packetSize: .max, aligned: false)

    /// IPv4 asks for 24 bytes or returns 0, and so does every way on: 24 are asked for at once. The way that returns
    /// another number keeps the first check as it is.
    @Test func aCheckAsksForWhatEveryWayOnNeeds() throws {
        var matching = try graph(
            [
                .load(.absolute(.half, 12)), .branch(.equal, .constant(0x800), jt: 0, jf: 3),
                .load(.absolute(.byte, 23)), .branch(.equal, .constant(6), jt: 0, jf: 1), .result(.constant(1)),
                .result(.constant(0)),
            ], "parameters", "blocks", "dead")
        #expect(BoundsChecks.run(on: &matching, limits) == ["made 1 checks part of others"])
        #expect(
            text(matching) == """
                b0:
                  require packet[..<24]
                  %0 = half packet[12]
                  if %0 == 0x800 goto b1 else b3
                b1:
                  %1 = byte packet[23]
                  if %1 == 6 goto b2 else b3
                b2:
                  return 1
                b3:
                  return 0

                """)

        var other = try graph(
            [
                .load(.absolute(.half, 12)), .branch(.equal, .constant(0x800), jt: 0, jf: 2),
                .load(.absolute(.byte, 23)), .result(.a), .result(.constant(5)),
            ], "parameters", "blocks", "dead")
        #expect(BoundsChecks.run(on: &other, limits).isEmpty)
        #expect(text(other).contains("require packet[..<14]"))
        #expect(text(other).contains("require packet[..<24]"))
    }

    /// Loads behind one index are one window, loads far from each other are two.
    @Test func windowsHoldWhatIsNear() throws {
        var behind = try graph(
            [
                .loadIndex(.headerLength(14)), .load(.indirect(.half, 14)), .load(.indirect(.half, 16)), .result(.a),
            ], "parameters", "blocks", "dead")
        _ = BoundsChecks.run(on: &behind, limits)
        #expect(text(behind).contains("require packet[..<%2 + 18]"))
        #expect(!text(behind).contains("require packet[..<%2 + 16]"))

        var far = try graph([.load(.absolute(.byte, 0)), .load(.absolute(.byte, 1000)), .result(.a)], "blocks", "dead")
        _ = BoundsChecks.run(on: &far, limits)
        #expect(text(far).contains("require packet[..<1]\n  require packet[..<1001]"))
    }

    /// Words at 28 and 38 are not multiples of 4 from anywhere common.
    @Test func alignedWindowsHoldWhatIsAlignedTogether() throws {
        let filter: [Operation] = [
            .load(.absolute(.word, 26)), .load(.absolute(.word, 30)), .load(.absolute(.word, 28)), .result(.a),
        ]
        var aligned = try graph(filter, "blocks", "dead")
        _ = BoundsChecks.run(
            on: &aligned, BoundsChecks.Limits(windowSize: 64, packetSize: .max, aligned: true))
        #expect(Set(aligned.windows.values).count == 2)
        var free = try graph(filter, "blocks", "dead")
        _ = BoundsChecks.run(on: &free, limits)
        #expect(Set(free.windows.values).count == 1)
    }

    @Test func whatNoPacketHasFailsAtOnce() throws {
        var graph = try graph([.load(.absolute(.byte, 70_000)), .result(.constant(1))], "blocks", "dead")
        _ = BoundsChecks.run(
            on: &graph, BoundsChecks.Limits(windowSize: 64, packetSize: 0xffff, aligned: false))
        #expect(text(graph) == "b0:\n  return 0\n")
    }

    @Test func equalitiesAndMasksStayInNetworkOrder() throws {
        var graph = try graph(
            [
                .load(.absolute(.half, 12)), .branch(.equal, .constant(0x800), jt: 0, jf: 3),
                .load(.absolute(.half, 20)), .branch(.anyBitSet, .constant(0x1fff), jt: 1, jf: 0),
                .result(.constant(1)), .result(.constant(0)),
            ], "parameters", "blocks", "dead")
        #expect(NetworkOrder.run(on: &graph) == ["left 2 numbers in network order"])
        #expect(text(graph).contains("raw half packet[12]\n  if %0 == 8 goto"))
        #expect(text(graph).contains("raw half packet[20]\n  if %1 & 0xff1f goto"))
    }

    /// Order matters to a comparison, to arithmetic and to a result; then to all that meets the number.
    @Test(
        arguments: [
            [.branch(.greater, .constant(5), jt: 0, jf: 0), .result(.a)],
            [.arithmetic(.add, .constant(1)), .branch(.equal, .constant(5), jt: 0, jf: 0), .result(.constant(1))],
            [.branch(.equal, .constant(5), jt: 0, jf: 1), .result(.a), .result(.constant(1))],
            [.branch(.equal, .constant(0x10000), jt: 0, jf: 1), .result(.constant(2)), .result(.constant(1))],
        ] as [[Operation]])
    func whereOrderMattersItIsKept(rest: [Operation]) throws {
        var graph = try graph([.load(.absolute(.half, 12))] + rest)
        #expect(NetworkOrder.run(on: &graph).isEmpty)
        #expect(!text(graph).contains("raw"))
    }

    /// Fragment offset and protocol of an IPv4 header are within a word.
    @Test func testsOfOneWordBecomeOne() throws {
        var graph = try graph(
            [
                .load(.absolute(.byte, 23)), .branch(.equal, .constant(6), jt: 0, jf: 3),
                .load(.absolute(.half, 20)), .branch(.anyBitSet, .constant(0x1fff), jt: 1, jf: 0),
                .result(.constant(1)), .result(.constant(0)),
            ], "parameters", "blocks", "dead")
        _ = NetworkOrder.run(on: &graph)
        _ = BoundsChecks.run(on: &graph, limits)
        #expect(TestMerging.run(on: &graph) == ["made 1 tests part of others"])
        _ = DeadCode.run(on: &graph)
        #expect(
            text(graph) == """
                b0:
                  require packet[..<24]
                  %0 = raw word packet[20]
                  %1 = %0 & 0xff00ff1f
                  if %1 == 0x6000000 goto b1 else b2
                b1:
                  return 1
                b2:
                  return 0

                """)
    }

    /// Of a word only the first byte is asked about.
    @Test func loadsAreAsWideAsWhatIsLookedAt() throws {
        var graph = try graph(
            [
                .load(.absolute(.word, 26)), .arithmetic(.and, .constant(0xff00_0000)),
                .branch(.equal, .constant(0x0a00_0000), jt: 0, jf: 1), .result(.constant(1)), .result(.constant(0)),
            ], "parameters", "blocks", "dead")
        _ = NetworkOrder.run(on: &graph)
        _ = BoundsChecks.run(on: &graph, limits)
        _ = TestMerging.run(on: &graph)
        _ = DeadCode.run(on: &graph)
        #expect(text(graph).hasPrefix("b0:\n  require packet[..<30]\n  %0 = byte packet[26]\n  if %0 == 0xa goto"))
    }

    /// The block whose test becomes part of another's has loaded what is asked about later.
    @Test func whatAMergedTestLoadedStays() throws {
        var graph = try graph(
            [
                .load(.absolute(.byte, 23)), .branch(.equal, .constant(0x84), jt: 0, jf: 6),
                .load(.absolute(.half, 20)), .store(0), .load(.absolute(.byte, 26)),
                .branch(.equal, .constant(5), jt: 0, jf: 2), .load(.memory(0)),
                .branch(.anyBitSet, .constant(0x1fff), jt: 0, jf: 1), .result(.constant(0)), .result(.constant(1)),
            ], "parameters", "blocks", "dead")
        _ = NetworkOrder.run(on: &graph)
        _ = BoundsChecks.run(on: &graph, limits)
        #expect(TestMerging.run(on: &graph) == ["made 1 tests part of others"])
        _ = DeadCode.run(on: &graph)
        let text = text(graph)
        #expect(text.contains("raw half packet[20]"))
        #expect(text.contains("raw word packet[23]"))
    }

    @Test func aRangeIsOneComparison() throws {
        var graph = try graph(
            [
                .load(.absolute(.half, 36)), .branch(.greaterOrEqual, .constant(1000), jt: 0, jf: 2),
                .branch(.greater, .constant(2000), jt: 1, jf: 0), .result(.constant(1)), .result(.constant(0)),
            ], "parameters", "blocks", "dead")
        #expect(Ranges.run(on: &graph) == ["made 1 comparisons part of others"])
        #expect(text(graph).contains("%1 = %0 - 0x3e8\n  if %1 > 0x3e8 goto b2 else b1"))
    }

    /// 1 to 5 are a run, 20 to 40 lie within 32 of each other, 1000 is alone.
    @Test func chainsBecomeSearches() throws {
        let numbers: [UInt32] = [3, 1, 20, 22, 1000, 2, 24, 4, 26, 28, 40, 5]
        let chain: [Operation] = numbers.enumerated().map { place, number in
            .branch(.equal, .constant(number), jt: UInt8(numbers.count - place), jf: 0)
        }
        var graph = try graph(
            [.load(.length)] + chain + [.result(.constant(0)), .result(.constant(1))], "blocks", "dead")
        #expect(EqualityChains.run(on: &graph) == ["made searches of 1 chains of equalities"])
        _ = BlockMerging.run(on: &graph)
        _ = DeadCode.run(on: &graph)
        let text = text(graph)
        #expect(text.contains("%0 - 1\n  if %1 > 4 goto"))
        #expect(text.contains("%0 - 0x14\n  if %2 > 0x14 goto"))
        #expect(text.contains("0x100155 >> %2\n  if %3 & 1 goto"))
        #expect(text.contains("if %0 == 0x3e8 goto"))
        #expect(text.components(separatedBy: "if ").count - 1 == 4)
    }

    @Test func equalitiesThatDecideNothingGo() throws {
        let filter: [Operation] = [
            .load(.absolute(.half, 12)), .branch(.equal, .constant(0x86dd), jt: 2, jf: 0),
            .branch(.equal, .constant(0x800), jt: 0, jf: 1), .result(.constant(1)), .result(.constant(0)),
        ]
        let graph = try graph(filter, "redundant", "blocks", "dead")
        #expect(text(graph).components(separatedBy: "if ").count - 1 == 1)
        #expect(text(graph).contains("if %0 == 0x800 goto b1 else b2"))
    }

    /// A sum that can reach 2³¹ is looked for in the header areas: the link-layer header at 0, the network header at 14.
    @Test func addressesInAreasBecomePlain() throws {
        var constant = try graph([.load(.absolute(.byte, 0xfff0_0009)), .result(.a)])
        AddressLowering.run(on: &constant, .offsets(linkLayer: 0, network: 14))
        _ = Optimizer(passes: Optimizer.passNames).runPasses(on: &constant)
        #expect(text(constant) == "b0:\n  require byte packet[23]\n  %0 = byte packet[23]\n  return %0\n")

        var nowhere = try graph([.load(.absolute(.byte, 0x8000_0000)), .result(.constant(1))])
        AddressLowering.run(on: &nowhere, .offsets(linkLayer: 0, network: 14))
        _ = Optimizer(passes: Optimizer.passNames).runPasses(on: &nowhere)
        #expect(text(nowhere) == "b0:\n  return 0\n")

        var byInstruction = try graph([.load(.absolute(.byte, 0xfff0_0009)), .result(.a)], "blocks")
        AddressLowering.run(on: &byInstruction, .classicLoads(by: .helpers))
        #expect(text(byInstruction) == "b0:\n  %0 = classic byte packet[4293918729]\n  return %0\n")
    }

    @Test func numbersBecomeVerdicts() throws {
        var graph = try graph([.load(.length), .result(.a)], "blocks", "dead")
        VerdictLowering.run(on: &graph, match: 1, noMatch: 2)
        #expect(graph.failure == 2)
        #expect(
            text(graph) == """
                b0:
                  %0 = length
                  if %0 == 0 goto b1 else b2
                b1:
                  return 2
                b2:
                  return 1

                """)
    }
}
