/// A packet as it passed a hook of the kernel.
public struct CapturedPacket: Hashable, Sendable {
    /// When it passed, in nanoseconds since 1970.
    public var time: UInt64
    /// The packet's bytes, or the first of them.
    ///
    /// A VLAN tag that the kernel keeps beside the bytes is where it was on the wire.
    public var bytes: [UInt8]
    /// How long it is.
    public var wireLength: UInt32
    /// What the bytes begin with.
    public var linkType: LinkType
    /// The interface.
    public var interface: Interface
    /// Whether it came in or goes out.
    public var direction: Direction
    /// Who it was for, where the hook tells.
    public var reception: Reception?
    /// Why the kernel dropped it, at the tracepoint that tells: the name without `SKB_DROP_REASON_`, or a number that
    /// the kernel has no name for.
    public var dropReason: String?

    /// A network interface, which may be one of another network namespace.
    public struct Interface: Hashable, Sendable {
        /// The number by which its network namespace knows it, 0 where the packet has none.
        public var index: UInt32
        /// Its name; empty where the packet has none.
        public var name: String

        /// Names an interface.
        public init(index: UInt32, name: String) {
            self.index = index
            self.name = name
        }
    }

    /// Where a packet was going. The raw value is that of pcapng's `epb_flags`.
    public enum Direction: UInt32, Hashable, Sendable {
        /// The hook does not tell.
        case unknown
        /// To this machine, or through it, from its interface.
        case inbound
        /// To its interface.
        case outbound
    }

    /// Who a packet was for. The raw value is that of pcapng's `epb_flags`, from bit 2 on.
    public enum Reception: UInt32, Hashable, Sendable {
        /// This machine's interface.
        case unicast = 1
        /// Several.
        case multicast
        /// All.
        case broadcast
        /// Another, whose packet the interface showed all the same.
        case promiscuous
    }

    /// pcapng's `epb_flags`.
    var flags: UInt32 { direction.rawValue | (reception?.rawValue ?? 0) << 2 }
}

/// How a capture went so far.
public struct CaptureCounts: Hashable, Sendable {
    /// How many packets have been read.
    public var captured: UInt64
    /// How many more matched that the buffer had no room for.
    public var lost: UInt64

    /// Makes counts.
    public init(captured: UInt64, lost: UInt64) {
        self.captured = captured
        self.lost = lost
    }
}
