import ClassicBPF
import TestSupport
import Testing

/// The generators that other tests rest on: the same every time, and as various as they promise.
@Suite struct RandomProgramTests {
    @Test("a seed gives the same programs, mutations and packets")
    func deterministic() {
        func sample(seed: UInt64) -> [Int] {
            var generator = SeededGenerator(seed: seed)
            let source = RandomProgram()
            return (0..<50).flatMap { _ in
                let program = source.next(using: &generator)
                let spoiled = mutated(program.instructions, using: &generator)
                let packet = randomPacket(using: &generator)
                return (program.instructions + spoiled).flatMap { $0.bytes(.big).map(Int.init) } + packet.map(Int.init)
            }
        }
        #expect(sample(seed: 1) == sample(seed: 1))
        #expect(sample(seed: 1) != sample(seed: 2))
    }

    @Test("SplitMix64 gives the published sequence")
    func splitMix() {
        // From the reference implementation's widely used test vector for the seed 1234567.
        var generator = SeededGenerator(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in generator.next() } == expected)
    }

    @Test("programs use every code, every extension, far jumps, dead code, left-overs and both header areas")
    func variety() {
        var generator = SeededGenerator()
        let source = RandomProgram()
        var codes: Set<UInt16> = []
        var extensions: Set<Extension> = []
        var areas: Set<HeaderArea> = []
        var longest = 0
        var deadCode = 0
        var farJumps = 0
        var leftovers = 0
        for _ in 0..<5_000 {
            let program = source.next(using: &generator)
            longest = max(longest, program.count)
            if ControlFlow(program).reachableInstructions.contains(false) { deadCode += 1 }
            for instruction in program.instructions {
                codes.insert(instruction.code)
                switch instruction.operation! {
                case .load(.extension(let found)): extensions.insert(found)
                case .load(.absolute(_, let offset)): HeaderArea(offset: offset).map { _ = areas.insert($0) }
                case .branch(_, _, let jt, let jf): farJumps += max(jt, jf) == 255 ? 1 : 0
                case .negate: leftovers += instruction.k != 0 && instruction.jt != 0 ? 1 : 0
                default: break
                }
            }
        }
        #expect(codes == Set(CodeTests.meanings.map(\.0)))
        #expect(extensions == Set(Extension.allCases))
        #expect(areas == Set(HeaderArea.allCases))
        #expect((301...400).contains(longest))
        #expect(deadCode > 500)
        #expect(farJumps > 5)
        #expect(leftovers > 5)
    }

    @Test("what is not allowed does not occur")
    func restricted() {
        var generator = SeededGenerator()
        let source = RandomProgram(
            kinds: [.absoluteLoad, .extensionLoad, .branch], allowing: [.mark], negativeOffsets: false,
            leftovers: false,
            usualCount: 10, maximumCount: 20)
        for _ in 0..<2_000 {
            let program = source.next(using: &generator)
            #expect(program.count <= 20)
            for instruction in program.instructions {
                switch instruction.operation! {
                case .load(.absolute(_, let offset)): #expect(offset < 0x8000_0000)
                case .load(.extension(let found)): #expect(found == .mark)
                case .branch, .result: break
                case let other: Issue.record("\(other) is not allowed")
                }
                if case .load(.extension) = instruction.operation! { continue }
                #expect(Instruction(instruction.operation!) == instruction)
            }
        }
        // Nothing but ret is left.
        let least = RandomProgram(kinds: [.extensionLoad], allowing: [])
        #expect(least.next(using: &generator).instructions.allSatisfy { [0x06, 0x16].contains($0.code) })
    }
}
