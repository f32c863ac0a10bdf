import ArgumentParser
import PacketFilter

/// What the program is for: the hook and the verdicts there.
struct TargetOptions: ParsableArguments {
    @Option(help: "The kernel's hook the program is for.")
    var hook: Hook = .socket

    // "Unconditional" takes a negative number for a value, not for an option.
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What a packet that matches gets: a verdict of the hook or a number.", valueName: "verdict"))
    var match: String?

    @Option(
        name: .customLong("no-match"), parsing: .unconditional,
        help: ArgumentHelp(
            "What other packets get. (default: they pass, on a socket they are dropped)", valueName: "verdict"))
    var noMatch: String?

    func validate() throws {
        _ = try target()
    }

    /// The target the options ask for.
    func target() throws -> Target {
        let names = hook.verdicts.map(\.name).joined(separator: ", ")
        guard let match else {
            if !hook.verdicts.isEmpty {
                throw ValidationError("The \(hook.rawValue) hook needs --match, what to do with matches: \(names).")
            }
            if noMatch != nil {
                throw ValidationError("--no-match needs --match beside it.")
            }
            return Target(hook: hook, result: .number)
        }
        let pass = hook.verdicts.first ?? Verdict(value: 0)
        return Target(
            hook: hook,
            result: .verdict(
                match: try verdict(match, "--match"),
                noMatch: try noMatch.map { try verdict($0, "--no-match") } ?? pass))
    }

    private func verdict(_ text: String, _ option: String) throws -> Verdict {
        if let named = hook.verdicts.first(where: { $0.name == text }) { return named }
        if let number = Int64(text), (Int64(Int32.min)...Int64(UInt32.max)).contains(number) {
            return Verdict(value: UInt32(truncatingIfNeeded: number))
        }
        let choices = (hook.verdicts.map(\.name) + ["a 32-bit number"]).joined(separator: ", ")
        throw ValidationError(
            "'\(text)' is no verdict for \(option) on the \(hook.rawValue) hook, which takes \(choices).")
    }
}

extension Hook: ExpressibleByArgument {}
