import ClassicBPF

// What a program finds at a hook.

extension Hook {
    /// What a program gets to know the packet by.
    public enum Context: Hashable, Sendable {
        /// A `struct __sk_buff`: members to read, some with a pointer to the packet.
        case socketBuffer
        /// A `struct xdp_md`: pointers to the packet's first buffer, and its device.
        case xdp
        /// A `struct bpf_nf_ctx`, with a pointer to the kernel's `struct sk_buff`.
        case netfilter
        /// The arguments of a tracepoint or function, one of them a `struct sk_buff`.
        case tracing
    }

    /// What the packets begin with.
    public enum LinkLayer: Hashable, Sendable {
        /// An Ethernet header (`DLT_EN10MB`).
        case ethernet
        /// An IPv4 or IPv6 header (`DLT_RAW`).
        case rawIP
    }

    /// What the program gets to know the packet by.
    public var context: Context {
        switch host {
        case .xdp, .xdpFrags: .xdp
        case .netfilter: .netfilter
        case .tpBTF, .rawTP, .fentry, .kprobe: .tracing
        default: .socketBuffer
        }
    }

    /// What packets begin with there.
    ///
    /// Programs of sockets see what the socket does; packet sockets show the Ethernet header. Where programs look into
    /// the kernel it depends on the packet's way so far; Ethernet is where the header has a place by then.
    public var linkLayer: LinkLayer {
        switch host {
        case .cgroupIngress, .cgroupEgress, .lwtIn, .lwtOut, .lwtXmit, .netfilter: .rawIP
        default: .ethernet
        }
    }

    /// Whether the program can read packets through pointers of the context (`data` and `data_end`).
    public var hasDirectPacketAccess: Bool {
        switch context {
        case .socketBuffer: host != .socket
        case .xdp: true
        case .netfilter, .tracing: false
        }
    }

    /// Whether the program may read packets with LD_ABS and LD_IND. Source: the verifier of Linux, by program type.
    public var hasPacketLoads: Bool {
        switch host {
        case .socket, .tc, .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer: true
        default: false
        }
    }

    /// The extensions whose values the context and helper functions supply.
    ///
    /// Those that search in the packet (poff, nla, nlan) are not among them. XDP's `rx_queue_index` is not the queue
    /// that a classic filter sees, which counts from 1 and is 0 where the driver does not tell; so queue is not there
    /// either.
    public var extensions: Set<Extension> {
        switch context {
        case .socketBuffer:
            [.proto, .type, .ifidx, .mark, .queue, .rxhash, .cpu, .xorX, .vlanTCI, .vlanAvail, .vlanTPID, .rand]
        case .xdp:
            [.ifidx, .cpu, .xorX, .rand]
        case .netfilter, .tracing:
            [
                .proto, .type, .ifidx, .mark, .queue, .hatype, .rxhash, .cpu, .xorX, .vlanTCI, .vlanAvail, .vlanTPID,
                .rand,
            ]
        }
    }
}
