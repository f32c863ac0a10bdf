// How objects and the kernel call a hook.

extension Hook {
    /// The section of an object that loaders know the hook by.
    ///
    /// For tc the name is `classifier`, the one that libbpf, cilium/ebpf, aya and iproute2 all take. Functions are in
    /// `.text`. Source: libbpf's documentation, "Program Types and ELF Sections".
    public var section: String {
        switch self {
        case .socket: "socket"
        case .tc: "classifier"
        case .tcxIngress: "tcx/ingress"
        case .tcxEgress: "tcx/egress"
        case .netkitPrimary: "netkit/primary"
        case .netkitPeer: "netkit/peer"
        case .xdp: "xdp"
        case .xdpFrags: "xdp.frags"
        case .cgroupIngress: "cgroup_skb/ingress"
        case .cgroupEgress: "cgroup_skb/egress"
        case .lwtIn: "lwt_in"
        case .lwtOut: "lwt_out"
        case .lwtXmit: "lwt_xmit"
        case .netfilter: "netfilter"
        case .tpBTF(let name): "tp_btf/\(name)"
        case .rawTP(let name): "raw_tp/\(name)"
        case .fentry(let name): "fentry/\(name)"
        case .kprobe(let name): "kprobe/\(name)"
        case .function: ".text"
        }
    }

    /// The hook of the programs in a section, or nil for one that loaders do not know or that holds functions.
    ///
    /// After the name of the hook loaders also take a slash and a name of one's own.
    public init?(section: String) {
        let parts = section.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let argument = parts.count > 1 ? parts[1] : nil
        if let argument, let tracing = Tracing(rawValue: parts[0]), tracing.takes(argument) {
            self = tracing.hook(at: argument)
        } else if let hook = Self.packetHooks.first(where: { $0.section == section || $0.section == parts[0] }) {
            self = hook
        } else if parts[0] == "tc" {
            self = .tc
        } else {
            return nil
        }
    }

    /// The structure the program gets a pointer to, its name in C.
    ///
    /// Programs at typed tracepoints and entries of functions get an array of u64; `bpf_raw_tracepoint_args` is one in a
    /// structure. Source: `<linux/bpf.h>`; for netfilter and probes the kernel's own types.
    public var contextType: String {
        switch host {
        case .xdp, .xdpFrags: "xdp_md"
        case .netfilter: "bpf_nf_ctx"
        case .kprobe: "pt_regs"
        case .tpBTF, .rawTP, .fentry: "bpf_raw_tracepoint_args"
        default: "__sk_buff"
        }
    }

    /// The first kernel that has the hook. What else a program uses can ask for a later one.
    ///
    /// Source: the kernel's release notes. Calls of functions came with 4.16; those of objects are hidden ones, which
    /// loaders show the kernel as parts of what calls them, so that it need not know functions verified by themselves.
    public var minimumKernel: KernelVersion {
        switch self {
        case .socket: KernelVersion(3, 19)
        case .tc: KernelVersion(4, 4)
        case .tcxIngress, .tcxEgress: KernelVersion(6, 6)
        case .netkitPrimary, .netkitPeer: KernelVersion(6, 7)
        case .xdp: KernelVersion(4, 8)
        case .xdpFrags: KernelVersion(5, 18)
        case .cgroupIngress, .cgroupEgress, .lwtIn, .lwtOut, .lwtXmit: KernelVersion(4, 10)
        case .netfilter: KernelVersion(6, 4)
        case .tpBTF, .fentry: KernelVersion(5, 5)
        case .rawTP: KernelVersion(4, 17)
        case .kprobe: KernelVersion(4, 1)
        case .function(let hook): max(hook.minimumKernel, KernelVersion(4, 16))
        }
    }

    /// The first kernel on which programs read all of a packet there, as far as there is one; else where they read what
    /// they can.
    ///
    /// Where the verifier does not trust the pointer to the packet's `struct sk_buff`, programs read its linear part
    /// only, on every kernel.
    var wholePacketKernel: KernelVersion {
        switch host {
        case .netfilter, .tpBTF: .plainKernelMemory
        case .rawTP, .fentry, .kprobe: .probes
        default: minimumKernel
        }
    }

    /// Whether a program can read packets there only under a license that the kernel takes for the GPL's.
    ///
    /// The packet is then behind the kernel's own `struct sk_buff`, which other programs may not look into.
    public var needsGPL: Bool {
        switch context {
        case .socketBuffer, .xdp: false
        case .netfilter, .tracing: true
        }
    }
}

/// A version of Linux, 5.18 as `KernelVersion(5, 18)`.
public struct KernelVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first number.
    public var major: Int
    /// The second number.
    public var minor: Int

    /// Makes a version of its numbers.
    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Both numbers with a dot between them.
    public var description: String { "\(major).\(minor)" }

    /// Whether `left` is the earlier one.
    public static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }
}

extension KernelVersion: LosslessStringConvertible {
    /// Reads both numbers; a third one, as in 6.1.55, and what follows may be there and does not count.
    public init?(_ description: String) {
        let parts = description.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = UInt8(parts[0]), let minor = UInt8(parts[1].prefix { $0.isNumber }),
            parts.count == 3 || parts[1].allSatisfy(\.isNumber), parts[0].first != "+"
        else { return nil }
        self.init(Int(major), Int(minor))
    }
}
