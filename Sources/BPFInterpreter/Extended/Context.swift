/// What a program is given a pointer to, which depends on where it runs.
public enum ContextKind: String, Hashable, Sendable, CaseIterable {
    /// `struct __sk_buff`: socket filters, tc and all others that see packets in the kernel's own form.
    case socketBuffer = "__sk_buff"
    /// `struct xdp_md`: programs in the driver's receive path.
    case xdp = "xdp_md"
    /// `struct bpf_nf_ctx`: programs in netfilter, with a pointer to the packet's `struct sk_buff`.
    case netfilter = "bpf_nf_ctx"
    /// The arguments of a tracepoint. Each of them is the packet's `struct sk_buff` here.
    case tracing = "bpf_raw_tracepoint_args"
    /// The registers at a probe, or the arguments of a tracepoint whose types the verifier does not know. Each of them
    /// is the address of the packet's `struct sk_buff` here, but no load goes through it before it has been cast.
    case untypedTracing = "pt_regs"

    /// Whether the context leads to the kernel's own structures without a function's help.
    var hasKernelStructures: Bool {
        switch self {
        case .netfilter, .tracing, .untypedTracing: true
        case .socketBuffer, .xdp: false
        }
    }
}

/// The structure that a running program has as its context.
enum Context {
    case socketBuffer(SocketBuffer)
    case xdp(XDPBuffer)
    case netfilter
    case tracing
    case untypedTracing

    var kind: ContextKind {
        switch self {
        case .socketBuffer: .socketBuffer
        case .xdp: .xdp
        case .netfilter: .netfilter
        case .tracing: .tracing
        case .untypedTracing: .untypedTracing
        }
    }

    /// The number of bytes of the structure.
    var size: Int {
        switch self {
        case .socketBuffer: SocketBuffer.size
        case .xdp: XDPBuffer.size
        case .netfilter: 16
        // The kernel has twelve arguments at most.
        case .tracing: 96
        // Those that hold arguments are among the first of all processors.
        case .untypedTracing: 168
        }
    }

    func bytes(at location: Location) throws(Trap.Reason) -> [UInt8] {
        switch self {
        case .socketBuffer(let buffer): try buffer.bytes(at: location)
        case .xdp(let buffer): try buffer.bytes(at: location)
        case .netfilter, .tracing, .untypedTracing:
            throw .noContextField(offset: location.offset, count: location.count)
        }
    }

    mutating func set(_ location: Location, to bytes: [UInt8]) throws(Trap.Reason) {
        guard case .socketBuffer(var buffer) = self else {
            // The receive queue can be written too, but by programs that a network card runs.
            throw .noContextField(offset: location.offset, count: location.count)
        }
        try buffer.set(location, to: bytes)
        self = .socketBuffer(buffer)
    }

    /// Whether a load of eight bytes from `offset` gives a pointer to the packet's `struct sk_buff`.
    func hasSocketBuffer(at offset: Int) -> Bool {
        switch self {
        case .socketBuffer, .xdp: false
        case .netfilter: offset == 8
        case .tracing, .untypedTracing: offset % 8 == 0
        }
    }

    /// The address of the packet's `struct sk_buff` as the context has it.
    var socketBuffer: UInt64 {
        let address = AddressSpace.structure(.socketBuffer)
        if case .untypedTracing = self { return address | AddressSpace.unknown }
        return address
    }

    /// Where in the packet's linear part the pointer leads that a load of a word from `offset` gives; nil if the
    /// field there is no pointer.
    func pointer(at offset: Int) -> PacketPlace? {
        switch (self, offset) {
        case (.socketBuffer, SocketBuffer.data), (.xdp, XDPBuffer.data), (.xdp, XDPBuffer.dataMeta): .start
        case (.socketBuffer, SocketBuffer.dataEnd), (.xdp, XDPBuffer.dataEnd): .end
        default: nil
        }
    }
}

/// The two places in a packet that contexts point to.
enum PacketPlace {
    /// The first byte.
    case start
    /// Behind the linear part.
    case end
}
