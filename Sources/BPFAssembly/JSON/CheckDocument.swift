import ClassicBPF

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What is wrong with a classic program, as one JSON object. `Grammar/check.schema.json` describes it.
public struct CheckDocument: Encodable, Hashable, Sendable {
    /// The name of the form, or nil where it could not be guessed.
    public var form: String?
    /// The number of instructions, or nil where they could not be read.
    public var instructions: Int?
    /// The rule sets that accept the program.
    public var acceptedBy: [Rules]
    /// What each that takes classic programs says of it; none where they could not be read.
    public var dialects: [DialectEntry]
    /// All that was found, in the order of the program or text.
    public var findings: [Finding]

    /// The rule sets there are.
    public enum Rules: String, Encodable, CaseIterable, Sendable {
        /// What Linux asks of a filter.
        case kernel
        /// What libpcap asks of one.
        case libpcap

        fileprivate var set: RuleSet { self == .kernel ? .kernel : .libpcap }
    }

    /// One thing that is wrong.
    public struct Finding: Encodable, Hashable, Sendable {
        /// The rule sets that it is against; none for a text that cannot be read.
        public var rules: [Rules]
        /// The index of the instruction, where it is one's.
        public var instruction: Int?
        /// The line, counted from 1; nil in binary forms and for the program as a whole.
        public var line: Int?
        /// The byte in the line or, without a line, in the file, counted from 1, where something cannot be read.
        public var column: Int?
        /// What was found and what would be right.
        public var message: String
    }

    /// What one that takes classic programs says.
    public struct DialectEntry: Encodable, Hashable, Sendable {
        /// Its name.
        public var name: String
        /// Whether it takes the program.
        public var accepts: Bool
        /// From which release of Linux on; nil where it does not, or is none of Linux.
        public var linux: String?
        /// What makes that release later than its own, or why it does not take the program; nil where nothing does.
        public var reason: String?
        /// The instruction that this is about.
        public var instruction: Int?

        init(_ verdict: DialectVerdict) {
            name = verdict.dialect.rawValue
            accepts = verdict.refusal == nil
            linux = verdict.release?.description
            reason = verdict.refusal?.reason.description ?? verdict.need?.name
            instruction = verdict.refusal?.instruction ?? verdict.need?.instruction
        }
    }

    enum CodingKeys: String, CodingKey {
        case form, instructions, dialects, findings
        case acceptedBy = "accepted_by"
    }

    /// Checks a program that could be read.
    public init(_ source: ClassicSource, form: ClassicForm) {
        self.form = form.rawValue
        instructions = source.instructions.count
        var rulesBroken: [ValidationError: [Rules]] = [:]
        var order: [ValidationError] = []
        for rules in Rules.allCases {
            for error in rules.set.findings(in: source.instructions) {
                if rulesBroken[error] == nil { order.append(error) }
                rulesBroken[error, default: []].append(rules)
            }
        }
        order.sort { ($0.instruction ?? -1) < ($1.instruction ?? -1) }
        findings = order.map { error in
            let line = error.instruction.flatMap { source.lines.indices.contains($0) ? source.lines[$0] : nil }
            return Finding(
                rules: rulesBroken[error]!, instruction: error.instruction, line: line,
                message: error.reason.description)
        }
        let broken = Set(findings.flatMap(\.rules))
        acceptedBy = Rules.allCases.filter { !broken.contains($0) }
        dialects = ClassicDialect.allCases.map { DialectEntry($0.verdict(on: source.instructions)) }
    }

    /// Describes a text that could not be read.
    public init(_ errors: AssemblyErrors, form: ClassicForm?) {
        self.form = form?.rawValue
        acceptedBy = []
        dialects = []
        findings = errors.errors.map {
            Finding(
                rules: [], line: $0.line == 0 ? nil : $0.line, column: $0.column, message: $0.reason.description)
        }
    }

    /// The object as JSON text with a line feed behind it; keys are sorted.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}
