import ClassicBPF

/// Makes random classic programs with loops, which libpcap's rules allow: nested, one behind the other, left by the
/// middle, with what they compute read in each other. Every loop ends, by a count in M[].
public struct RandomLoops {
    private var operations: [Operation] = []
    /// How many loops are around what is being written.
    private var depth = 0
    private var loops = 0

    /// The next program.
    public static func next(using generator: inout SeededGenerator) -> Program {
        var maker = RandomLoops()
        repeat {
            maker = RandomLoops()
            for cell in 0..<6 as Range<UInt32> {
                maker.operations += [.load(.immediate(generator.interestingNumber() & 0xff)), .store(cell)]
            }
            maker.block(using: &generator)
        } while maker.loops == 0 || maker.operations.count > 150
        maker.operations.append(.result(.a))
        return try! Program(maker.operations.map { Instruction($0) }, satisfying: .libpcap)
    }

    private mutating func block(using generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 2...4, using: &generator) {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<3 where depth < 3: loop(using: &generator)
            case 3..<5: branch(using: &generator)
            case 5: leave(using: &generator)
            default: straight(using: &generator)
            }
        }
    }

    /// A few rounds, counted in the cell of the depth.
    private mutating func loop(using generator: inout SeededGenerator) {
        let counter = UInt32(10 + depth)
        operations += [.load(.immediate(UInt32.random(in: 0...5, using: &generator))), .store(counter)]
        let start = operations.count
        depth += 1
        loops += 1
        block(using: &generator)
        depth -= 1
        operations += [
            .load(.memory(counter)), .branch(.equal, .constant(0), jt: 3, jf: 0), .arithmetic(.subtract, .constant(1)),
            .store(counter), .jump(UInt32(truncatingIfNeeded: start - operations.count - 5)),
        ]
    }

    /// Something that is done for some numbers only.
    private mutating func branch(using generator: inout SeededGenerator) {
        let place = operations.count
        operations.append(.result(.a))
        straight(using: &generator)
        let count = UInt8(operations.count - place - 1)
        operations[place] = .branch(
            generator.pick([.equal, .greater, .greaterOrEqual, .anyBitSet]),
            .constant(generator.interestingNumber() & 0xff), jt: generator.chance(50) ? 0 : count, jf: 0)
        if case .branch(let comparison, let right, 0, _) = operations[place] {
            operations[place] = .branch(comparison, right, jt: 0, jf: count)
        }
    }

    /// The end of the filter, from wherever it is, for few numbers.
    private mutating func leave(using generator: inout SeededGenerator) {
        operations += [
            .branch(.equal, .constant(UInt32.random(in: 0...9, using: &generator)), jt: 0, jf: 1),
            .result(.constant(generator.pick([0, 1, 7, 65535]))),
        ]
    }

    private mutating func straight(using generator: inout SeededGenerator) {
        let cell = UInt32.random(in: 0..<6, using: &generator)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let number = generator.interestingNumber() & 0xff
            operations += generator.pick([
                [.load(.absolute(generator.pick([.byte, .half, .word]), number & 31))],
                // An index that grows, but rarely beyond the packet.
                [.arithmetic(.and, .constant(31)), .transferAToX, .load(.indirect(.byte, number & 15))],
                [.arithmetic(generator.pick([.add, .subtract, .multiply, .xor, .or]), .constant(number))],
                [.arithmetic(generator.pick([.add, .subtract, .xor, .and]), .index)],
                [.store(cell)], [.load(.memory(cell))], [.loadIndex(.memory(cell))], [.transferAToX], [.load(.length)],
            ])
        }
    }
}
