import ExtendedBPF

extension ExtendedSource {
    /// The program that the instructions are, the first function being the entry.
    ///
    /// A function begins at the first instruction, where a call or `subprog[…]` leads, at a declaration in C, and at a
    /// label behind an `exit` or `goto` that no jump names. It is called as its label or, without one, after its slot;
    /// the entry without one is called `filter`. Line marks count the lines of the text.
    ///
    /// - Throws: An error for each jump or call that leads to no instruction, or out of its function.
    public func program() throws(AssemblyErrors) -> Program {
        var errors = ErrorCollector()
        let places = SlotPlaces(instructions)
        var starts: Set<Int> = [0]
        for (index, instruction) in instructions.enumerated() where instruction.namesFunction(references[index]) {
            let distance = Int(instruction.imm)
            if let target = places.instruction(at: places.slots[index] + 1 + distance) {
                starts.insert(target)
            } else {
                errors.add(AssemblyError(.jumpOutside(distance: distance), line: lines[index], column: 1))
            }
        }
        for label in labels where label.instruction < instructions.count {
            let isApart = !label.isJumpTarget && label.instruction > 0 && instructions[label.instruction - 1].endsFlow
            if label.isFunction || isApart { starts.insert(label.instruction) }
        }
        let order = starts.sorted()
        let names = names(of: order, places)
        var functions: [Function] = []
        for (number, start) in order.enumerated() {
            let end = number + 1 < order.count ? order[number + 1] : instructions.count
            functions.append(function(names[start]!, start..<end, names, places, &errors))
        }
        try errors.finish()
        return Program(functions: functions, data: tables, maps: maps)
    }

    private func names(of starts: [Int], _ places: SlotPlaces) -> [Int: String] {
        var names: [Int: String] = [:]
        for label in labels where names[label.instruction] == nil || label.isFunction {
            names[label.instruction] = label.name
        }
        let taken = Set(labels.map(\.name))
        return starts.reduce(into: [:]) { result, start in
            var name = names[start] ?? (start == 0 ? "filter" : "function_\(places.slots[start])")
            while names[start] == nil, taken.contains(name) { name += "_" }
            result[start] = name
        }
    }

    private func function(
        _ name: String, _ range: Range<Int>, _ names: [Int: String], _ places: SlotPlaces,
        _ errors: inout ErrorCollector
    ) -> Function {
        var function = Function(name: name, instructions: Array(instructions[range]))
        var lastLine = 0
        for index in range {
            let instruction = instructions[index]
            let place = index - range.lowerBound
            if lines[index] != lastLine {
                lastLine = lines[index]
                function.lines.append(LineMark(instruction: place, line: lastLine))
            }
            if let reference = references[index] {
                function.references[place] = reference
            } else if instruction.namesFunction(nil) {
                let target = places.instruction(at: places.slots[index] + 1 + Int(instruction.imm))
                if let callee = target.flatMap({ names[$0] }) { function.references[place] = .function(callee) }
            } else if let distance = instruction.jumpDistance {
                let target = places.instruction(at: places.slots[index] + 1 + distance)
                guard target.map(range.contains) ?? false else {
                    errors.add(AssemblyError(.jumpOutside(distance: distance), line: lines[index], column: 1))
                    continue
                }
            }
        }
        return function
    }
}

/// Which slots instructions begin at.
private struct SlotPlaces {
    private(set) var slots: [Int] = []
    private var instructions: [Int32] = []

    init(_ instructions: [Instruction]) {
        for (index, instruction) in instructions.enumerated() {
            slots.append(self.instructions.count)
            self.instructions.append(Int32(index))
            if instruction.isWide { self.instructions.append(-1) }
        }
    }

    /// The index of the instruction that begins at `slot`, or nil.
    func instruction(at slot: Int) -> Int? {
        guard instructions.indices.contains(slot), instructions[slot] >= 0 else { return nil }
        return Int(instructions[slot])
    }
}

extension Instruction {
    /// Whether `imm` is the distance to a function of the program.
    fileprivate func namesFunction(_ reference: Reference?) -> Bool {
        reference == nil && (callKind == .local || isWide && WideKind(rawValue: srcReg.rawValue) == .localFunction)
    }

    /// Whether the next instruction is not reached from here.
    fileprivate var endsFlow: Bool { [.exit, .jump, .jumpLong].contains(opcode) }
}
