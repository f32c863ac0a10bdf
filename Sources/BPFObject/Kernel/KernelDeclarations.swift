/// How the kernel declares what programs refer to by name.
///
/// Loaders compare a kernel function's parameters with the kernel's, and the size and kind of a structure's member,
/// before they fill in its number. Names of types do not matter to them.
public struct KernelDeclarations: Hashable, Sendable {
    /// What a kernel function (kfunc) takes and returns.
    public struct Function: Hashable, Sendable {
        /// What it returns.
        public var result: CType
        /// What it takes, with names for readers.
        public var parameters: [Parameter]

        /// Makes a declaration.
        public init(_ result: CType, _ parameters: [Parameter]) {
            self.result = result
            self.parameters = parameters
        }
    }

    /// A parameter of a kernel function.
    public struct Parameter: Hashable, Sendable {
        /// A name for readers.
        public var name: String
        /// Its type.
        public var type: CType

        /// Makes a parameter.
        public init(_ name: String, _ type: CType) {
            self.name = name
            self.type = type
        }
    }

    /// The kernel functions, by name.
    public var functions: [String: Function]
    /// The members of structures: by the structure's name, by the path of the member. Together the members of a
    /// structure that a program uses must have less than 32 KiB.
    public var members: [String: [String: CType]]

    /// Makes declarations.
    public init(functions: [String: Function], members: [String: [String: CType]]) {
        self.functions = functions
        self.members = members
    }

    /// What the project's own programs use, as Linux 6.1 and later have it.
    ///
    /// A test holds it against the running kernel. `pt_regs` is that of x86-64.
    public static let known = KernelDeclarations(functions: knownFunctions, members: knownMembers)
}

private let u8 = CType.unsigned(1)
private let u16 = CType.unsigned(2)
private let u32 = CType.unsigned(4)
private let u64 = CType.unsigned(8)
private let address = CType.pointer(to: .void)
private func pointer(_ structure: String) -> CType { .pointer(to: .structure(structure)) }

private let knownFunctions: [String: KernelDeclarations.Function] = [
    "bpf_cast_to_kern_ctx": .init(address, [.init("ctx", address)]),
    "bpf_rdonly_cast": .init(address, [.init("address", address), .init("type", u32)]),
    "bpf_dynptr_from_skb": .init(
        .int, [.init("skb", pointer("__sk_buff")), .init("flags", u64), .init("dynptr", pointer("bpf_dynptr"))]),
    "bpf_dynptr_from_xdp": .init(
        .int, [.init("xdp", pointer("xdp_md")), .init("flags", u64), .init("dynptr", pointer("bpf_dynptr"))]),
    "bpf_dynptr_slice": .init(
        address,
        [
            .init("dynptr", pointer("bpf_dynptr")), .init("offset", u32), .init("buffer", address),
            .init("size", u32),
        ]),
    "bpf_dynptr_size": .init(u32, [.init("dynptr", pointer("bpf_dynptr"))]),
]

private let knownMembers: [String: [String: CType]] = [
    "sk_buff": [
        "len": u32, "data_len": u32, "data": .pointer(to: u8), "head": .pointer(to: u8), "tail": u32, "end": u32,
        "mac_len": u16, "mac_header": u16, "network_header": u16, "transport_header": u16, "protocol": u16,
        "vlan_all": u32, "vlan_tci": u16, "vlan_proto": u16, "queue_mapping": u16, "hash": u32, "mark": u32,
        "priority": u32, "skb_iif": .int, "dev": pointer("net_device"), "sk": pointer("sock"),
        "__pkt_type_offset": .array(of: u8, count: 0), "cb": .array(of: .integer(bytes: 1, signed: true), count: 48),
    ],
    "net_device": [
        "ifindex": .int, "type": u16, "flags": u32, "mtu": u32,
        "name": .array(of: .integer(bytes: 1, signed: true), count: 16),
    ],
    "sock": ["__sk_common.skc_family": u16, "sk_mark": u32, "sk_protocol": u16],
    "xdp_buff": [
        "data": address, "data_end": address, "data_meta": address, "data_hard_start": address,
        "rxq": pointer("xdp_rxq_info"), "frame_sz": u32,
    ],
    "xdp_rxq_info": ["dev": pointer("net_device"), "queue_index": u32],
    "bpf_nf_ctx": ["state": pointer("nf_hook_state"), "skb": pointer("sk_buff")],
    "nf_hook_state": ["hook": u8, "pf": u8, "in": pointer("net_device"), "out": pointer("net_device")],
    "pt_regs": ["di": u64, "si": u64, "dx": u64, "cx": u64, "r8": u64, "r9": u64],
]
