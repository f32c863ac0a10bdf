@testable import BPFCompiler
import ClassicBPF
import ExtendedBPF
import Pcap
import TestSupport
import Testing

/// What jump threading makes of small filters, as text worked out by hand, and what it is worth.
@Suite struct JumpThreadingTests {
    private func text(_ operations: [Operation], _ passes: String...) throws -> String {
        let instructions = operations.map { ClassicBPF.Instruction($0) }
        return try Optimizer(passes: passes).describe(ClassicBPF.Program(instructions)).text
    }

    /// Where the length is 1, the question whether it is 2 is past; on the other way it is not.
    @Test func aWayGoesPastABranchThatItDecides() throws {
        let filter: [Operation] = [
            .load(.length), .branch(.equal, .constant(1), jt: 0, jf: 2), .load(.absolute(.byte, 0)),
            .branch(.equal, .constant(7), jt: 2, jf: 0), .load(.length),
            .branch(.equal, .constant(2), jt: 0, jf: 1), .result(.constant(1)), .result(.constant(0)),
        ]
        #expect(
            try text(filter, "parameters", "numbering").contains(
                """
                b2:
                  require byte packet[0]
                  %1 = byte packet[0]
                  if %1 == 7 goto b4 else b3
                b3:
                  if %0 == 2 goto b4 else b5
                """))
        #expect(
            try text(filter, "parameters", "numbering", "threading").contains(
                """
                b2:
                  require byte packet[0]
                  %1 = byte packet[0]
                  if %1 == 7 goto b4 else b5
                b3:
                  if %0 == 2 goto b4 else b5
                """))
    }

    /// A block that only compares what it is handed is passed by whoever hands it a constant.
    @Test func aConstantArgumentDecides() throws {
        let filter: [Operation] = [
            .load(.length), .branch(.greater, .constant(5), jt: 1, jf: 0), .load(.immediate(7)),
            .branch(.equal, .constant(7), jt: 0, jf: 1), .result(.constant(1)), .result(.constant(0)),
        ]
        #expect(
            try text(filter, "threading", "parameters", "blocks", "dead") == """
                b0:
                  %0 = length
                  if %0 > 5 goto b1 else b2
                b1:
                  if %0 == 7 goto b2 else b3
                b2:
                  return 1
                b3:
                  return 0

                """)
    }

    /// A bit that is known to be set decides whether any of several is.
    @Test func aBitThatIsSetDecides() throws {
        let filter: [Operation] = [
            .load(.length), .branch(.anyBitSet, .constant(4), jt: 0, jf: 2), .load(.absolute(.byte, 0)),
            .branch(.equal, .constant(7), jt: 2, jf: 0), .load(.length),
            .branch(.anyBitSet, .constant(6), jt: 0, jf: 1), .result(.constant(1)), .result(.constant(0)),
        ]
        #expect(
            try text(filter, "parameters", "numbering", "threading").contains("if %1 == 7 goto b4 else b4"))
    }

    /// What a branch's block asks of the packet is asked on every way.
    @Test func requirementsAreNotPassed() throws {
        let filter: [Operation] = [
            .load(.length), .branch(.equal, .constant(1), jt: 0, jf: 1), .store(0), .load(.absolute(.byte, 9)),
            .load(.length), .branch(.equal, .constant(2), jt: 0, jf: 1), .result(.constant(1)),
            .result(.constant(0)),
        ]
        let passes = ["parameters", "numbering", "blocks", "dead"]
        let without = try Optimizer(passes: passes).describe(ClassicBPF.Program(filter.map { .init($0) })).text
        let with = try Optimizer(passes: passes + ["threading"]).describe(
            ClassicBPF.Program(filter.map { .init($0) })
        ).text
        #expect(without == with)
        #expect(with.contains("require byte packet[9]"))
    }

    /// Without libpcap's optimiser programs are about as short as with it; without this pass they are not.
    @Test func unoptimizedFiltersBecomeAboutAsShort() throws {
        var (optimized, unoptimized, unthreaded) = (0, 0, 0)
        for entry in Corpus.expressions {
            let linkType = try LinkType(entry.linkType)
            optimized += try size(ExpressionCompiler(linkType: linkType).compile(entry.text))
            let filter = try ExpressionCompiler(linkType: linkType, optimizes: false).compile(entry.text)
            let (with, without) = (try size(filter), try size(filter, without: "threading"))
            #expect(with <= without, "\(entry.text)")
            unoptimized += with
            unthreaded += without
        }
        #expect(Double(unoptimized) < 1.1 * Double(optimized))
        #expect(Double(unthreaded) > 1.5 * Double(optimized))
    }

    private func size(_ filter: ClassicBPF.Program, without pass: String? = nil) throws -> Int {
        try Compiler.compile(
            filter, for: .xdp(match: .drop),
            options: CompilerOptions(passes: Optimizer.passNames.filter { $0 != pass })
        ).linked().instructions.count
    }
}
