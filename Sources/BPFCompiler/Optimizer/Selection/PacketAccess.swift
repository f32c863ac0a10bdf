import ExtendedBPF

/// A way in which programs read packets.
enum PacketAccess: Hashable, Sendable {
    /// Through pointers to the packet's first part. What is not in that is not reached.
    case pointers
    /// Through copies on the stack.
    case copies(CopyHelper)
    /// Through the kernel's own instructions for classic loads, which end the function where there is nothing.
    case instructions(EndingPermit)
    /// Through the kernel's own `struct sk_buff`; what is not in its linear part is copied, or not reached.
    case kernelBuffer(copying: Bool)
    /// Through copies on the stack of any memory of the kernel's; what is not in the packet's linear part is not reached.
    case probes
    /// Through one copy on the stack of the packet's first `count` bytes, or of all if it has less. What lies behind is
    /// not reached.
    case prefix(count: UInt32)

    /// A helper function that copies bytes of the packet: `(context, offset, to, count)`, 0 where they are there.
    enum CopyHelper: Int32, Hashable, Sendable {
        /// `bpf_skb_load_bytes`
        case socketBuffer = 26
        /// `bpf_xdp_load_bytes`
        case xdp = 189
    }

    /// The ways for a hook: a first one and, where that does not reach the whole packet, another with which the program
    /// begins anew for a packet of which it did not find enough.
    ///
    /// - Parameters:
    ///   - failure: What the filter returns where it fails. The instructions can only return 0.
    ///   - kernel: The oldest kernel that is to take the program.
    ///   - permit: The permit to read packets by the kernel's instructions, if there is one.
    static func ways(
        for hook: Hook, failure: UInt32, _ kernel: KernelVersion, _ permit: EndingPermit?
    ) -> (first: PacketAccess, rest: PacketAccess?) {
        // Each of the instructions is a call, but a shorter one than that of a copy; see PacketPrefix.swift for filters
        // with several.
        let called: PacketAccess =
            if let permit, failure == 0 { .instructions(permit) } else { .copies(.socketBuffer) }
        return switch hook.host {
        case .netfilter: (.kernelBuffer(copying: true), nil)
        case .tpBTF, .rawTP, .fentry, .kprobe:
            kernel < .plainKernelMemory
                ? (.probes, nil) : (.kernelBuffer(copying: hook.hasTrustedArguments), nil)
        case .socket where kernel >= .plainKernelMemory:
            (.kernelBuffer(copying: false), called)
        case .xdp: (.pointers, nil)
        case .xdpFrags: (.pointers, .copies(.xdp))
        case .socket: (called, nil)
        default: (.pointers, called)
        }
    }

    /// Whether the ways for a hook together reach all of a packet, or its linear part only.
    static func reachWholePackets(on hook: Hook, _ kernel: KernelVersion) -> Bool {
        let ways = ways(for: hook, failure: 0, kernel, nil)
        return ways.rest != nil || ways.first != .probes && ways.first != .kernelBuffer(copying: false)
    }

    /// The permit of the kernel's instructions, where they are the way.
    var permit: EndingPermit? {
        if case .instructions(let permit) = self { permit } else { nil }
    }

    /// The most bytes from the first to the last of what is checked as one: what is copied has to fit the stack, and a
    /// load reaches 32,767 bytes from its pointer.
    var windowSize: UInt32 {
        switch self {
        case .pointers, .instructions, .prefix, .kernelBuffer(copying: false): 32_000
        case .copies, .probes, .kernelBuffer(copying: true): 64
        }
    }

    /// Whether the loads of a window have to be aligned: the verifier asks for that on the stack. Loads from the prefix
    /// that are not are put together.
    var isAligned: Bool {
        switch self {
        case .copies, .probes: true
        case .pointers, .instructions, .kernelBuffer, .prefix: false
        }
    }
}
