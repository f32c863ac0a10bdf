/// A classic BPF program, also called a filter, that satisfies at least one known set of rules.
///
/// A program cannot be made without being validated, so what takes one needs no checks of its own: every code is
/// known, every jump stays inside and execution cannot run past the end.
public struct Program: Hashable, Sendable {
    /// The instructions, at least one.
    public let instructions: [Instruction]

    /// The rule sets the program satisfies.
    public let rules: RuleSet

    /// Makes a program of `instructions` if they satisfy all of `required`.
    ///
    /// - Throws: The first broken rule of the first set of `required` that is not satisfied.
    /// - Complexity: O(*n*) in the number of instructions.
    public init(_ instructions: [Instruction], satisfying required: RuleSet = .kernel) throws(ValidationError) {
        precondition(!required.isEmpty, "a program satisfies at least one rule set")
        var satisfied: RuleSet = []
        for rules in [RuleSet.kernel, .libpcap] {
            do {
                try rules.validate(instructions)
                satisfied.insert(rules)
            } catch {
                if required.contains(rules) { throw error }
            }
        }
        self.instructions = instructions
        self.rules = satisfied
    }

    /// The number of instructions.
    public var count: Int { instructions.count }

    /// The meaning of the instruction at `index`.
    ///
    /// - Precondition: `index` is in 0 ..< ``count``.
    public func operation(at index: Int) -> Operation {
        guard let operation = instructions[index].operation else {
            preconditionFailure("a validated program has an unknown code")
        }
        return operation
    }
}
