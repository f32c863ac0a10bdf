import ArgumentParser
import PacketFilter

extension CompileCommand {
    /// The hook the arguments ask for.
    var hook: Hook {
        get throws {
            guard let hookName else { return .socket }
            do {
                return try Hook(named: hookName)
            } catch {
                throw ValidationError("--hook: \(error).")
            }
        }
    }

    /// The target the arguments ask for.
    ///
    /// - Throws: `ValidationError` where the hook needs a verdict, takes none, or has none of that name.
    func target() throws -> Target {
        var target = try verdictTarget()
        target.vlan = try view
        return target
    }

    /// The view of the packet that the arguments ask for, or nil where they leave it to the filter.
    var view: VLANView? {
        get throws { try vlanName.map { try choice($0, of: "--vlan", or: .bytes) } }
    }

    private func verdictTarget() throws -> Target {
        let hook = try hook
        guard let match else {
            guard noMatch == nil || !hook.takesVerdicts else {
                throw ValidationError("--no-match needs --match beside it.")
            }
            try refuseVerdicts(on: hook)
            guard let target = Target(hook: hook) else {
                throw ValidationError(
                    "The \(hook) hook needs --match, what to do with matches: \(names(of: hook.verdicts)).")
            }
            return target
        }
        try refuseVerdicts(on: hook)
        return Target(
            hook: hook, match: try verdict(match, "--match", hook),
            noMatch: try noMatch.map { try verdict($0, "--no-match", hook) })
    }

    private func refuseVerdicts(on hook: Hook) throws {
        guard match != nil || noMatch != nil, !hook.takesVerdicts else { return }
        let reason = hook.isFunction ? "a function returns 1 or 0" : "a program there only looks at packets"
        throw ValidationError("The \(hook) hook takes no verdicts, \(reason): leave out --match and --no-match.")
    }

    private func verdict(_ text: String, _ option: String, _ hook: Hook) throws -> Verdict {
        guard let verdict = named(text, hook) ?? number(text, hook) else {
            let names = hook.verdicts.isEmpty ? "" : names(of: hook.verdicts) + " or "
            throw ValidationError(
                "'\(text)' is no verdict for \(option) on the \(hook) hook, which takes \(names)\(numbers(hook)).")
        }
        return verdict
    }

    /// People also write SHOT, and TC_ACT_SHOT as in the kernel's headers.
    private func named(_ text: String, _ hook: Hook) -> Verdict? {
        let name = text.lowercased()
        let prefixes = ["", "tc_act_", "tcx_", "netkit_", "xdp_", "bpf_lwt_", "bpf_", "nf_"]
        return hook.verdicts.first { verdict in prefixes.contains { $0 + verdict.name == name } }
    }

    private func number(_ text: String, _ hook: Hook) -> Verdict? {
        guard let number = Int64(text), (Int64(Int32.min)...Int64(UInt32.max)).contains(number) else { return nil }
        let value = UInt32(truncatingIfNeeded: number)
        guard hook.allowedResults?.contains(value) != false else { return nil }
        return Verdict(value: value)
    }

    private func numbers(_ hook: Hook) -> String {
        guard let allowed = hook.allowedResults else { return "a decimal 32-bit number" }
        return "a number of \(allowed.lowerBound) to \(allowed.upperBound)"
    }

    private func names(of verdicts: [Verdict]) -> String { verdicts.map(\.name).joined(separator: ", ") }
}
