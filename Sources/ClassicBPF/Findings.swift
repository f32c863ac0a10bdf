extension RuleSet {
    /// What breaks the rules of the sets in `self`, in the order of the program, first what is wrong with all of it.
    ///
    /// Where ``validate(_:)`` stops at the first, this goes on. An instruction is found wrong once, and whether M[] is
    /// written is only asked where all jumps stay inside and all cells exist.
    /// - Complexity: O(*n*).
    public func findings(in instructions: [Instruction]) -> [ValidationError] {
        guard !instructions.isEmpty else { return [ValidationError(.emptyProgram)] }
        var findings: [ValidationError] = []
        for index in instructions.indices {
            do {
                try validate(instructions[index], at: index, count: instructions.count)
            } catch {
                findings.append(ValidationError(error, at: index))
            }
        }
        if contains(.kernel), findings.allSatisfy(\.reason.allowsFollowingJumps) {
            findings += unwrittenReads(in: instructions)
            findings.sort { $0.instruction! < $1.instruction! }
        }
        if case .result? = instructions.last?.operation {
        } else {
            findings.append(ValidationError(.missingReturn, at: instructions.count - 1))
        }
        if contains(.kernel), instructions.count > Self.maximumKernelInstructions {
            let limit = Self.maximumKernelInstructions
            findings.insert(ValidationError(.tooManyInstructions(count: instructions.count, limit: limit)), at: 0)
        }
        return findings
    }
}

extension ValidationError.Reason {
    /// Whether, all the same, every jump has a target and every cell is one.
    fileprivate var allowsFollowingJumps: Bool {
        switch self {
        case .noSuchMemory, .jumpOutOfRange: false
        default: true
        }
    }
}
