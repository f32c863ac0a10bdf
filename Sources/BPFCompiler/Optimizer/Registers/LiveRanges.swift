/// When each register holds something that is still read, as stretches of the program.
///
/// The instructions are counted in the order of the blocks; each has two moments, first it reads, then it writes.
struct LiveRanges {
    /// By register, its stretches in ascending order, none touching the next.
    private(set) var stretches: [[Range<Int>]]
    /// By register, how often it is read or written.
    private(set) var uses: [Int]
    /// Pairs of registers of which one is copied to the other, in the order of the program.
    private(set) var copies: [(MachineRegister, MachineRegister)] = []

    /// Finds the ranges of `function`, its blocks standing in the order `order`.
    init(_ function: MachineFunction, _ order: [Int]) {
        let liveness = Liveness(function)
        stretches = Array(repeating: [], count: function.registerCount)
        uses = Array(repeating: 0, count: function.registerCount)
        var builder = Builder(registerCount: function.registerCount)
        var end = 2 * order.reduce(0) { $0 + function.blocks[$1].instructions.count + 1 }
        // Backwards, so that a read opens a stretch and a write closes it.
        for number in order.reversed() {
            let block = function.blocks[number]
            let start = end - 2 * (block.instructions.count + 1)
            for register in liveness.atEnd(number) { builder.open(register, at: end) }
            var moment = end - 2
            for register in block.terminator.reads { read(register, at: moment, &builder) }
            for instruction in block.instructions.reversed() {
                moment -= 2
                for register in instruction.writes { write(register, at: moment + 1, &builder) }
                for register in instruction.reads { read(register, at: moment, &builder) }
                if instruction.isMove { copies.append((instruction.dst!, instruction.src!)) }
            }
            for register in liveness.atStart(number) { builder.close(register, at: start) }
            end = start
        }
        stretches = builder.finished()
        copies.reverse()
    }

    private mutating func read(_ register: MachineRegister, at moment: Int, _ builder: inout Builder) {
        guard register != .frame else { return }
        uses[register.number] += 1
        builder.open(register, at: moment + 1)
    }

    private mutating func write(_ register: MachineRegister, at moment: Int, _ builder: inout Builder) {
        uses[register.number] += 1
        builder.write(register, at: moment)
    }

    /// Collects stretches from the end of the program to its start.
    private struct Builder {
        private var ends: [Int?]
        private var stretches: [[Range<Int>]]

        init(registerCount: Int) {
            ends = Array(repeating: nil, count: registerCount)
            stretches = Array(repeating: [], count: registerCount)
        }

        /// It is read last just before `moment`, unless that is known to be later.
        mutating func open(_ register: MachineRegister, at moment: Int) {
            if ends[register.number] == nil { ends[register.number] = moment }
        }

        /// It is written at `moment`; what it held before is of no interest. What nobody reads is held for a moment.
        mutating func write(_ register: MachineRegister, at moment: Int) {
            add(moment..<(ends[register.number] ?? moment + 1), to: register)
            ends[register.number] = nil
        }

        mutating func close(_ register: MachineRegister, at start: Int) {
            guard let end = ends[register.number] else { return }
            add(start..<end, to: register)
            ends[register.number] = nil
        }

        private mutating func add(_ stretch: Range<Int>, to register: MachineRegister) {
            if let last = stretches[register.number].last, last.lowerBound <= stretch.upperBound {
                stretches[register.number][stretches[register.number].count - 1] =
                    min(stretch.lowerBound, last.lowerBound)..<max(last.upperBound, stretch.upperBound)
            } else {
                stretches[register.number].append(stretch)
            }
        }

        func finished() -> [[Range<Int>]] { stretches.map { $0.reversed() } }
    }
}
