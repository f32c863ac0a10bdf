#if os(Linux)
    import BPFCompiler
    import Glibc
    import SystemPackage

    /// What a process may be allowed to do. The raw value is the number of its bit. Source: `<linux/capability.h>`.
    enum Capability: UInt64, CaseIterable {
        /// `CAP_NET_ADMIN`
        case netAdmin = 12
        /// `CAP_PERFMON` (Linux 5.8)
        case perfmon = 38
        /// `CAP_BPF` (Linux 5.8)
        case bpf = 39

        /// The name of the constant.
        var name: String {
            switch self {
            case .netAdmin: "CAP_NET_ADMIN"
            case .perfmon: "CAP_PERFMON"
            case .bpf: "CAP_BPF"
            }
        }

        /// What loading a program for `hook` and running it takes; CAP_PERFMON where it looks into the kernel's buffer.
        static func needed(at hook: Hook) -> [Capability] {
            switch hook {
            case .socket: [.bpf, .perfmon]
            case .netfilter, .tpBTF, .rawTP, .fentry, .kprobe: [.bpf, .netAdmin, .perfmon]
            default: [.bpf, .netAdmin]
            }
        }

        /// The names as in a sentence.
        static func list(_ capabilities: [Capability]) -> String {
            let names = capabilities.map(\.name)
            return names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + names.last!
        }

        /// Whether this thread has it. CAP_SYS_ADMIN, bit 21, stands for the two newer ones.
        var isEffective: Bool {
            let set = Self.effective
            return set & 1 << rawValue != 0 || (self != .netAdmin && set & 1 << 21 != 0)
        }

        /// The bits of `CapEff` in `/proc/thread-self/status`; none where that cannot be read.
        private static var effective: UInt64 {
            guard let file = try? FileDescriptor.open("/proc/thread-self/status", .readOnly) else { return 0 }
            defer { try? file.close() }
            var bytes = [UInt8](repeating: 0, count: 8192)
            guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }) else { return 0 }
            let lines = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: "\n")
            let line = lines.first { $0.hasPrefix("CapEff:") }
            return line.flatMap { UInt64($0.drop { $0 != "\t" }.dropFirst(), radix: 16) } ?? 0
        }
    }
#endif
