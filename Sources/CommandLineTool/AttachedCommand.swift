import ArgumentParser
import PacketFilter
import SystemPackage

/// `cbpf2ebpf attached`: the programs of this tool that are attached now.
struct AttachedCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "attached"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "List the attached programs that this tool made.",
        discussion: """
            For each: the number of the link or the name of the filter at clsact, where the program runs, the program's number and name, its filter, and
            the names of the link in BPF file systems. They are known by their line information, whoever attached them
            by a link or at clsact of an interface of this network namespace.
            """)

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            try runRefusing {
                try console.write(Array(AttachedProgram.all().map(\.text).joined().utf8))
            }
        #else
            throw ToolError("programs are attached on Linux only")
        #endif
    }
}

/// `cbpf2ebpf detach`: takes an attached program away.
struct DetachCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "detach"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Detach programs that this tool made.",
        usage: "cbpf2ebpf \(name) <link or filter> ...")

    @Argument(help: "The path that the link is pinned at, its number, or the name that 'attached' shows, tc:….")
    var links: [String]

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            try runRefusing {
                for link in links {
                    let attached =
                        try UInt32(link).map { try AttachedProgram.ofLink($0) } ?? AttachedProgram.named(link)
                        ?? AttachedProgram.pinned(at: FilePath(link))
                    try attached.detach()
                }
            }
        #else
            throw ToolError("programs are attached on Linux only")
        #endif
    }
}

#if os(Linux)
    extension AttachedProgram {
        /// A line about the link, and one for each of its names.
        fileprivate var text: String {
            "\(holder.name): \(place), program \(program.identifier) \(program.name): \(filter)\n"
                + pins.map { "  pinned at \($0)\n" }.joined()
        }

        private var place: String {
            switch holder {
            case .link(let link): link.place.text
            case .filter(let filter): "tc \(filter.direction) at clsact, priority \(filter.priority)"
            }
        }
    }

    extension AttachedProgram.LinkInformation.Place {
        /// Where, as far as it can be said from here: numbers of interfaces are those of a network namespace that the
        /// kernel does not tell.
        fileprivate var text: String {
            switch self {
            case .rawTracepoint(let name): return "tracepoint \(name)"
            case .tracing(let type): return "\(type)"
            case .cgroup(0, _): return "a control group that is gone"
            case .cgroup(let number, let type):
                let name = AttachedProgram.controlGroup(ofNumber: number) ?? "control group \(number)"
                return "\(type == .cgroupInetIngress ? "cgroup-ingress" : "cgroup-egress") of \(name)"
            case .netfilter(let place):
                return "netfilter \(place.family) \(place.hook), priority \(place.priority)"
            case .interface(0, _): return "an interface that is gone"
            case .interface(let index, let type):
                let here = AttachedProgram.interfaceName(ofIndex: index).map { " (\($0) here)" } ?? ""
                return "\(name(of: type)) of interface \(index)\(here)"
            case .other(let type): return "a place of kind \(type)"
            }
        }

        private func name(of type: AttachType) -> String {
            switch type {
            case .tcxIngress: "tcx-ingress"
            case .tcxEgress: "tcx-egress"
            case .netkitPrimary: "netkit-primary"
            case .netkitPeer: "netkit-peer"
            default: "xdp"
            }
        }
    }
#endif
