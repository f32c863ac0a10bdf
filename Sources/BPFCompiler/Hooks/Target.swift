/// What a filter is compiled for: a hook, and what its two answers become there.
public struct Target: Hashable, Sendable {
    /// The hook.
    public var hook: Hook
    /// What the filter's number becomes.
    public var result: Result

    /// What the program returns.
    public enum Result: Hashable, Sendable {
        /// The filter's own number.
        case number
        /// `match` where the filter's number is not 0, else `noMatch`.
        case verdict(match: Verdict, noMatch: Verdict)
    }

    /// Makes a target. ``socket``, ``socket(match:noMatch:)`` and ``tc(match:noMatch:)`` read better.
    public init(hook: Hook, result: Result) {
        self.hook = hook
        self.result = result
    }

    /// A socket filter that returns the filter's number, as the classic one does.
    public static let socket = Target(hook: .socket, result: .number)

    /// A socket filter that keeps `match` bytes of packets that match and `noMatch` of the others.
    public static func socket(match: Verdict, noMatch: Verdict = Verdict(value: 0)) -> Target {
        Target(hook: .socket, result: .verdict(match: match, noMatch: noMatch))
    }

    /// A traffic control classifier in direct-action mode.
    public static func tc(match: Verdict, noMatch: Verdict = .ok) -> Target {
        Target(hook: .tc, result: .verdict(match: match, noMatch: noMatch))
    }
}
