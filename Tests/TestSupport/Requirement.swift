import Foundation

/// What a test needs from the machine. Use it as `.enabled(if: Requirement.root.allowsRunning, "needs root")`.
///
/// With `CI=true` every test runs, so that one whose requirement is missing fails instead of being skipped; only an
/// older kernel still skips what it cannot do.
public enum Requirement: Sendable {
    /// To be root on Linux: BPF programs are loaded, network namespaces made.
    case root
    /// A program in the search path.
    case tool(String)
    /// A Linux kernel of this version or a later one.
    case kernel(Int, Int)

    /// Whether the test is to run here.
    public var allowsRunning: Bool {
        let isCI = ProcessInfo.processInfo.environment["CI"] == "true"
        switch self {
        case .root: return isCI || geteuid() == 0
        // An older kernel cannot be helped, so there it is skipped anyway.
        case .kernel(let major, let minor): return Self.isKernel(major, minor)
        case .tool(let name): return isCI || (try? run("sh", ["-c", "command -v \(name)"]).status) == 0
        }
    }

    private static func isKernel(_ major: Int, _ minor: Int) -> Bool {
        #if os(Linux)
            let wanted = OperatingSystemVersion(majorVersion: major, minorVersion: minor, patchVersion: 0)
            return ProcessInfo.processInfo.isOperatingSystemAtLeast(wanted)
        #else
            return false
        #endif
    }
}
