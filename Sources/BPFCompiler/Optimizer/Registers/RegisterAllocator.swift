import ExtendedBPF

/// Gives every virtual register one of the machine's, by linear scan over the stretches in which each is alive.
///
/// `r0` is the result's, and others' only where that is not kept; `r10` is the stack's. Where these are not enough, what is read least often goes to the stack, and
/// the scan starts again. Source: M. Poletto, V. Sarkar, "Linear scan register allocation", 1999; with stretches instead
/// of intervals, so that what lives in a rare block only does not take a register elsewhere.
struct RegisterAllocator {
    private var function: MachineFunction
    private let order: [Int]

    /// Chooses the machine registers of `function`, whose blocks will stand in the order `order`.
    static func allocate(_ function: inout MachineFunction, _ order: [Int]) {
        var allocator = RegisterAllocator(function: function, order: order)
        var unspillable: Set<MachineRegister> = []
        while let spilled = allocator.assign(unspillable) { allocator.spill(spilled, &unspillable) }
        function = allocator.function
    }

    /// The registers to choose from, those first that calls destroy.
    private static let choices = (1...9).map { MachineRegister(number: $0) } + [.result]

    /// Assigns all registers, or returns one that has to go to the stack.
    private mutating func assign(_ unspillable: Set<MachineRegister>) -> MachineRegister? {
        let ranges = LiveRanges(function, order)
        var taken = (0...9).map { Occupation(ranges.stretches[$0]) }
        var hints: [[MachineRegister]] = Array(repeating: [], count: function.registerCount)
        for (left, right) in ranges.copies {
            hints[left.number].append(right)
            hints[right.number].append(left)
        }
        var assignment = [MachineRegister?](repeating: nil, count: function.registerCount)
        for number in 0...10 { assignment[number] = MachineRegister(number: number) }
        let virtual = (11..<function.registerCount).filter { !ranges.stretches[$0].isEmpty }
            .sorted { (ranges.stretches[$0][0].lowerBound, $0) < (ranges.stretches[$1][0].lowerBound, $1) }
        for number in virtual {
            let stretches = ranges.stretches[number]
            let preferred = hints[number].compactMap { assignment[$0.number] }.filter { Self.choices.contains($0) }
            let choice = (preferred + Self.choices).first { taken[$0.number].isFree(during: stretches) }
            guard let choice else {
                return victim(for: number, ranges, assignment, unspillable)
            }
            assignment[number] = choice
            taken[choice.number].add(stretches)
        }
        rewrite { assignment[$0.number] ?? $0 }
        return nil
    }

    /// What is read least in proportion to how long it is kept, among what is alive together with `number`.
    private func victim(
        for number: Int, _ ranges: LiveRanges, _ assignment: [MachineRegister?], _ unspillable: Set<MachineRegister>
    ) -> MachineRegister {
        func weight(_ register: Int) -> Double {
            let length = ranges.stretches[register].reduce(0) { $0 + $1.count }
            return Double(ranges.uses[register]) / Double(length)
        }
        let candidates = (11..<function.registerCount).filter { other in
            !unspillable.contains(MachineRegister(number: other)) && !ranges.stretches[other].isEmpty
                && (other == number || assignment[other] != nil)
                && Occupation(ranges.stretches[number]).isFree(during: ranges.stretches[other]) == false
        }
        guard let victim = candidates.min(by: { (weight($0), $0) < (weight($1), $1) }) else {
            preconditionFailure("every register is alive for an instruction only, and there are not enough")
        }
        return MachineRegister(number: victim)
    }

    /// Keeps `register` on the stack: it is loaded in front of each read and stored behind each write.
    private mutating func spill(_ register: MachineRegister, _ unspillable: inout Set<MachineRegister>) {
        let place = Int16(function.reserveStack(8))
        for number in function.blocks.indices {
            var instructions: [MachineInstruction] = []
            for instruction in function.blocks[number].instructions {
                guard instruction.dst == register || instruction.src == register else {
                    instructions.append(instruction)
                    continue
                }
                let copy = function.makeRegister()
                unspillable.insert(copy)
                if instruction.reads.contains(register) {
                    instructions.append(load(copy, place, instruction.origin))
                }
                instructions.append(instruction.mapRegisters { $0 == register ? copy : $0 })
                if instruction.writes.contains(register) {
                    instructions.append(store(copy, place, instruction.origin))
                }
            }
            if function.blocks[number].terminator.reads.contains(register) {
                let copy = function.makeRegister()
                unspillable.insert(copy)
                instructions.append(load(copy, place, function.blocks[number].origin))
                function.blocks[number].terminator = function.blocks[number].terminator.mapRegisters {
                    $0 == register ? copy : $0
                }
            }
            function.blocks[number].instructions = instructions
        }
    }

    private func load(_ register: MachineRegister, _ place: Int16, _ origin: Int) -> MachineInstruction {
        MachineInstruction(
            instruction: .load(.doubleword, .r0, .r0, place), dst: register, src: .frame, origin: origin)
    }

    private func store(_ register: MachineRegister, _ place: Int16, _ origin: Int) -> MachineInstruction {
        MachineInstruction(
            instruction: .store(.doubleword, .r0, place, .r0), dst: .frame, src: register, origin: origin)
    }

    /// Puts the registers that `choice` names in their places, and drops copies of a register to itself.
    private mutating func rewrite(_ choice: (MachineRegister) -> MachineRegister) {
        for number in function.blocks.indices {
            function.blocks[number].instructions = function.blocks[number].instructions
                .map { $0.mapRegisters(choice) }.filter { !($0.isMove && $0.dst == $0.src) }
            function.blocks[number].terminator = function.blocks[number].terminator.mapRegisters(choice)
        }
    }
}

/// The stretches of a program during which a machine register is taken.
private struct Occupation {
    /// In ascending order.
    private var stretches: [Range<Int>]

    init(_ stretches: [Range<Int>]) { self.stretches = stretches }

    func isFree(during others: [Range<Int>]) -> Bool {
        guard let first = others.first else { return true }
        var place = firstPlace(endingBehind: first.lowerBound)
        for other in others {
            while place < stretches.count, stretches[place].upperBound <= other.lowerBound { place += 1 }
            if place < stretches.count, stretches[place].lowerBound < other.upperBound { return false }
        }
        return true
    }

    mutating func add(_ others: [Range<Int>]) {
        for other in others { stretches.insert(other, at: firstPlace(endingBehind: other.lowerBound)) }
    }

    /// The place of the first stretch that ends behind `moment`.
    private func firstPlace(endingBehind moment: Int) -> Int {
        var (low, high) = (0, stretches.count)
        while low < high {
            let middle = (low + high) / 2
            if stretches[middle].upperBound <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
