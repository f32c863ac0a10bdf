/// What the kernel knows of a packet besides its bytes, and of the moment the filter runs.
///
/// Nothing here changes by itself: the clock stands still and the random number is always the same, so that a run
/// can be repeated and two programs compared.
public struct Metadata: Hashable, Sendable {
    /// The interface that a packet came from or leaves by.
    public struct Interface: Hashable, Sendable {
        /// The interface's index, `ifindex`.
        public var index: UInt32
        /// The interface's hardware type, `ARPHRD_…`; 1 is Ethernet.
        public var hardwareType: UInt16

        /// Makes an interface.
        public init(index: UInt32, hardwareType: UInt16 = 1) {
            self.index = index
            self.hardwareType = hardwareType
        }
    }

    /// A VLAN tag that was taken out of the packet's bytes.
    public struct VLANTag: Hashable, Sendable {
        /// The tag control information: priority, drop-eligible bit and VLAN number.
        public var tci: UInt16
        /// The tag protocol identifier: 0x8100 or 0x88a8.
        public var tpid: UInt16

        /// Makes a tag.
        public init(tci: UInt16, tpid: UInt16 = 0x8100) {
            self.tci = tci
            self.tpid = tpid
        }
    }

    /// The protocol of the link-layer header as a number of this host, `ETH_P_…`; 0x0800 is IPv4.
    public var `protocol`: UInt16 = 0
    /// Who the packet is for: 0 this host, 1 broadcast, 2 multicast, 3 another host, 4 outgoing. Three bits count.
    public var packetType: UInt8 = 0
    /// The interface, or nil if the packet has none.
    public var interface: Interface?
    /// The index of the interface the packet came in by, 0 if it came in by none.
    public var ingressInterface: UInt32 = 0
    /// The mark, `SO_MARK`.
    public var mark: UInt32 = 0
    /// The priority, `SO_PRIORITY`.
    public var priority: UInt32 = 0
    /// The receive queue plus one, or the transmit queue.
    public var queueMapping: UInt16 = 0
    /// The number of the receive queue, which XDP programs see: `rx_queue_index`.
    public var rxQueueIndex: UInt32 = 0
    /// The flow hash as far as it has been computed.
    public var hash: UInt32 = 0
    /// The VLAN tag taken out of the bytes, or nil if there was none.
    public var vlan: VLANTag?
    /// The traffic control index, `tc_index`.
    public var tcIndex: UInt16 = 0
    /// The traffic control class, `tc_classid`.
    public var tcClassID: UInt32 = 0
    /// The number of the processor the filter runs on.
    public var cpu: UInt32 = 0
    /// The number that every question for a random one is answered with.
    public var random: UInt32 = 0
    /// The time since the system's start, in nanoseconds.
    public var monotonicTime: UInt64 = 0

    /// Makes metadata of a packet about which nothing is known: all numbers 0, no interface, no VLAN tag.
    public init() {}
}
