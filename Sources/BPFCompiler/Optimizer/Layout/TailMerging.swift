/// Makes one block of those that do the same and go on the same way, and one end of blocks that end the same.
///
/// - Precondition: Registers have been chosen.
enum TailMerging {
    /// Merging ends shorter than this would save nothing: of two that end with the same branch one needs a jump anyway.
    private static func shortestTail(_ terminator: MachineTerminator) -> Int {
        terminator.successors.count == 2 ? 0 : 3
    }

    static func run(on function: inout MachineFunction) {
        mergeSameBlocks(in: &function)
        if mergeTails(in: &function) { mergeSameBlocks(in: &function) }
    }

    /// What makes two blocks, or the ends of two, the same; where they came from does not.
    private struct Content: Hashable {
        var instructions: [MachineInstruction]
        var terminator: MachineTerminator

        /// The content of the last `count` instructions and the terminator; all of them unless told otherwise.
        init(_ block: MachineBlock, last count: Int = .max) {
            instructions = block.instructions.suffix(count).map(withoutOrigin)
            terminator = block.terminator
        }
    }

    private static func withoutOrigin(_ instruction: MachineInstruction) -> MachineInstruction {
        var copy = instruction
        copy.origin = 0
        return copy
    }

    private static func mergeSameBlocks(in function: inout MachineFunction) {
        // Around a loop it may take several turns.
        while mergeSameBlocksOnce(in: &function) {}
    }

    /// Looks at each block behind those it goes on to: two that go on to the same may be the same for that.
    private static func mergeSameBlocksOnce(in function: inout MachineFunction) -> Bool {
        // By block, one that is the same, and by that one, the first of all that are.
        var classes = Array(function.blocks.indices)
        var first = classes
        var known: [Content: Int] = [:]
        var hasChanged = false
        for number in blocksBehindSuccessors(of: function) where number != 0 {
            var content = Content(function.blocks[number])
            content.terminator = content.terminator.mapTargets { classes[$0] }.simplified
            if let same = known[content] {
                classes[number] = same
                first[same] = min(first[same], number)
                hasChanged = true
            } else {
                known[content] = number
            }
        }
        guard hasChanged else { return false }
        for number in function.blocks.indices {
            function.blocks[number].terminator =
                function.blocks[number].terminator.mapTargets { first[classes[$0]] }.simplified
        }
        return true
    }

    /// The reachable blocks, each behind those it goes on to but for the ways back of loops. Without recursion: programs
    /// can be long chains.
    private static func blocksBehindSuccessors(of function: MachineFunction) -> [Int] {
        var order: [Int] = []
        var isSeen = [Bool](repeating: false, count: function.blocks.count)
        isSeen[0] = true
        var pending = [(block: 0, next: 0)]
        while let (block, next) = pending.last {
            let successors = function.blocks[block].terminator.successors
            guard next < successors.count else {
                order.append(block)
                pending.removeLast()
                continue
            }
            pending[pending.count - 1].next += 1
            if !isSeen[successors[next]] {
                isSeen[successors[next]] = true
                pending.append((successors[next], 0))
            }
        }
        return order
    }

    private static func mergeTails(in function: inout MachineFunction) -> Bool {
        let reached = BlockCleaning.reachable(in: function)
        var groups: [Content: [Int]] = [:]
        for number in function.blocks.indices where reached[number] {
            groups[Content(function.blocks[number], last: 0), default: []].append(number)
        }
        var hasChanged = false
        for group in groups.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
            hasChanged = mergeTails(of: group, in: &function) || hasChanged
        }
        return hasChanged
    }

    /// Merges the ends of blocks that go on the same way, those with the longest common end first.
    private static func mergeTails(of group: [Int], in function: inout MachineFunction) -> Bool {
        var byLast: [Content: [Int]] = [:]
        for number in group { byLast[Content(function.blocks[number], last: 1), default: []].append(number) }
        var hasChanged = false
        var alone: [Int] = []
        for same in byLast.values.sorted(by: { $0[0] < $1[0] }) {
            guard same.count > 1, let keeper = same.first else {
                alone += same
                continue
            }
            let shared = same.dropFirst().map { commonTail(function.blocks[keeper], function.blocks[$0]) }.max()!
            guard shared >= max(1, shortestTail(function.blocks[keeper].terminator)) else { continue }
            let tail = split(keeper, before: shared, in: &function)
            for other in same.dropFirst() where commonTail(function.blocks[tail], function.blocks[other]) == shared {
                function.blocks[other].instructions.removeLast(shared)
                function.blocks[other].terminator = .jump(tail)
            }
            hasChanged = true
        }
        // Of the others the branch alone is the same.
        guard alone.count > 1, shortestTail(function.blocks[alone[0]].terminator) == 0 else { return hasChanged }
        let keeper = alone.min()!
        let tail = split(keeper, before: 0, in: &function)
        for other in alone where other != keeper { function.blocks[other].terminator = .jump(tail) }
        return true
    }

    private static func commonTail(_ left: MachineBlock, _ right: MachineBlock) -> Int {
        guard left.terminator == right.terminator else { return 0 }
        return zip(left.instructions.reversed(), right.instructions.reversed())
            .prefix { withoutOrigin($0) == withoutOrigin($1) }.count
    }

    private static func split(_ number: Int, before count: Int, in function: inout MachineFunction) -> Int {
        let block = function.blocks[number]
        if count == block.instructions.count, number != 0 { return number }
        let tail = function.makeBlock()
        function.blocks[tail] = MachineBlock(
            instructions: block.instructions.suffix(count), terminator: block.terminator, origin: block.origin)
        function.blocks[number].instructions.removeLast(count)
        function.blocks[number].terminator = .jump(tail)
        return tail
    }
}

extension MachineTerminator {
    /// A jump where both ways of a branch are the same.
    fileprivate var simplified: MachineTerminator {
        if case .branch(_, let then, let otherwise) = self, then == otherwise { .jump(then) } else { self }
    }
}
