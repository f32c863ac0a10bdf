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
