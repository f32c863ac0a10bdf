/// The order in which blocks stand in the program: each, where it can be, in front of one it goes on to.
struct BlockLayout {
    private let function: MachineFunction
    private let hasLoops: Bool
    private let predecessorCounts: [Int]
    private var isPlaced: [Bool]
    private var chains: [[Int]] = []

    /// The order of the reachable blocks of `function`; the first stays first.
    ///
    /// - Parameter hasLoops: Whether there are loops. The verifier walks through their rounds in the order of the program
    ///   and finds far fewer of them alike when the shortest way comes last.
    static func order(of function: MachineFunction, hasLoops: Bool) -> [Int] {
        var layout = BlockLayout(
            function: function, hasLoops: hasLoops, predecessorCounts: BlockCleaning.predecessorCounts(in: function),
            isPlaced: Array(repeating: false, count: function.blocks.count))
        layout.makeChains()
        return layout.joinedChains()
    }

    private mutating func makeChains() {
        let reached = BlockCleaning.reachable(in: function)
        // The ends of the program come last, so that what leads there can fall through.
        let ends = function.blocks.indices.filter { reached[$0] && isEnd($0) && $0 != 0 }
        for end in ends { isPlaced[end] = true }
        var pending = [0]
        while let start = pending.popLast() {
            guard !isPlaced[start] else { continue }
            var chain: [Int] = []
            var next: Int? = start
            while let block = next {
                isPlaced[block] = true
                chain.append(block)
                let successors = preferredSuccessors(of: block)
                pending += successors.dropFirst().reversed()
                next = successors.first
            }
            chains.append(chain)
        }
        for end in ends { isPlaced[end] = false }
        // An end that goes on to another stands in front of it.
        for end in ends.sorted(by: { (isExit($0) ? 1 : 0, $0) < (isExit($1) ? 1 : 0, $1) }) where !isPlaced[end] {
            chains.append([end])
        }
    }

    /// Whether a block only sets the result and leaves.
    private func isEnd(_ number: Int) -> Bool {
        guard onlySetsResult(number) else { return false }
        switch function.blocks[number].terminator {
        case .exit: return true
        case .jump(let next): return isExit(next) && onlySetsResult(next)
        case .branch: return false
        }
    }

    private func onlySetsResult(_ number: Int) -> Bool {
        !function.blocks[number].isRare
            && function.blocks[number].instructions.allSatisfy { $0.dst == .result && $0.src == nil }
    }

    private func isExit(_ number: Int) -> Bool { function.blocks[number].terminator == .exit }

    /// The blocks that can stand right behind `number`, the best first.
    private func preferredSuccessors(of number: Int) -> [Int] {
        let terminator = function.blocks[number].terminator
        var successors: [Int] = terminator.successors.filter { !isPlaced[$0] }
        // Falling through where the condition holds takes the opposite condition, which not every one has. An equality
        // has it, and asks for what is likely first.
        if case .branch(let condition, let then, _) = terminator,
            hasLoops || condition.comparison != .equal || predecessorCounts[then] > 1
        {
            successors.reverse()
        }
        let isRare = successors.map { function.blocks[$0].isRare }
        return successors.enumerated().sorted { (isRare[$0.0] ? 1 : 0, $0.0) < (isRare[$1.0] ? 1 : 0, $1.0) }
            .map(\.element)
    }

    /// The chains one behind the other: rare ones after the others, and in front of the ends one that leads there.
    private func joinedChains() -> [Int] {
        func isOfEnd(_ chain: [Int]) -> Bool { chain.count == 1 && isEnd(chain[0]) && chain[0] != 0 }
        let ends = chains.filter(isOfEnd)
        let inner = chains.filter { !isOfEnd($0) }
        let rare = inner.dropFirst().filter { function.blocks[$0[0]].isRare }
        var others = inner.prefix(1) + inner.dropFirst().filter { !function.blocks[$0[0]].isRare }
        if let end = ends.first?[0],
            let place = others.lastIndex(where: { fallsThrough(from: $0.last!, to: end) }),
            place > 0 || others.count == 1
        {
            others.append(others.remove(at: place))
        }
        return (others + ends + rare).flatMap { $0 }
    }

    private func fallsThrough(from number: Int, to next: Int) -> Bool {
        switch function.blocks[number].terminator {
        case .jump(let target): target == next
        case .branch(let condition, let then, let otherwise):
            otherwise == next || then == next && condition.comparison.inverse != nil
        case .exit: false
        }
    }
}
