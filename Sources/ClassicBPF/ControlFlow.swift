/// The basic blocks of a classic program and the ways between them.
public struct ControlFlow: Hashable, Sendable {
    /// A run of instructions that is entered only at its start and left only at its end.
    public struct Block: Hashable, Sendable {
        /// The indices of the block's instructions, at least one.
        public var instructions: Range<Int>
        /// The blocks that may follow, each once, the taken side of a branch first; none after a `ret`.
        public var successors: [Int]
    }

    /// The blocks in the order of the program; the first is where execution starts.
    public let blocks: [Block]

    /// The indices of the blocks that some path from the start reaches.
    public let reachableBlocks: Set<Int>

    /// Finds the blocks of `program`.
    ///
    /// - Complexity: O(*n*) in the number of instructions.
    public init(_ program: Program) {
        let starts = Self.blockStarts(of: program)
        var blockAtStart = [Int](repeating: 0, count: program.count)
        for (block, start) in starts.enumerated() { blockAtStart[start] = block }
        blocks = starts.indices.map { block in
            let end = block + 1 < starts.count ? starts[block + 1] : program.count
            let targets = program.successors(of: end - 1).map { blockAtStart[$0] }
            return Block(instructions: starts[block]..<end, successors: targets)
        }
        reachableBlocks = Self.reachable(in: blocks)
    }

    /// Whether some jump, reachable or not, goes backward or to itself; the kernel's rules allow none.
    public var hasBackwardJumps: Bool {
        blocks.indices.contains { block in blocks[block].successors.contains { $0 <= block } }
    }

    /// Whether some path from the start of the program reaches the instruction at `index`, by index.
    public var reachableInstructions: [Bool] {
        var result = [Bool](repeating: false, count: blocks.last!.instructions.upperBound)
        for block in reachableBlocks {
            for index in blocks[block].instructions { result[index] = true }
        }
        return result
    }

    private static func blockStarts(of program: Program) -> [Int] {
        var isStart = [Bool](repeating: false, count: program.count + 1)
        isStart[0] = true
        for index in 0..<program.count {
            switch program.operation(at: index) {
            case .jump, .branch, .result:
                isStart[index + 1] = true
                for target in program.successors(of: index) { isStart[target] = true }
            default:
                break
            }
        }
        return (0..<program.count).filter { isStart[$0] }
    }

    private static func reachable(in blocks: [Block]) -> Set<Int> {
        var reached: Set<Int> = [0]
        var pending = [0]
        while let block = pending.popLast() {
            for successor in blocks[block].successors where reached.insert(successor).inserted {
                pending.append(successor)
            }
        }
        return reached
    }
}

extension Program {
    /// The instructions that may run right after the one at `index`, each once, the taken side of a branch first.
    ///
    /// - Precondition: `index` is in 0 ..< ``count``.
    public func successors(of index: Int) -> [Int] {
        switch operation(at: index) {
        case .result: []
        case .jump(let distance): [jumpTarget(from: index, distance: distance)]
        case .branch(_, _, let jt, let jf):
            jt == jf ? [index + 1 + Int(jt)] : [index + 1 + Int(jt), index + 1 + Int(jf)]
        default: [index + 1]
        }
    }

    /// The instruction that a `ja` at `index` with the distance `distance` goes to.
    ///
    /// A distance that would leave the program forward is one that goes backward, by libpcap's rules.
    public func jumpTarget(from index: Int, distance: UInt32) -> Int {
        let forward = index + 1 + Int(distance)
        return forward < count ? forward : index + 1 + Int(Int32(bitPattern: distance))
    }
}
