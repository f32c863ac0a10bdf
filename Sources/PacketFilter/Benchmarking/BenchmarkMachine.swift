#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A machine that times were measured on.
public struct BenchmarkMachine: Hashable, Sendable {
    /// The kernel's release, as `uname -r` has it.
    public var kernel: String
    /// The processor's name, or nil where the kernel tells none.
    public var processor: String?
    /// `net.core.bpf_jit_enable`: 0 where programs are interpreted; nil where that cannot be read, as by users but root.
    public var jit: Int?

    /// The machine this runs on.
    static var running: BenchmarkMachine {
        func text(_ path: String) -> String? {
            guard let data = FileManager.default.contents(atPath: path) else { return nil }
            return String(decoding: data, as: UTF8.self)
        }
        func line(_ path: String) -> String? { text(path)?.split(separator: "\n").first.map(String.init) }
        let models = text("/proc/cpuinfo")?.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = models?.split(separator: ":", maxSplits: 1).last?.drop { $0 == " " }
        return BenchmarkMachine(
            kernel: line("/proc/sys/kernel/osrelease") ?? "unknown", processor: name.map(String.init),
            jit: line("/proc/sys/net/core/bpf_jit_enable").flatMap { Int($0) })
    }
}
