/// A place in the Linux kernel where a program can decide about packets.
public enum Hook: String, Hashable, Sendable, CaseIterable {
    /// A filter on a socket (`BPF_PROG_TYPE_SOCKET_FILTER`): the result is how many bytes to keep.
    case socket
    /// A traffic control classifier in direct-action mode (`BPF_PROG_TYPE_SCHED_CLS`).
    case tc

    /// The section of an object that loaders know the hook by.
    ///
    /// For tc the name is `classifier`, the one that libbpf, cilium/ebpf, aya and iproute2 all take.
    public var section: String {
        switch self {
        case .socket: "socket"
        case .tc: "classifier"
        }
    }

    /// The structure the program gets a pointer to.
    public var contextType: String { "__sk_buff" }

    /// The verdicts the hook knows by name, the one that lets a packet pass first; empty where the filter's number
    /// is the result.
    public var verdicts: [Verdict] {
        switch self {
        case .socket: []
        case .tc: Verdict.trafficControl
        }
    }
}
