import ExtendedBPF

/// Finds the jumps that are too long for the 16 bits of an offset, and for instruction sets without `gotol` leads them
/// through jumps in between.
///
/// Distances are estimated from above: every block counts with the most its end can take.
///
/// - Precondition: Registers have been chosen.
struct LongJumps {
    /// By block, whether its jumps are to be long where they are not to the next block.
    private(set) var isFar: [Bool]
    /// The order of the blocks, those in between included.
    private(set) var order: [Int]

    /// The longest jump with 16 bits, less what an estimate of its source may be off.
    private static let reach = 32_750
    /// Where jumps in between can stand: no farther apart than this.
    private static let spacing = 8_000

    /// Brings every jump of `function`, whose blocks stand in `order`, within reach, or says that it is to be long.
    ///
    /// - Throws: ``CompilerError`` if more jumps meet in one place than there is room for.
    init(in function: inout MachineFunction, _ order: [Int], _ isa: InstructionSet) throws(CompilerError) {
        isFar = Array(repeating: false, count: function.blocks.count)
        self.order = order
        let size = order.reduce(0) { $0 + Self.size(of: function.blocks[$1]) }
        guard size > Self.reach else { return }
        restoreClassicOrder(function)
        if isa.hasLongJump {
            markFar(in: function)
        } else {
            splitLongBlocks(of: &function)
            try insertTrampolines(into: &function)
            isFar = Array(repeating: false, count: function.blocks.count)
        }
    }

    /// The most slots a block takes whose jumps are short.
    private static func size(of block: MachineBlock) -> Int {
        block.instructions.reduce(2) { $0 + $1.instruction.slots }
    }

    /// Puts the blocks in the order of the classic instructions they came from, whose jumps are short: in an order made
    /// for falling through, thousands of jumps would cross in one place.
    private mutating func restoreClassicOrder(_ function: MachineFunction) {
        func origin(_ number: Int) -> Int {
            let block = function.blocks[number]
            let origin = block.instructions.first?.origin ?? block.origin
            return origin < 0 ? .max : origin
        }
        let rest = order.dropFirst().enumerated().map { (place: $0, number: $1, origin: origin($1)) }
        order = order.prefix(1) + rest.sorted { ($0.origin, $0.place) < ($1.origin, $1.place) }.map(\.number)
    }

    // MARK: With long jumps

