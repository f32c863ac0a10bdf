import ClassicBPF
import TestSupport
import Testing

/// Blocks, the ways between them and what is reachable; by hand, and against the definition on random programs.
@Suite struct ControlFlowTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var operations: [ClassicBPF.Operation]
        var ranges: [Range<Int>]
        var successors: [[Int]]
        var reachable: Set<Int>
        var hasBackwardJumps = false

        init(
            _ name: String, _ operations: [ClassicBPF.Operation], _ blocks: [(Range<Int>, [Int])],
            reachable: Set<Int>, hasBackwardJumps: Bool = false
        ) {
            testDescription = name
            self.operations = operations
            ranges = blocks.map { $0.0 }
            successors = blocks.map { $0.1 }
            self.reachable = reachable
            self.hasBackwardJumps = hasBackwardJumps
        }
    }

    static let ret = ClassicBPF.Operation.result(.a)

    static let cases = [
        Case("one ret", [ret], [(0..<1, [])], reachable: [0]),
        Case("a straight line is one block", [.load(.length), .transferAToX, ret], [(0..<3, [])], reachable: [0]),
        Case(
            "a diamond, the taken side first",
            [
                .branch(.equal, .constant(1), jt: 2, jf: 0), .load(.length), .jump(1), .negate, ret,
            ], [(0..<1, [2, 1]), (1..<3, [3]), (3..<4, [3]), (4..<5, [])], reachable: [0, 1, 2, 3]),
        Case(
            "a branch whose sides agree has one successor", [.branch(.greater, .index, jt: 1, jf: 1), ret, ret],
            [(0..<1, [2]), (1..<2, []), (2..<3, [])], reachable: [0, 2]),
        Case(
            "a branch to the next instruction either way still ends its block",
            [.branch(.greater, .index, jt: 0, jf: 0), ret], [(0..<1, [1]), (1..<2, [])], reachable: [0, 1]),
        Case("ja 0 goes on", [.jump(0), ret], [(0..<1, [1]), (1..<2, [])], reachable: [0, 1]),
        Case(
            "code behind a ret is dead, with what only it leads to",
            [ret, .jump(0), .negate, ret], [(0..<1, []), (1..<2, [2]), (2..<4, [])], reachable: [0]),
        Case(
            "a target in the middle splits a block",
            [.branch(.anyBitSet, .index, jt: 1, jf: 0), .negate, .negate, ret],
            [(0..<1, [2, 1]), (1..<2, [2]), (2..<4, [])], reachable: [0, 1, 2]),
        Case(
            "libpcap's ja goes backward by wrapping",
            [.negate, .branch(.equal, .index, jt: 1, jf: 0), .jump(0xffff_fffd), ret],
            [(0..<2, [2, 1]), (2..<3, [0]), (3..<4, [])], reachable: [0, 1, 2],
            hasBackwardJumps: true),
        Case(
            "a ja to itself is a loop", [.jump(0xffff_ffff), ret], [(0..<1, [0]), (1..<2, [])], reachable: [0],
            hasBackwardJumps: true),
    ]

    @Test("blocks, successors and reachability", arguments: cases)
    func byHand(_ example: Case) throws {
        let program = try Program(example.operations.map { Instruction($0) }, satisfying: .libpcap)
        let flow = ControlFlow(program)
        #expect(flow.blocks.map(\.instructions) == example.ranges)
        #expect(flow.blocks.map(\.successors) == example.successors)
        #expect(flow.reachableBlocks == example.reachable)
        #expect(flow.hasBackwardJumps == example.hasBackwardJumps)
        #expect(program.rules.contains(.kernel) == !example.hasBackwardJumps)
    }

    @Test("successors of each instruction follow the definition")
    func successors() throws {
        let program = try Program(
            [
                Instruction(.branch(.equal, .constant(0), jt: 3, jf: 1)), Instruction(.jump(1)), Instruction(.negate),
                Instruction(.branch(.equal, .constant(0), jt: 0, jf: 0)), Instruction(.result(.a)),
            ])
        #expect((0..<5).map(program.successors(of:)) == [[4, 2], [3], [3], [4], []])
        #expect(program.jumpTarget(from: 1, distance: 1) == 3)
    }

    @Test("on random programs the blocks are what the single instructions say")
    func random() {
        var generator = SeededGenerator()
        let source = RandomProgram()
        for _ in 0..<1_000 {
            let program = source.next(using: &generator)
            let flow = ControlFlow(program)
            #expect(flow.blocks.flatMap { Array($0.instructions) } == Array(0..<program.count))
            // Reachable instructions, found one by one.
            var reached: Set<Int> = []
            var pending = [0]
            while let index = pending.popLast() {
                if reached.insert(index).inserted { pending += program.successors(of: index) }
            }
            #expect(flow.reachableInstructions == (0..<program.count).map(reached.contains))
            #expect(!flow.hasBackwardJumps)
            for block in flow.blocks {
                for index in block.instructions.dropLast() { #expect(program.successors(of: index) == [index + 1]) }
                let starts = block.successors.map { flow.blocks[$0].instructions.lowerBound }
                #expect(starts == program.successors(of: block.instructions.last!))
            }
        }
    }
}
