// Where the arguments of tracepoints and functions are, and which of them is the packet.

extension Hook {
    /// Whether the verifier knows of which type the arguments are.
    public var hasTypedArguments: Bool {
        switch host {
        case .tpBTF, .fentry: true
        default: false
        }
    }

    /// Whether the verifier, too, takes the arguments for what the kernel holds on to meanwhile; its own functions want
    /// nothing else.
    var hasTrustedArguments: Bool {
        if case .tpBTF = host { true } else { false }
    }

    /// How far from the start of the context the argument is, in bytes; nil where it is not in the context.
    ///
    /// - Parameter number: Which argument, counted from 0.
    func place(ofArgument number: Int, on architecture: Architecture) -> Int16? {
        guard case .kprobe = host else { return number < 12 ? Int16(8 * number) : nil }
        let places = architecture.argumentPlaces
        return places.indices.contains(number) ? places[number] : nil
    }

    /// Which argument of the usual tracepoints and functions is the packet's `struct sk_buff`, counted from 0; nil where
    /// nothing is known of that without asking a kernel.
    public var usualSocketBufferArgument: Int? {
        switch host {
        case .tpBTF(let name), .rawTP(let name): Self.tracepoints[name]
        case .fentry(let name), .kprobe(let name): Self.functions[name]
        default: nil
        }
    }

    /// Whether the packet among the arguments may be one that the kernel has freed by then, so that who wants to look
    /// at it has to say so.
    public var mayHaveFreedPacket: Bool {
        switch host {
        // The device has had the packet.
        case .tpBTF("net_dev_xmit"), .rawTP("net_dev_xmit"): true
        default: false
        }
    }

    private static let tracepoints: [String: Int] = [
        "kfree_skb": 0, "consume_skb": 0, "netif_receive_skb": 0, "netif_receive_skb_entry": 0, "netif_rx": 0,
        "netif_rx_entry": 0, "napi_gro_receive_entry": 0, "net_dev_queue": 0, "net_dev_start_xmit": 0,
        "skb_copy_datagram_iovec": 0,
    ]

    private static let functions: [String: Int] = [
        "consume_skb": 0, "icmp_rcv": 0, "ip6_output": 2, "ip_forward": 0, "ip_local_deliver": 0, "ip_output": 2,
        "ip_rcv": 0, "ipv6_rcv": 0, "netif_receive_skb": 0, "netif_rx": 0, "tcp_v4_rcv": 0, "udp_rcv": 0,
        "__dev_queue_xmit": 0,
    ]
}

/// A kind of processor, which matters at probes: a function's arguments are in its registers.
public enum Architecture: String, Hashable, Sendable, CaseIterable {
    /// The 64-bit x86 processors.
    case x86_64
    /// The 64-bit ARM processors.
    case arm64
    /// The 64-bit RISC-V processors.
    case riscv64

    /// This machine's, or x86_64 where it is none of these.
    public static var host: Architecture {
        #if arch(arm64)
            .arm64
        #elseif arch(riscv64)
            .riscv64
        #else
            .x86_64
        #endif
    }

    /// The places of the first arguments of a function in its registers as the kernel keeps them (`struct pt_regs`).
    ///
    /// Source: each processor's calling convention and `<asm/ptrace.h>`.
    var argumentPlaces: [Int16] {
        switch self {
        // rdi, rsi, rdx, rcx, r8, r9
        case .x86_64: [112, 104, 96, 88, 72, 64]
        // x0 to x7, the first of all
        case .arm64: (0..<8).map { 8 * $0 }
        // a0 to a7, behind ten others
        case .riscv64: (10..<18).map { 8 * $0 }
        }
    }
}
