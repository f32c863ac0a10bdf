import ClassicBPF
import ExtendedBPF

extension Translation {
    /// Ends the program with what the hook is to get for the filter's number.
    mutating func emitReturn(_ value: Operation.ReturnValue) {
        switch (value, verdicts) {
        case (.constant(let k), nil): emitReturn(k)
        case (.constant(let k), let verdicts?): emitReturn(k == 0 ? verdicts.noMatch.value : verdicts.match.value)
        case (.a, nil): assembler.append(.exit)
        case (.a, let verdicts?):
            assembler.append(.jump64(if: a, .notEqual, 0, 2))
            emitReturn(verdicts.noMatch.value)
            emitReturn(verdicts.match.value)
        }
    }

    /// Ends the filter with 0, in two instructions.
    mutating func emitReturnZero() {
        assembler.append(dialect == .kernel ? .alu32(.xor, a, a) : .move32(a, 0))
        assembler.append(.exit)
    }

    private mutating func emitReturn(_ number: UInt32) {
        assembler.append(.move32(a, number))
        assembler.append(.exit)
    }

    private var verdicts: (match: Verdict, noMatch: Verdict)? {
        guard case .loadable(let target) = dialect, case .verdict(let match, let noMatch) = target.result else {
            return nil
        }
        return (match, noMatch)
    }
}

/// Turns a filter's number into the two verdicts of a hook.
struct VerdictWrapper {
    let target: Target

    init(_ target: Target) { self.target = target }

    /// Translates `filter` for the target.
    ///
    /// LD_ABS and LD_IND outside the packet end the function they are in with 0, whatever the verdict for "no match"
    /// is. Where that is 0 too, the verdicts can stand in place of the filter's numbers. Where it is not, the filter
    /// becomes a function of its own, and the entry maps what it returns.
    func translate(
        _ filter: ClassicBPF.Program, named name: String
    ) throws(CompilerError) -> ExtendedBPF.Program {
        guard case .verdict(let match, let noMatch) = target.result, noMatch.value != 0 else {
            return ExtendedBPF.Program(functions: [
                try Translation(filter, .loadable(target), named: name).run()
            ])
        }
        let number = Target(hook: target.hook, result: .number)
        let callee = "\(name)_number"
        return ExtendedBPF.Program(functions: [
            entry(named: name, calling: callee, match, noMatch),
            try Translation(filter, .loadable(number), named: callee).run(),
        ])
    }

    private func entry(named name: String, calling callee: String, _ match: Verdict, _ noMatch: Verdict) -> Function {
        Function(
            name: name,
            instructions: [
                .call(localAt: 0),
                .jump64(if: .r0, .notEqual, 0, 2),
                .move32(.r0, noMatch.value),
                .exit,
                .move32(.r0, match.value),
                .exit,
            ],
            references: [0: .function(callee)],
            lines: [LineMark(instruction: 0, line: 1)])
    }
}
