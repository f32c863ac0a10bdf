import ClassicBPF
import ExtendedBPF

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
            Self.entry(named: name, calling: callee, match, noMatch),
            try Translation(filter, .loadable(number), named: callee).run(),
        ])
    }

    /// A function that calls `callee` and returns a verdict for its number.
    static func entry(named name: String, calling callee: String, _ match: Verdict, _ noMatch: Verdict) -> Function {
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
