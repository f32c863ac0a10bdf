import ExtendedBPF

/// The context of socket filters and tc programs, `struct __sk_buff`, with the fields that can be known here.
///
/// Every field is a number of 32 bits in host order, also those that the kernel keeps in fewer. A field can be read
/// in parts. Source: the kernel's `<linux/bpf.h>`; which of its fields can be written is the verifier's rule for tc.
struct SocketBuffer {
    /// The number of bytes of the structure.
    static let size = 192

    /// The offsets of the fields, C names.
    private enum Field: Int, CaseIterable {
        case len = 0
        case pktType = 4
        case mark = 8
        case queueMapping = 12
        case `protocol` = 16
        case vlanPresent = 20
        case vlanTCI = 24
        case vlanProto = 28
        case priority = 32
        case ingressIfindex = 36
        case ifindex = 40
        case tcIndex = 44
        case cb0 = 48
        case cb1 = 52
        case cb2 = 56
        case cb3 = 60
        case cb4 = 64
        case hash = 68
        case tcClassID = 72

        var isWritable: Bool {
            switch self {
            case .mark, .queueMapping, .priority, .tcIndex, .tcClassID, .cb0, .cb1, .cb2, .cb3, .cb4: true
            default: false
            }
        }

        /// Whether the kernel keeps it in 16 bits.
        var isShort: Bool {
            switch self {
            case .queueMapping, .protocol, .vlanTCI, .vlanProto, .tcIndex: true
            default: false
            }
        }

        /// The field that holds the byte at `offset`.
        init?(holding offset: Int) { self.init(rawValue: offset & ~3) }
    }

    /// The offset of the field that a pointer to the packet's first byte is read from.
    static let data = 76
    /// The offset of the field that a pointer behind the linear part is read from.
    static let dataEnd = 80

    private let byteOrder: ByteOrder
    private var memory = [UInt8](repeating: 0, count: Self.size)

    init(_ packet: Packet, _ order: ByteOrder) {
        byteOrder = order
        let metadata = packet.metadata
        let fields: [(Field, UInt32)] = [
            (.len, packet.length),
            (.pktType, UInt32(metadata.packetType & 7)),
            (.mark, metadata.mark),
            (.queueMapping, UInt32(metadata.queueMapping)),
            (.protocol, Self.networkOrder(metadata.protocol, order)),
            (.vlanPresent, metadata.hasVLANTag ? 1 : 0),
            (.vlanTCI, UInt32(metadata.vlan?.tci ?? 0)),
            (.vlanProto, Self.networkOrder(metadata.vlan?.tpid ?? 0, order)),
            (.priority, metadata.priority),
            (.ingressIfindex, metadata.ingressInterface),
            (.ifindex, metadata.interface?.index ?? 0),
            (.tcIndex, UInt32(metadata.tcIndex)),
            (.hash, metadata.hash),
            (.tcClassID, metadata.tcClassID),
        ]
        for (field, value) in fields {
            for byte in 0..<4 {
                let shift = UInt32(8 * (order == .little ? byte : 3 - byte))
                memory[field.rawValue + byte] = UInt8(truncatingIfNeeded: value >> shift)
            }
        }
    }

    /// The number a host of that order reads where `value` was written in network order.
    private static func networkOrder(_ value: UInt16, _ order: ByteOrder) -> UInt32 {
        UInt32(order == .little ? value.byteSwapped : value)
    }

    func bytes(at location: Location) throws(Trap.Reason) -> [UInt8] {
        try check(location, forWriting: false)
        return Array(memory[location.range])
    }

    mutating func set(_ location: Location, to bytes: [UInt8]) throws(Trap.Reason) {
        try check(location, forWriting: true)
        memory.replaceSubrange(location.range, with: bytes)
    }

    /// Accesses are aligned and stay within one field; only the five of `cb` can be written in part or two at a time.
    private func check(_ location: Location, forWriting: Bool) throws(Trap.Reason) {
        let (offset, count) = (location.offset, location.count)
        let isAllowed = offset % count == 0 && (isScratch(location) || isField(location, forWriting: forWriting))
        if !isAllowed { throw .noContextField(offset: offset, count: count) }
    }

    private func isScratch(_ location: Location) -> Bool {
        Field.cb0.rawValue <= location.offset && location.range.upperBound <= Field.cb4.rawValue + 4
    }

    private func isField(_ location: Location, forWriting: Bool) -> Bool {
        let (offset, count) = (location.offset, location.count)
        guard count <= 4, let field = Field(holding: offset) else { return false }
        if count == 4 { return !forWriting || field.isWritable }
        // The verifier lets the upper half of a short field be read and then reads the lower one: not a load to rely
        // on. tc_classid is read whole.
        let lowerHalf = byteOrder == .little ? 0 : 2
        let isUpperHalf = count == 2 && offset % 4 != lowerHalf
        return !forWriting && field != .tcClassID && !(field.isShort && isUpperHalf)
    }
}