    /// A long jump makes others longer, so until no more are needed.
    private mutating func markFar(in function: MachineFunction) {
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            var starts = [Int](repeating: 0, count: function.blocks.count)
            var end = 0
            var ends = starts
            for number in order {
                starts[number] = end
                // Around a long jump there are up to two more.
                end += Self.size(of: function.blocks[number]) + (isFar[number] ? 2 : 0)
                ends[number] = end
            }
            for number in order where !isFar[number] {
                let isOut = function.blocks[number].terminator.successors.contains {
                    abs(starts[$0] - ends[number]) > Self.reach
                }
                if isOut {
                    isFar[number] = true
                    hasChanged = true
                }
            }
        }
    }

    // MARK: With jumps in between

    /// No jump in between can stand inside a block.
    private mutating func splitLongBlocks(of function: inout MachineFunction) {
        var result: [Int] = []
        for number in order {
            var number = number
            result.append(number)
            while function.blocks[number].instructions.count > Self.spacing / 2 {
                let rest = function.makeBlock()
                let block = function.blocks[number]
                function.blocks[rest] = MachineBlock(
                    instructions: Array(block.instructions[(Self.spacing / 2)...]), terminator: block.terminator,
                    origin: block.origin, isRare: block.isRare)
                function.blocks[number].instructions.removeSubrange((Self.spacing / 2)...)
                function.blocks[number].terminator = .jump(rest)
                number = rest
                result.append(rest)
            }
        }
        order = result
    }

    /// A place between blocks for jumps in between.
    private struct Island {
        /// How many blocks of the order stand in front of it.
        var place: Int
        /// Where it begins.
        var start = 0
        /// How many slots it takes.
        var size = 1
        /// By target, the block of the jump to it.
        var jumps: [Int: Int] = [:]
    }

    private mutating func insertTrampolines(into function: inout MachineFunction) throws(CompilerError) {
        var islands = makeIslands(in: function)
        let terminators = order.map { function.blocks[$0].terminator }
        let blockCount = function.blocks.count
        // Jumps in between make islands grow, and distances with them.
        while true {
            let starts = place(&islands, in: function, blockCount)
            for index in islands.indices { islands[index].jumps = [:] }
            for (place, number) in order.enumerated() { function.blocks[number].terminator = terminators[place] }
            for (place, number) in order.enumerated() {
                let end = starts.blocks[number] + Self.size(of: function.blocks[number])
                var failure: CompilerError?
                function.blocks[number].terminator = terminators[place].mapTargets { target in
                    do throws(CompilerError) {
                        return try way(from: end, to: target, starts.blocks, &islands, &function)
                    } catch {
                        failure = error
                        return target
                    }
                }
                if let failure { throw failure }
            }
            var hasGrown = false
            for index in islands.indices where islands[index].jumps.count + 1 > islands[index].size {
                islands[index].size = islands[index].jumps.count + 1
                hasGrown = true
            }
            if !hasGrown { break }
        }
        var result: [Int] = []
        var next = 0
        for island in islands {
            result += order[next..<island.place]
            result += island.jumps.values.sorted()
            next = island.place
        }
        order = result + order[next...]
    }

    private func makeIslands(in function: MachineFunction) -> [Island] {
        var islands: [Island] = []
        var size = 0
        for (place, number) in order.enumerated() {
            size += Self.size(of: function.blocks[number])
            if size > Self.spacing / 2 {
                islands.append(Island(place: place + 1))
                size = 0
            }
        }
        return islands
    }

    /// Sets where islands begin, and returns by block where it begins.
    private func place(
        _ islands: inout [Island], in function: MachineFunction, _ count: Int
    ) -> (blocks: [Int], end: Int) {
        var starts = [Int](repeating: 0, count: count)
        var end = 0
        var next = 0
        for (place, number) in order.enumerated() {
            if next < islands.count, islands[next].place == place {
                islands[next].start = end
                end += islands[next].size
                next += 1
            }
            starts[number] = end
            end += Self.size(of: function.blocks[number])
        }
        if next < islands.count { islands[next].start = end }
        return (starts, end)
    }

    /// The block to jump to from `position` to get to `target`: itself, or a jump in between on the way there.
    private func way(
        from position: Int, to target: Int, _ starts: [Int], _ islands: inout [Island],
        _ function: inout MachineFunction
    ) throws(CompilerError) -> Int {
        // From jump to jump, each made or met on the way.
        var position = position
        var first: Int?
        var last: Int?
        while true {
            let distance = starts[target] - position
            if abs(distance) <= Self.reach {
                if let last { function.blocks[last].terminator = .jump(target) }
                return first ?? target
            }
            guard let index = farthestIsland(from: position, towards: starts[target], islands) else {
                throw CompilerError(.jumpTooFar(distance: distance))
            }
            if let block = islands[index].jumps[target] {
                if let last { function.blocks[last].terminator = .jump(block) }
                return first ?? block
            }
            let block = function.makeBlock()
            islands[index].jumps[target] = block
            if let last { function.blocks[last].terminator = .jump(block) }
            first = first ?? block
            last = block
            position = distance > 0 ? islands[index].start + islands[index].size : islands[index].start
        }
    }

    /// The island nearest to `target` among those all of which is within reach of `position` and on the way there.
    private func farthestIsland(from position: Int, towards target: Int, _ islands: [Island]) -> Int? {
        if target > position {
            return islands.lastIndex {
                $0.start >= position && $0.start + $0.size - position <= Self.reach
            }
        }
        return islands.firstIndex { position - $0.start <= Self.reach && $0.start + $0.size <= position }
    }
}
