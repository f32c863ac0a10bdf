import ClassicBPF

/// What a word stands for behind a load: an extension, or the packet's length.
enum NamedSource {
    case length
    case `extension`(Extension)

    /// What `word` stands for in bpf_asm, in letters of either case; bpfc's and libpcap's other names are taken too.
    init?(_ word: ArraySlice<UInt8>) {
        guard word.count <= 10, let source = Self.names[word.map { $0 | 0x20 }] else { return nil }
        self = source
    }

    /// By names whose letters are small ones; the underscore is 0x7f there, as `word.map` makes it.
    private static let names: [[UInt8]: NamedSource] = {
        var names: [[UInt8]: NamedSource] = [:]
        for ext in Extension.allCases where ext != .xorX { names[key(ext.name)] = .extension(ext) }
        for (name, ext) in others { names[key(name)] = .extension(ext) }
        for name in ["len", "pktlen"] { names[key(name)] = .length }
        return names
    }()

    private static let others: KeyValuePairs<String, Extension> = [
        "pto": .proto, "ifx": .ifidx, "que": .queue, "q": .queue, "hat": .hatype, "rxh": .rxhash,
        "vlant": .vlanTCI, "vlanp": .vlanAvail, "vlan_pr": .vlanAvail, "random": .rand,
    ]

    private static func key(_ name: String) -> [UInt8] { name.utf8.map { $0 | 0x20 } }
}

extension Extension {
    /// libpcap's name, which is bpf_asm's but for two.
    var tcpdumpName: StaticString {
        switch self {
        case .vlanAvail: "vlanp"
        case .rand: "random"
        default: bpfAsmName ?? "xor_x"
        }
    }

    /// bpf_asm's name; nil where it has none.
    var bpfAsmName: StaticString? {
        switch self {
        case .proto: "proto"
        case .type: "type"
        case .ifidx: "ifidx"
        case .nla: "nla"
        case .nlan: "nlan"
        case .mark: "mark"
        case .queue: "queue"
        case .hatype: "hatype"
        case .rxhash: "rxhash"
        case .cpu: "cpu"
        case .xorX: nil
        case .vlanTCI: "vlan_tci"
        case .vlanAvail: "vlan_avail"
        case .poff: "poff"
        case .rand: "rand"
        case .vlanTPID: "vlan_tpid"
        }
    }
}
