import ExtendedBPF

/// The context of XDP programs, `struct xdp_md`.
///
/// Every field is a number of 32 bits that is read whole and cannot be written. There is no metadata in front of the
/// packet, so `data_meta` is `data`. The last field, `egress_ifindex` at 20, can only be read by programs of a device
/// map, which this is not. Source: the kernel's `<linux/bpf.h>`; access by the rules of its verifier.
struct XDPBuffer {
    /// The number of bytes of the structure.
    static let size = 24

    /// The offset of the field that a pointer to the packet's first byte is read from.
    static let data = 0
    /// The offset of the field that a pointer behind the first buffer is read from.
    static let dataEnd = 4
    /// The offset of the field that a pointer to the metadata in front of the packet is read from.
    static let dataMeta = 8

    private static let ingressInterface = 12
    private static let rxQueueIndex = 16

    private let byteOrder: ByteOrder
    private let fields: [Int: UInt32]

    init(_ packet: Packet, _ order: ByteOrder) {
        byteOrder = order
        fields = [
            Self.ingressInterface: packet.metadata.interface?.index ?? 0,
            Self.rxQueueIndex: packet.metadata.rxQueueIndex,
        ]
    }

    func bytes(at location: Location) throws(Trap.Reason) -> [UInt8] {
        guard location.count == 4, let value = fields[location.offset] else {
            throw .noContextField(offset: location.offset, count: location.count)
        }
        return memoryBytes(of: UInt64(value), count: 4, byteOrder)
    }
}
