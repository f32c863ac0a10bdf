/// A place in the Linux kernel where a program can decide about packets, or look at them.
///
/// The files beside this one say what a program finds there: ``section``, ``context``, ``linkLayer``, ``verdicts`` and
/// more. A hook is written as on the command line: `tcx-ingress`, `tp_btf:kfree_skb`, `function:xdp`.
public indirect enum Hook: Hashable, Sendable {
    /// A filter on a socket (`BPF_PROG_TYPE_SOCKET_FILTER`): the result is how many bytes to keep.
    case socket
    /// A traffic control classifier in direct-action mode (`BPF_PROG_TYPE_SCHED_CLS`).
    case tc
    /// A classifier attached straight to a device, packets that come in (`BPF_TCX_INGRESS`).
    case tcxIngress
    /// A classifier attached straight to a device, packets that go out (`BPF_TCX_EGRESS`).
    case tcxEgress
    /// The primary device of a netkit pair (`BPF_NETKIT_PRIMARY`).
    case netkitPrimary
    /// The peer device of a netkit pair (`BPF_NETKIT_PEER`).
    case netkitPeer
    /// A device's receive path, before the kernel has a packet of it; one buffer a packet (`BPF_PROG_TYPE_XDP`).
    case xdp
    /// As ``xdp``, for packets in several buffers too (`BPF_F_XDP_HAS_FRAGS`).
    case xdpFrags
    /// Packets that come in to the sockets of a control group (`BPF_CGROUP_INET_INGRESS`).
    case cgroupIngress
    /// Packets that the sockets of a control group send (`BPF_CGROUP_INET_EGRESS`).
    case cgroupEgress
    /// A route's light-weight tunnel, packets that come in (`BPF_PROG_TYPE_LWT_IN`).
    case lwtIn
    /// A route's light-weight tunnel, packets that go out (`BPF_PROG_TYPE_LWT_OUT`).
    case lwtOut
    /// A route's light-weight tunnel, packets about to be sent (`BPF_PROG_TYPE_LWT_XMIT`).
    case lwtXmit
    /// A hook of netfilter (`BPF_PROG_TYPE_NETFILTER`).
    case netfilter
    /// The tracepoint of that name, its arguments typed (`BPF_TRACE_RAW_TP`).
    case tpBTF(String)
    /// The tracepoint of that name, its arguments as numbers (`BPF_PROG_TYPE_RAW_TRACEPOINT`).
    case rawTP(String)
    /// The entry of the kernel function of that name, its arguments typed (`BPF_TRACE_FENTRY`).
    case fentry(String)
    /// The entry of the kernel function of that name, its arguments in registers (`BPF_PROG_TYPE_KPROBE`).
    case kprobe(String)
    /// A function that programs for a hook can be linked with; it takes the hook's context and returns 1 or 0.
    ///
    /// The hook is one of ``packetHooks``.
    case function(Hook)
}

extension Hook {
    /// The hooks that packets pass, which take no argument.
    public static let packetHooks: [Hook] = [
        .socket, .tc, .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer, .xdp, .xdpFrags, .cgroupIngress,
        .cgroupEgress, .lwtIn, .lwtOut, .lwtXmit, .netfilter,
    ]

    /// How every hook is written, a word in capitals standing for what has to be chosen.
    public static let names =
        packetHooks.map(\.description) + Tracing.allCases.map { "\($0.rawValue):\($0.argument)" } + ["function:HOOK"]

    /// The ``names`` as a list in a sentence.
    public static let nameList = names.dropFirst().reduce(names[0]) { $0 + ", " + $1 }

    /// The hook a program runs at, whether it is the program itself or a function of it.
    var host: Hook {
        if case .function(let hook) = self { hook.host } else { self }
    }

    /// Whether it is a function to be linked with programs, which alone cannot be loaded.
    public var isFunction: Bool {
        if case .function = self { true } else { false }
    }
}
