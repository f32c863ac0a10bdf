/// What a filter is compiled for: a hook, and what its two answers become there.
public struct Target: Hashable, Sendable {
    /// The hook.
    public var hook: Hook
    /// What the filter's number becomes.
    public var result: Result
    /// The packet that the filter is shown; nil leaves it to the filter, which of itself is shown ``VLANView/bytes``.
    ///
    /// It is part of the target, not of ``CompilerOptions``: it changes what the program answers, not how it is made.
    public var vlan: VLANView?

    /// What the program returns.
    public enum Result: Hashable, Sendable {
        /// The filter's own number.
        case number
        /// `match` where the filter's number is not 0, else `noMatch`.
        case verdict(match: Verdict, noMatch: Verdict)
    }

    /// Makes a target. ``socket``, ``tc(match:noMatch:)`` and what else is in Targets.swift read better.
    public init(hook: Hook, result: Result, vlan: VLANView? = nil) {
        self.hook = hook
        self.result = result
        self.vlan = vlan
    }

    /// The same target for a filter that is shown another view of the packet.
    public func showing(vlan view: VLANView) -> Target { Target(hook: hook, result: result, vlan: view) }

    /// Makes a target that gives `match` to packets that match and `noMatch` to others.
    ///
    /// - Parameter noMatch: The verdict for others; nil stands for ``Hook/defaultNoMatch``.
    public init(hook: Hook, match: Verdict, noMatch: Verdict? = nil) {
        self.init(hook: hook, result: .verdict(match: match, noMatch: noMatch ?? hook.defaultNoMatch))
    }

    /// Makes the target of a hook that asks for no verdict: the filter's number on a socket; elsewhere 1 or 0, and at
    /// the entry of a function, where nothing else is allowed, 0.
    ///
    /// Nil for a hook that asks for one, ``Hook/needsMatch``.
    public init?(hook: Hook) {
        if hook.needsMatch { return nil }
        if hook.givesNumber {
            self.init(hook: hook, result: .number)
        } else {
            self.init(hook: hook, match: Verdict(value: min(1, hook.allowedResults?.upperBound ?? 1)))
        }
    }
}
