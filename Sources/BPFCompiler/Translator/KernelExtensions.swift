import ClassicBPF
import ExtendedBPF

// Extensions as the kernel's converter makes them, for a little-endian kernel of version 6.2 or later: before that,
// vlan_avail was a bit of its own.

extension Translation {
    /// `A =` the extension, from the members of `struct sk_buff` or a function inside the kernel.
    mutating func emitKernelExtension(_ ext: Extension) {
        switch ext {
        case .proto: emitBigEndianMember("protocol")
        case .vlanTPID: emitBigEndianMember("vlan_proto")
        case .type:
            emitFieldLoad(.byte, a, context, "sk_buff", "__pkt_type_offset")
            assembler.append(.alu32(.and, a, 7))
        case .mark: emitFieldLoad(.word, a, context, "sk_buff", "mark")
        case .rxhash: emitFieldLoad(.word, a, context, "sk_buff", "hash")
        case .queue: emitFieldLoad(.halfword, a, context, "sk_buff", "queue_mapping")
        case .vlanTCI: emitFieldLoad(.halfword, a, context, "sk_buff", "vlan_tci")
        case .vlanAvail:
            emitFieldLoad(.word, a, context, "sk_buff", "vlan_all")
            assembler.append(.jump64(if: a, .equal, 0, 1))
            assembler.append(.move32(a, 1))
        case .ifidx: emitDeviceMember(.word, "ifindex")
        case .hatype: emitDeviceMember(.halfword, "type")
        case .poff: emitKernelCall("bpf_skb_get_pay_offset")
        case .nla: emitKernelCall("bpf_skb_get_nlattr")
        case .nlan: emitKernelCall("bpf_skb_get_nlattr_nest")
        case .cpu: emitKernelCall("bpf_get_raw_cpu_id")
        case .rand: emitKernelCall("bpf_user_rnd_u32")
        case .xorX: assembler.append(.alu32(.xor, a, x))
        }
    }

    private mutating func emitBigEndianMember(_ member: String) {
        emitFieldLoad(.halfword, a, context, "sk_buff", member)
        assembler.append(.bigEndian(a, bits: 16))
    }

    /// A packet without a device ends the filter with A as it stands.
    private mutating func emitDeviceMember(_ size: ExtendedBPF.Size, _ member: String) {
        emitFieldLoad(.doubleword, temporary, context, "sk_buff", "dev")
        assembler.append(.jump64(if: temporary, .notEqual, 0, 1))
        assembler.append(.exit)
        emitFieldLoad(size, a, temporary, "net_device", member)
    }

    /// The function gets the packet, A and X.
    private mutating func emitKernelCall(_ function: String) {
        assembler.append(.move64(.r1, context))
        assembler.append(.move64(.r2, a))
        assembler.append(.move64(.r3, x))
        assembler.append(.call(helper: 0), .kernelSymbol(function))
    }
}
