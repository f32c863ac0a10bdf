import BPFCompiler

/// Why filters cannot be counted together.
public struct CountingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, with the offending value.
    public enum Reason: Hashable, Sendable {
        /// There are more filters than one program holds.
        case tooManyFilters(Int, limit: Int)
        /// There is none.
        case noFilter
        /// An expression that matches every packet has no clauses.
        case noClause
        /// An expression has too many clauses.
        case tooManyClauses(Int)
        /// Two filters have this name.
        case sameName(String)
        /// Programs are not attached to this hook by a link.
        case unattachable(Hook)
        /// There is no such interface.
        case unknownInterface(String)
        /// The folder of a control group cannot be opened.
        case unknownGroup(String)
    }

    /// What is wrong.
    public var reason: Reason
    /// The filter, by its name, where it is one's fault.
    public var filter: String?

    /// Makes an error.
    public init(_ reason: Reason, filter: String? = nil) {
        self.reason = reason
        self.filter = filter
    }

    /// What was found, what would be right.
    public var description: String {
        switch reason {
        case .tooManyFilters(let count, let limit): "\(count) filters are too many for one program, \(limit) fit"
        case .noFilter: "there is no filter to count"
        case .noClause: "the empty expression has no clauses"
        case .tooManyClauses(let count):
            "the expression has \(count) clauses, one program holds the counts of some 40"
        case .sameName(let name): "two filters have the name '\(name)', each needs its own"
        case .unattachable(let hook):
            "programs for \(hook) are not attached from here; socket, xdp, tc, tcx-ingress, tcx-egress, cgroup-ingress, "
                + "cgroup-egress, netfilter and tracepoints are places to count at"
        case .unknownInterface(let name): "there is no interface '\(name)'"
        case .unknownGroup(let path): "there is no control group '\(path)'"
        }
    }
}
