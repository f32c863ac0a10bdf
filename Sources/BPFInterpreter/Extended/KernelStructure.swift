import ExtendedBPF

/// A structure of the kernel that programs can read members of, in a layout of our own.
///
/// Programs name members (``Reference/kernelField(structure:member:)``); where they lie differs from kernel to kernel,
/// so any layout will do. Source of the members and their meaning: the kernel's `<linux/skbuff.h>` and
/// `<linux/netdevice.h>`.
enum KernelStructure: String, CaseIterable {
    case socketBuffer = "sk_buff"
    case networkDevice = "net_device"

    /// The number of the type, ours as the layout is.
    var typeID: UInt32 {
        switch self {
        case .socketBuffer: 1
        case .networkDevice: 2
        }
    }

    /// The members in the order of the layout, each at a multiple of 8 bytes, with their sizes in bytes.
    private var members: [(name: String, size: Int)] {
        switch self {
        case .socketBuffer:
            [
                ("dev", 8), ("head", 8), ("data", 8), ("tail", 4), ("end", 4), ("lengths", 8), ("headers", 4),
                ("protocol", 2), ("queue_mapping", 2), ("mark", 4),
                ("hash", 4), ("priority", 4), ("skb_iif", 4), ("tc_index", 2), ("vlan_all", 4),
                ("__pkt_type_offset", 1),
            ]
        case .networkDevice: [("ifindex", 4), ("type", 2)]
        }
    }

    /// Members that share bytes with another, or lie side by side in the kernel.
    private static let shared = [
        "vlan_proto": ("vlan_all", 0), "vlan_tci": ("vlan_all", 2), "len": ("lengths", 0), "data_len": ("lengths", 4),
        "network_header": ("headers", 0), "mac_header": ("headers", 2),
    ]

    /// Whether the member is a pointer.
    func isPointer(at offset: Int) -> Bool {
        self == .socketBuffer && ["dev", "head", "data"].contains { self.offset(of: $0) == offset }
    }

    /// The number of bytes of the structure. Nothing lies in the first 8, so that no member is at 0.
    var size: Int { 8 * (members.count + 1) }

    /// The distance of `member` from the start, or nil if it is not modelled.
    func offset(of member: String) -> Int? {
        let (name, distance) = Self.shared[member] ?? (member, 0)
        return members.firstIndex { $0.name == name }.map { 8 * ($0 + 1) + distance }
    }

    /// The size of the member that holds the byte at `offset`, and the first byte of it; nil between members.
    ///
    /// The kernel's verifier lets a member be read in part, except for a pointer, but not beyond its end.
    func member(holding offset: Int) -> (start: Int, size: Int)? {
        let place = offset / 8 - 1
        guard offset >= 8, members.indices.contains(place), offset % 8 < members[place].size else { return nil }
        return (8 * (place + 1), members[place].size)
    }
}

/// The bytes of the kernel's structures for one packet.
struct KernelMemory {
    private let bytes: [KernelStructure: [UInt8]]
    private let byteOrder: ByteOrder

    init(_ packet: Packet, _ order: ByteOrder) {
        byteOrder = order
        bytes = [
            .socketBuffer: Self.layOut(.socketBuffer, Self.socketBuffer(packet, order), order),
            .networkDevice: Self.layOut(.networkDevice, Self.device(packet.metadata.interface), order),
        ]
    }

    /// The bytes of one member or of a part of it.
    func bytes(of structure: KernelStructure, at location: Location) throws(Trap.Reason) -> [UInt8] {
        guard let member = structure.member(holding: location.offset),
            location.range.upperBound <= member.start + member.size,
            !structure.isPointer(at: member.start) || location.count == 8
        else { throw .noStructureMember(structure: structure.rawValue, offset: location.offset, count: location.count) }
        return Array(bytes[structure]![location.range])
    }

    /// The byte at `offset`, whatever it is part of.
    func byte(of structure: KernelStructure, at offset: Int) -> UInt8 { bytes[structure]![offset] }

    private static func layOut(
        _ structure: KernelStructure, _ values: [(member: String, value: UInt64, size: Int)], _ order: ByteOrder
    ) -> [UInt8] {
        var memory = [UInt8](repeating: 0, count: structure.size)
        for (member, value, size) in values {
            let offset = structure.offset(of: member)!
            memory.replaceSubrange(offset..<offset + size, with: memoryBytes(of: value, count: size, order))
        }
        return memory
    }

    private static func socketBuffer(
        _ packet: Packet, _ order: ByteOrder
    ) -> [(member: String, value: UInt64, size: Int)] {
        let metadata = packet.metadata
        let head = AddressSpace.untrusted | AddressSpace.kernelPacket
        let headroom = packet.headroom.count
        // Both headers are numbers of 16 bits counted from the head; all ones says that there is none.
        let header = { (offset: Int?) -> UInt64 in
            UInt64(offset.flatMap { UInt16(exactly: headroom &+ $0) } ?? 0xffff)
        }
        let network = { (value: UInt16) in UInt64(order == .little ? value.byteSwapped : value) }
        let type = UInt64(metadata.packetType & 7)
        return [
            ("dev", metadata.interface == nil ? 0 : AddressSpace.structure(.networkDevice), 8),
            ("head", head, 8),
            ("data", head + UInt64(headroom), 8),
            ("tail", UInt64(headroom + packet.linearLength), 4),
            ("end", UInt64(headroom + packet.linearLength), 4),
            ("len", UInt64(packet.length), 4),
            ("data_len", UInt64(max(0, Int(packet.length) - packet.linearLength)), 4),
            ("mac_header", header(packet.linkLayerHeaderOffset), 2),
            ("network_header", header(packet.networkHeaderOffset), 2),
            ("protocol", network(metadata.protocol), 2),
            ("queue_mapping", UInt64(metadata.queueMapping), 2),
            ("mark", UInt64(metadata.mark), 4),
            ("hash", UInt64(metadata.hash), 4),
            ("priority", UInt64(metadata.priority), 4),
            ("skb_iif", UInt64(metadata.ingressInterface), 4),
            ("tc_index", UInt64(metadata.tcIndex), 2),
            ("vlan_proto", network(metadata.vlan?.tpid ?? 0), 2),
            ("vlan_tci", UInt64(metadata.vlan?.tci ?? 0), 2),
            // A bit field of three bits, the first of its byte in the order of the machine.
            ("__pkt_type_offset", order == .little ? type : type << 5, 1),
        ]
    }

    private static func device(_ interface: Metadata.Interface?) -> [(member: String, value: UInt64, size: Int)] {
        [
            ("ifindex", UInt64(interface?.index ?? 0), 4),
            ("type", UInt64(interface?.hardwareType ?? 0), 2),
        ]
    }
}
