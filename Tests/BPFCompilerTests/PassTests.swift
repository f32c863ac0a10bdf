@testable import BPFCompiler
import ClassicBPF
import Testing

/// What each pass makes of a small filter, as text before and after, worked out by hand.
@Suite struct PassTests {
    private func text(_ operations: [Operation], _ passes: String...) throws -> String {
        try Optimizer(passes: passes).describe(Program(operations.map { Instruction($0) })).text
    }

    /// Two ways that differ in A and agree in X.
    private let joining: [Operation] = [
        .load(.length), .branch(.greater, .constant(100), jt: 1, jf: 0), .load(.immediate(7)), .result(.a),
    ]

    @Test func waysThatDifferMeetInAParameter() throws {
        #expect(
            try text(joining) == """
                b0:
                  goto b1
                b1:
                  %0 = length
                  if %0 > 0x64 goto b3(%0) else b2
                b2:
                  goto b3(7)
                b3(%1):
                  return %1

                """)
    }

    /// M[3] gets the same value on both ways, and X one that nothing reads.
    @Test func parametersThatSayNothingGo() throws {
        let filter: [Operation] = [
            .load(.length), .store(3), .branch(.greater, .constant(100), jt: 1, jf: 0), .loadIndex(.immediate(7)),
            .load(.memory(3)), .result(.a),
        ]
        #expect(try text(filter).contains("b3(%1):"))
        #expect(
            try text(filter, "parameters") == """
                b0:
                  goto b1
                b1:
                  %0 = length
                  if %0 > 0x64 goto b3 else b2
                b2:
                  goto b3
                b3:
                  return %0

                """)
    }

    @Test func constantsAreComputed() throws {
        let filter: [Operation] = [
            .load(.immediate(6)), .arithmetic(.multiply, .constant(7)), .transferAToX, .load(.indirect(.half, 14)),
            .arithmetic(.or, .constant(0)), .branch(.equal, .index, jt: 0, jf: 1), .result(.constant(1)), .result(.a),
        ]
        #expect(
            try text(filter, "constants", "dead") == """
                b0:
                  goto b1
                b1:
                  require half packet[56]
                  %0 = half packet[56]
                  if %0 == 0x2a goto b2 else b3
                b2:
                  return 1
                b3:
                  return %0

                """)
    }

    @Test func branchesOnConstantsAreDecided() throws {
        let filter: [Operation] = [
            .load(.immediate(0x8000_0000)), .branch(.greater, .constant(5), jt: 0, jf: 1), .result(.constant(1)),
            .result(.constant(2)),
        ]
        #expect(
            try text(filter, "constants", "blocks", "dead") == """
                b0:
                  return 1

                """)
    }

    /// The second load of A is the first, also behind the branch; the random number is a new one each time.
    @Test func whatIsKnownIsNotComputedAgain() throws {
        let filter: [Operation] = [
            .load(.absolute(.byte, 23)), .branch(.equal, .constant(6), jt: 0, jf: 2), .load(.absolute(.byte, 23)),
            .result(.a), .load(.extension(.rand)), .transferAToX, .load(.extension(.rand)),
            .arithmetic(.add, .index), .result(.a),
        ]
        #expect(
            try text(filter, "numbering") == """
                b0:
                  goto b1
                b1:
                  require byte packet[23]
                  %0 = byte packet[23]
                  if %0 == 6 goto b2 else b3
                b2:
                  return %0
                b3:
                  %1 = rand
                  %2 = rand
                  %3 = %2 + %1
                  return %3

                """)
    }

    /// A division by X asks for X, whether or not its result is read; a load asks for its bytes.
    @Test func requirementsStayWhereValuesGo() throws {
        let filter: [Operation] = [
            .loadIndex(.length), .arithmetic(.divide, .index), .load(.absolute(.word, 40)), .result(.constant(1)),
        ]
        #expect(
            try text(filter, "dead", "blocks") == """
                b0:
                  %0 = length
                  require %0 != 0
                  require word packet[40]
                  return 1

                """)
    }

    /// A packet without an interface ends the filter with A as it stands.
    @Test func anAbsentInterfaceReturnsA() throws {
        let filter: [Operation] = [.load(.length), .load(.extension(.ifidx)), .result(.a)]
        #expect(
            try text(filter, "blocks") == """
                b0:
                  %0 = length
                  require interface, or return %0
                  %1 = ifidx
                  return %1

                """)
    }

    /// A byte is never above 255; a number not above 100 is not above 200 either; what is 6 is not 17.
    @Test func branchesAreDecidedByWhatLeadsToThem() throws {
        let filter: [Operation] = [
            .load(.absolute(.byte, 9)), .branch(.greater, .constant(255), jt: 4, jf: 0),
            .branch(.greater, .constant(100), jt: 3, jf: 0), .branch(.greater, .constant(200), jt: 2, jf: 0),
            .branch(.equal, .constant(6), jt: 0, jf: 1), .branch(.equal, .constant(17), jt: 0, jf: 1),
            .result(.constant(1)), .result(.constant(2)),
        ]
        #expect(
            try text(filter, "numbering", "facts", "blocks", "dead") == """
                b0:
                  require byte packet[9]
                  %0 = byte packet[9]
                  if %0 > 0x64 goto b3 else b1
                b1:
                  if %0 == 6 goto b2 else b3
                b2:
                  return 2
                b3:
                  return 1

                """)
    }

    /// A pass that says it did something did; else they would run on until the bound.
    @Test func whatIsDoneIsNotDoneAgain() throws {
        let filter = try Program(
            [.load(.length), .arithmetic(.or, .constant(0)), .arithmetic(.add, .constant(0)), .result(.a)].map {
                (operation: Operation) in Instruction(operation)
            })
        #expect(Optimizer(passes: ["constants"]).describe(filter).notes == ["constants: computed 2 values"])
    }

    @Test func passesSayWhatTheyDid() throws {
        let filter = try Program(joining.map { Instruction($0) })
        #expect(
            Optimizer(passes: ["parameters", "blocks"]).describe(filter).notes == [
                "blocks: joined 1 blocks to those in front of them"
            ])
    }
}
