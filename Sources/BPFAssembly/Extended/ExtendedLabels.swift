import ExtendedBPF

// Labels, and what names them.
extension ExtendedReader {
    /// Where a label stands.
    struct LabelPlace {
        var name: Range<Int>
        var index: Int
        var slot: Int
        var isFunction: Bool
        var isJumpTarget = false
    }

    /// Where one is named.
    struct LabelUse {
        /// The label's number in the table.
        var label: Int
        var index: Int
        var slot: Int
        var line: Int
        var column: Int
    }

    /// Keeps a label in front of the next instruction.
    mutating func addLabel(
        _ name: Range<Int>, at place: (line: Int, column: Int), isFunction: Bool
    ) throws(AssemblyError) {
        let number = labelTable.number(of: name, in: scanner.text)
        let first = Int(labelTable.labels[number].line)
        guard first == 0 else {
            throw AssemblyError(
                .duplicateLabel(quotation(scanner.text[name]), firstLine: first), line: place.line,
                column: place.column)
        }
        labelTable.define(number, line: place.line)
        labelTable.setTarget(number, labels.count)
        labels.append(LabelPlace(name: name, index: index, slot: nextSlot, isFunction: isFunction))
        isBehindLabel = true
    }

    /// Says that the instruction that is being read names a label, which may follow later.
    mutating func useLabel(_ name: Range<Int>, at place: (line: Int, column: Int)) {
        let label = labelTable.number(of: name, in: scanner.text)
        uses.append(LabelUse(label: label, index: index, slot: nextSlot, line: place.line, column: place.column))
    }

    /// Puts what labels stand for into the instructions that name them.
    mutating func resolveLabels() -> [ExtendedSource.Label] {
        for use in uses where use.index < instructions.count && !errors.isFull {
            let target = Int(labelTable.labels[use.label].target)
            do throws(AssemblyError.Reason) {
                if target < 0 { try resolveElsewhere(use) } else { try resolve(use, labels[target]) }
            } catch {
                errors.add(AssemblyError(error, line: use.line, column: use.column))
            }
            if target >= 0, instructions[use.index].isJump { labels[target].isJumpTarget = true }
        }
        return labels.map { label in
            ExtendedSource.Label(
                name: text(label.name), instruction: label.index, isFunction: label.isFunction,
                isJumpTarget: label.isJumpTarget)
        }
    }

    /// Puts the distance to `label` into the instruction.
    private mutating func resolve(_ use: LabelUse, _ label: LabelPlace) throws(AssemblyError.Reason) {
        let distance = label.slot - use.slot - 1
        if instructions[use.index].isJump, instructions[use.index].opcode != .jumpLong {
            guard let offset = Int16(exactly: distance) else {
                throw .outsideRange(
                    found: "\(distance)", field: "the distance of a jump", minimum: -32768, maximum: 32767)
            }
            instructions[use.index].offset = offset
        } else {
            guard let imm = Int32(exactly: distance) else { throw .jumpOutside(distance: distance) }
            instructions[use.index].imm = imm
        }
    }

    /// What a name stands for that is no label: a helper function's or a kernel function's, or a map's.
    private mutating func resolveElsewhere(_ use: LabelUse) throws(AssemblyError.Reason) {
        let index = use.index
        let range = labelTable.range(use.label)
        if instructions[index].isJump { throw .undefinedLabel(quotation(scanner.text[range])) }
        let name = text(range)
        if instructions[index].isWide {
            let isTable = declaredTables.contains(name)
            instructions[index].srcReg = isTable ? .r2 : .r1
            references[index] = isTable ? .data(name, offset: 0) : .map(name)
        } else if let number = HelperName.numbers[name] {
            instructions[index].srcReg = .r0
            instructions[index].imm = number
        } else {
            instructions[index].srcReg = .r2
            references[index] = .kernelFunction(name)
        }
    }
}

extension Instruction {
    /// Whether a label in it is where it jumps to.
    fileprivate var isJump: Bool { opcode != .call && opcode != .loadWide }
}
