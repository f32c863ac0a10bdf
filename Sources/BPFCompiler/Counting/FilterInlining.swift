import ExtendedBPF

extension Assembler {
    /// Appends the instructions of `part`, which lead to `match` or `next` by what it would have returned.
    ///
    /// Filters put their result into r0 early and change it late, so that for most ways to an end it is known which one
    /// that is, and nothing has to be asked there.
    ///
    /// - Precondition: The part is one function that can match, and `match` is placed right behind.
    package mutating func inline(_ part: FilterPart, match: Label, next: Label) {
        precondition(part.program.functions.count == 1, "functions that call each other are called")
        let filter = part.program.entry
        let ends = FilterEnds(of: filter)
        let (targets, results) = (ends.targets, ends.results)
        let last = ends.reached.lastIndex(of: true)!
        let lines = Dictionary(filter.lines.map { ($0.instruction, $0.line) }) { $1 }
        let labels = Dictionary(
            uniqueKeysWithValues: Set(targets.compactMap(\.self)).sorted().map { ($0, makeLabel()) })
        for (index, instruction) in filter.instructions.enumerated() where ends.reached[index] {
            if let label = labels[index] { place(label) }
            if let line = lines[index] { mark(line: line) }
            if instruction == .exit {
                if results[index] == .unknown { append(.jump64(if: .r0, .equal, 0, 0), to: next) }
                if results[index] == .known(0) {
                    append(.jump(0), to: next)
                } else if index != last {
                    append(.jump(0), to: match)
                }
            } else if let target = targets[index] {
                if let result = ends.result(ofJumpAt: index) {
                    append(instruction, to: result == 0 ? next : match)
                } else {
                    append(instruction, to: labels[target]!)
                }
            } else {
                append(instruction, filter.references[index])
            }
        }
    }
}

extension FilterPart {
    /// Whether some packet may match; false is certain for a part that can be put into a function, true for none.
    package var canMatch: Bool { !isInlinable || FilterEnds(of: program.entry).hasMatch }
}

/// Where the ways through a filter end, when it is put into another function.
private struct FilterEnds {
    private let filter: Function
    /// By instruction, where a jump leads.
    let targets: [Int?]
    /// By instruction, what is known of r0 in front of it.
    let results: [Result]
    /// By instruction, whether it is still reached when jumps to an end lead to where that end leads. The verifier wants
    /// no others.
    private(set) var reached: [Bool]

    init(of filter: Function) {
        self.filter = filter
        let slots = filter.slots
        let numbers = Dictionary(uniqueKeysWithValues: slots.enumerated().map { ($1.rawValue, $0) })
        targets = filter.instructions.indices.map { index in
            filter.instructions[index].jumpDistance.map {
                numbers[slots[index].rawValue + filter.instructions[index].slots + $0]!
            }
        }
        results = filter.knownResults(targets)
        reached = Array(repeating: false, count: filter.instructions.count)
        var pending = [0]
        while let index = pending.popLast() {
            if reached[index] { continue }
            reached[index] = true
            let instruction = filter.instructions[index]
            if let target = targets[index], result(ofJumpAt: index) == nil { pending.append(target) }
            if ![.exit, .jump, .jumpLong].contains(instruction.opcode) { pending.append(index + 1) }
        }
    }

    /// What the filter returns where the jump at `index` is taken, if that is known and all that comes.
    func result(ofJumpAt index: Int) -> Int32? {
        guard let target = targets[index], filter.instructions[target] == .exit,
            case .known(let result) = results[index]
        else { return nil }
        return result
    }

    /// Whether some way ends with a match.
    var hasMatch: Bool {
        filter.instructions.indices.contains { index in
            guard reached[index] else { return false }
            if filter.instructions[index] == .exit { return results[index] != .known(0) }
            return result(ofJumpAt: index).map { $0 != 0 } ?? false
        }
    }
}

/// What is known of r0 in front of an instruction.
private enum Result: Equatable {
    case unreached
    case known(Int32)
    case unknown

    /// What is known where two ways meet.
    func joined(_ other: Result) -> Result {
        if self == other || other == .unreached { return self }
        return self == .unreached ? other : .unknown
    }
}

extension Function {
    /// By instruction, what is known of r0 in front of it; `targets` has for jumps where they lead.
    fileprivate func knownResults(_ targets: [Int?]) -> [Result] {
        var results = [Result](repeating: .unreached, count: instructions.count)
        results[0] = .unknown
        var pending = [0]
        while let index = pending.popLast() {
            let instruction = instructions[index]
            let after = instruction.result(behind: results[index])
            var ways = targets[index].map { [($0, after)] } ?? []
            if ![.exit, .jump, .jumpLong].contains(instruction.opcode) {
                // Calls that say whether they have done it are followed by one of these.
                let isZero = instruction == .jump64(if: .r0, .notEqual, 0, instruction.offset)
                ways.append((index + 1, isZero ? .known(0) : after))
            }
            for (way, result) in ways {
                let joined = results[way].joined(result)
                if joined != results[way] {
                    results[way] = joined
                    pending.append(way)
                }
            }
        }
        return results
    }
}

extension Instruction {
    /// What is known of r0 behind the instruction.
    fileprivate func result(behind before: Result) -> Result {
        if self == .move32(.r0, UInt32(bitPattern: imm)) || self == .move64(.r0, imm) { return .known(imm) }
        switch opcode.instructionClass {
        case .alu, .alu64, .ldx: return dstReg == .r0 ? .unknown : before
        // Packet loads answer in r0.
        case .ld: return isWide && dstReg != .r0 ? before : .unknown
        // Atomic operations may answer in a register of theirs, `compare and exchange` in r0.
        case .stx: return opcode.mode == .atomic ? .unknown : before
        case .st: return before
        case .jmp, .jmp32: return opcode == .call ? .unknown : before
        }
    }
}
