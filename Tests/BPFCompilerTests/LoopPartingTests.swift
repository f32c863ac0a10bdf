import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import Pcap
import TestSupport
import Testing

@testable import BPFCompiler

/// Programs whose loops a helper function runs decide as their filters.
@Suite struct LoopPartingTests {
    private static let targets: [Target] = [
        .xdp(match: .drop), .tc(match: .ok, noMatch: .shot), .cgroupEgress(match: .deny), .socket,
        .xdpFrags(match: .drop), .socket(match: Verdict(value: 3), noMatch: Verdict(value: 7)),
    ]

    /// Loops in each other and behind each other, over packets in one piece and in several.
    @Test(arguments: targets.indices) func randomLoopsDecideAsTheFilter(place: Int) throws {
        let target = Self.targets[place]
        var generator = SeededGenerator()
        var called = 0
        var results: Set<UInt32> = []
        for _ in 0..<12 {
            let filter = RandomLoops.next(using: &generator)
            let options = CompilerOptions(
                isa: generator.pick(InstructionSet.allCases), byteOrder: generator.pick([.little, .big]),
                passes: generator.chance(50) ? Optimizer.passNames : [],
                kernel: generator.pick([KernelVersion(5, 18), KernelVersion(6, 8)]))
            let program = try Compiler.compile(filter, for: target, options: options)
            if program.functions.count > 1 {
                called += 1
                #expect(program.entry.references.values.contains(.function("filter_round")))
            }
            let loaded = ExtendedBPF.Program(functions: [program.linked()])
            for _ in 0..<4 {
                let bytes = (0..<Int.random(in: 20...80, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                let linear = target.hook == .xdp ? bytes.count : Int.random(in: 0...bytes.count, using: &generator)
                let packet = Packet(bytes, linearLength: linear)
                let number = try ClassicMachine().run(filter, on: packet)
                results.insert(number)
                var expected = number
                if case .verdict(let match, let noMatch) = target.result {
                    expected = number == 0 ? noMatch.value : match.value
                }
                for program in [program, loaded] {
                    let result = try ExtendedMachine(byteOrder: options.byteOrder).run(
                        program, on: packet, context: target.hook.context == .xdp ? .xdp : .socketBuffer)
                    #expect(result == expected, "\(filter.instructions) on \(packet)")
                }
            }
        }
        #expect(called > 0, "no program has loops")
        #expect(results.count > 1, "the filters tell packets apart")
    }

    /// What comes before the loop and a round of it, as people can read them.
    @Test func bothPartsAreShown() throws {
        let filter = try ExpressionCompiler().compile("ip6 protochain 6")
        let text = Compiler.describe(
            filter, for: .xdp(match: .drop), options: CompilerOptions(kernel: KernelVersion(5, 17))
        ).text
        let parts = text.split(separator: "; a round of loop(…)\n")
        try #require(parts.count == 2)
        #expect(parts[0].contains("return loop(") && !parts[0].contains("next round"))
        #expect(parts[1].hasPrefix("b0(%0, %1):\n") && parts[1].contains("end the loop with 1\n"))
    }

    /// Verifiers before Linux 6.7 look at a round with what the first one gets, and take for never reached what a known
    /// number does not lead to. The one number that they remember of those in memory is 0.
    @Test func roundsKnowNothingOfWhatTheyBeginWith() throws {
        var generator = SeededGenerator()
        func zeros(_ filter: ClassicBPF.Program, _ kernel: KernelVersion) throws -> Int {
            let program = try Compiler.compile(filter, for: .socket, options: CompilerOptions(kernel: kernel))
            let stored = program.entry.instructions.filter { $0.opcode.instructionClass == .st && $0.imm == 0 }
            // The result is 0 until there is one.
            return max(0, Set(stored.map(\.offset)).count - 1)
        }
        var (known, unknown) = (0, 0)
        for _ in 0..<300 where known < 3 {
            let filter = RandomLoops.next(using: &generator)
            let count = try zeros(filter, KernelVersion(6, 7))
            if count == 0 { continue }
            known += 1
            unknown += try zeros(filter, KernelVersion(5, 17))
        }
        #expect(known == 3 && unknown == 0)
    }
}
