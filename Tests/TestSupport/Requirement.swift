import Foundation

/// What a test needs from the machine. Use it as `.enabled(if: Requirement.root.allowsRunning, "needs root")`.
///
/// With `CI=true` every test runs, so that one whose requirement is missing fails instead of being skipped.
public enum Requirement: Sendable {
    /// To be root on Linux: BPF programs are loaded, network namespaces made.
    case root
    /// A program in the search path.
    case tool(String)

    /// Whether the test is to run here.
    public var allowsRunning: Bool {
        if ProcessInfo.processInfo.environment["CI"] == "true" { return true }
        switch self {
        case .root: return geteuid() == 0
        case .tool(let name): return (try? run("sh", ["-c", "command -v \(name)"]).status) == 0
        }
    }
}
