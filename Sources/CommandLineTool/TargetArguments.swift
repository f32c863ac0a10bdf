import ArgumentParser
import PacketFilter

extension CompileCommand {
    /// The hook the arguments ask for.
    var hook: Hook {
        get throws { try choice(hookName, of: "--hook", or: .socket) }
    }

    /// The target the arguments ask for.
    ///
    /// - Throws: `ValidationError` where the hook needs a verdict, or has none of that name.
    func target() throws -> Target {
        let hook = try hook
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
                match: try verdict(match, "--match", hook),
                noMatch: try noMatch.map { try verdict($0, "--no-match", hook) } ?? pass))
    }

    private func verdict(_ text: String, _ option: String, _ hook: Hook) throws -> Verdict {
        // People also write SHOT, and TC_ACT_SHOT as in the kernel's header.
        let name = text.lowercased().replacing("tc_act_", with: "")
        if let named = hook.verdicts.first(where: { $0.name == name }) { return named }
        if let number = Int64(text), (Int64(Int32.min)...Int64(UInt32.max)).contains(number) {
            return Verdict(value: UInt32(truncatingIfNeeded: number))
        }
        let names = hook.verdicts.isEmpty ? "" : hook.verdicts.map(\.name).joined(separator: ", ") + " or "
        throw ValidationError(
            "'\(text)' is no verdict for \(option) on the \(hook.rawValue) hook, which takes \(names)"
                + "a decimal 32-bit number.")
    }
}
