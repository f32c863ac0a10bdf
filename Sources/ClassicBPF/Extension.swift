/// What the Linux kernel lets a classic filter know of a packet besides its bytes.
///
/// An extension is a load of A from the absolute offset ``base`` plus the raw value, of any size.
/// Source: the kernel's Documentation/networking/filter, "BPF extensions"; the names are bpf_asm's.
public enum Extension: UInt32, Hashable, Sendable, CaseIterable {
    /// The protocol of the link-layer header, as in `ETH_P_IP` (`SKF_AD_PROTOCOL`).
    case proto = 0
    /// Who the packet was for: `PACKET_HOST` 0, `PACKET_BROADCAST` 1, … (`SKF_AD_PKTTYPE`).
    case type = 4
    /// The index of the interface; without an interface the filter ends with A (`SKF_AD_IFINDEX`).
    case ifidx = 8
    /// The offset of the netlink attribute of type X, searched from offset A; 0 if there is none (`SKF_AD_NLATTR`).
    case nla = 12
    /// As `nla`, within the attribute at offset A (`SKF_AD_NLATTR_NEST`).
    case nlan = 16
    /// The packet's mark (`SKF_AD_MARK`).
    case mark = 20
    /// The number of the receive queue, plus one (`SKF_AD_QUEUE`).
    case queue = 24
    /// The interface's hardware type, as in `ARPHRD_ETHER`; without an interface the filter ends with A (`SKF_AD_HATYPE`).
    case hatype = 28
    /// The packet's flow hash (`SKF_AD_RXHASH`).
    case rxhash = 32
    /// The processor the filter runs on (`SKF_AD_CPU`).
    case cpu = 36
    /// `A ^ X`, from before the machine had an instruction for it (`SKF_AD_ALU_XOR_X`).
    case xorX = 40
    /// The VLAN tag control information that was taken out of the bytes (`SKF_AD_VLAN_TAG`).
    case vlanTCI = 44
    /// 1 if a VLAN tag was taken out of the bytes, else 0 (`SKF_AD_VLAN_TAG_PRESENT`).
    case vlanAvail = 48
    /// The offset of the payload behind the headers that the kernel can follow (`SKF_AD_PAY_OFFSET`).
    case poff = 52
    /// A random number (`SKF_AD_RANDOM`).
    case rand = 56
    /// The protocol identifier of the VLAN tag that was taken out of the bytes (`SKF_AD_VLAN_TPID`).
    case vlanTPID = 60

    /// The absolute offset that stands for extension 0 (`SKF_AD_OFF`, −4096 as unsigned).
    public static let base: UInt32 = 0xffff_f000

    /// The absolute offset that stands for this extension.
    public var offset: UInt32 { Self.base + rawValue }

    /// The extension that a load from the absolute offset `offset` reads, or nil if it is none.
    public init?(offset: UInt32) {
        guard offset >= Self.base else { return nil }
        self.init(rawValue: offset - Self.base)
    }

    /// The extension's name in bpf_asm; `A ^= X` has none there and is called `xor_x` here.
    public var name: String {
        switch self {
        case .xorX: "xor_x"
        case .vlanTCI: "vlan_tci"
        case .vlanAvail: "vlan_avail"
        case .vlanTPID: "vlan_tpid"
        default: "\(self)"
        }
    }
}

/// The two areas that negative offsets reach, relative to a header instead of the start of the packet.
///
/// Source: the kernel's `<linux/filter.h>`, `SKF_NET_OFF` and `SKF_LL_OFF`.
public enum HeaderArea: UInt32, Hashable, Sendable, CaseIterable {
    /// Relative to the network header (`SKF_NET_OFF`).
    case network = 0xfff0_0000
    /// Relative to the link-layer header (`SKF_LL_OFF`).
    case linkLayer = 0xffe0_0000

    /// The area that the offset `offset` lies in, or nil where the kernel gives none to it.
    public init?(offset: UInt32) {
        if offset >= Self.network.rawValue {
            self = .network
        } else if offset >= Self.linkLayer.rawValue {
            self = .linkLayer
        } else {
            return nil
        }
    }
}
