/// The types of eBPF programs that can filter packets. The raw value is the kernel's number.
///
/// Source: `enum bpf_prog_type` of `<linux/bpf.h>`.
public enum ProgramType: UInt32, Hashable, Sendable, CaseIterable {
    /// A filter of a socket (`BPF_PROG_TYPE_SOCKET_FILTER`).
    case socketFilter = 1
    /// A probe at any instruction of the kernel (`BPF_PROG_TYPE_KPROBE`).
    case kprobe = 2
    /// A traffic control classifier; tcx and netkit too (`BPF_PROG_TYPE_SCHED_CLS`).
    case schedCls = 3
    /// A traffic control action (`BPF_PROG_TYPE_SCHED_ACT`).
    case schedAct = 4
    /// A program in the driver's receive path (`BPF_PROG_TYPE_XDP`).
    case xdp = 6
    /// A filter of a control group's packets (`BPF_PROG_TYPE_CGROUP_SKB`).
    case cgroupSkb = 8
    /// A program of a route, packets coming in (`BPF_PROG_TYPE_LWT_IN`).
    case lwtIn = 10
    /// A program of a route, packets going out (`BPF_PROG_TYPE_LWT_OUT`).
    case lwtOut = 11
    /// A program of a route, packets being sent (`BPF_PROG_TYPE_LWT_XMIT`).
    case lwtXmit = 12
    /// A program at a tracepoint, the raw arguments (`BPF_PROG_TYPE_RAW_TRACEPOINT`).
    case rawTracepoint = 17
    /// A program at a typed tracepoint or the entry or end of a kernel function (`BPF_PROG_TYPE_TRACING`).
    case tracing = 26
    /// A replacement of a function of another program (`BPF_PROG_TYPE_EXT`).
    case `extension` = 28
    /// A program at a netfilter hook (`BPF_PROG_TYPE_NETFILTER`, 6.4).
    case netfilter = 32
}

/// Where a program is going to be attached, for the types that want to know it at load. The raw value is the
/// kernel's number.
///
/// Source: `enum bpf_attach_type` of `<linux/bpf.h>`.
public enum AttachType: UInt32, Hashable, Sendable, CaseIterable {
    /// Packets that come into a control group (`BPF_CGROUP_INET_INGRESS`).
    case cgroupInetIngress = 0
    /// Packets that leave a control group (`BPF_CGROUP_INET_EGRESS`).
    case cgroupInetEgress = 1
    /// A typed tracepoint (`BPF_TRACE_RAW_TP`).
    case traceRawTracepoint = 23
    /// The entry of a kernel function (`BPF_TRACE_FENTRY`).
    case traceFunctionEntry = 24
    /// The end of a kernel function (`BPF_TRACE_FEXIT`).
    case traceFunctionExit = 25
    /// A network device (`BPF_XDP`).
    case xdp = 37
    /// A netfilter hook (`BPF_NETFILTER`, 6.4).
    case netfilter = 45
    /// Packets that come in, the tcx way (`BPF_TCX_INGRESS`, 6.6).
    case tcxIngress = 46
    /// Packets that go out, the tcx way (`BPF_TCX_EGRESS`, 6.6).
    case tcxEgress = 47
    /// The primary device of a netkit pair (`BPF_NETKIT_PRIMARY`, 6.7).
    case netkitPrimary = 54
    /// The peer device of a netkit pair (`BPF_NETKIT_PEER`, 6.7).
    case netkitPeer = 55
}

/// What is special about a program. Source: `BPF_F_…` of `BPF_PROG_LOAD` in `<linux/bpf.h>`.
public struct LoadFlags: OptionSet, Hashable, Sendable {
    /// The flags' bits.
    public let rawValue: UInt32

    /// Makes a set of its bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// An XDP program that can deal with packets in several buffers (`BPF_F_XDP_HAS_FRAGS`).
    public static let xdpFragments = LoadFlags(rawValue: 1 << 5)
}

/// How much the verifier is to write while it looks at a program. Source: `BPF_LOG_…` of the kernel's verifier.
public struct LogLevel: OptionSet, Hashable, Sendable {
    /// The level's bits.
    public let rawValue: UInt32

    /// Makes a set of its bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Every instruction of the path that is refused, so next to nothing on success (`BPF_LOG_LEVEL1`).
    public static let instructions = LogLevel(rawValue: 1)
    /// Every instruction of every path with the state after it (`BPF_LOG_LEVEL2`).
    public static let states = LogLevel(rawValue: 2)
    /// How much work it was (`BPF_LOG_STATS`).
    public static let statistics = LogLevel(rawValue: 4)
}
