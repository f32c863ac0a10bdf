/// What a program tells its hook to do with a packet.
public struct Verdict: Hashable, Sendable {
    /// The name on the command line.
    public var name: String
    /// What the program returns, all 32 bits of it.
    public var value: UInt32

    /// Makes a verdict.
    public init(name: String, value: UInt32) {
        self.name = name
        self.value = value
    }

    /// A verdict that has no name: the number itself.
    public init(value: UInt32) {
        self.init(name: String(value), value: value)
    }

    /// The verdict of a hook's own vocabulary.
    public init(_ verdict: some NamedVerdict) {
        self.init(name: verdict.rawValue, value: verdict.value)
    }
}

/// The vocabulary of a hook; the raw value is the name on the command line. The first case lets a packet pass.
public protocol NamedVerdict: RawRepresentable<String>, CaseIterable, Hashable, Sendable {
    /// What the program returns, all 32 bits of it.
    var value: UInt32 { get }
}

/// The verdicts of traffic control. Source: `TC_ACT_…` of `<linux/pkt_cls.h>`.
public enum TCVerdict: String, NamedVerdict {
    /// Ends classification, the packet goes on (`TC_ACT_OK`).
    case ok
    /// Drops the packet (`TC_ACT_SHOT`).
    case shot
    /// Goes on with the next filter, or the default action (`TC_ACT_UNSPEC`, −1).
    case unspec
    /// Goes on with the next action (`TC_ACT_PIPE`).
    case pipe
    /// Starts classification again (`TC_ACT_RECLASSIFY`).
    case reclassify
    /// The packet is taken over (`TC_ACT_STOLEN`).
    case stolen
    /// The packet is taken over and queued (`TC_ACT_QUEUED`).
    case queued
    /// Runs the action again (`TC_ACT_REPEAT`).
    case `repeat`
    /// Sends the packet to the interface chosen before (`TC_ACT_REDIRECT`).
    case redirect
    /// Hands the packet to the processor in hardware offload (`TC_ACT_TRAP`).
    case trap

    /// What the program returns.
    public var value: UInt32 {
        switch self {
        case .ok: 0
        case .reclassify: 1
        case .shot: 2
        case .pipe: 3
        case .stolen: 4
        case .queued: 5
        case .repeat: 6
        case .redirect: 7
        case .trap: 8
        case .unspec: 0xffff_ffff
        }
    }
}

/// The verdicts of tcx and netkit. Source: `TCX_…` and `NETKIT_…` of `<linux/bpf.h>` and `<linux/if_link.h>`.
public enum TCXVerdict: String, NamedVerdict {
    /// The next program decides; after the last one the packet goes on (`TCX_NEXT`, −1).
    case next
    /// The packet goes on, no other program sees it (`TCX_PASS`).
    case pass
    /// Drops the packet (`TCX_DROP`).
    case drop
    /// Sends the packet to the interface chosen before (`TCX_REDIRECT`).
    case redirect

    /// What the program returns.
    public var value: UInt32 {
        switch self {
        case .next: 0xffff_ffff
        case .pass: 0
        case .drop: 2
        case .redirect: 7
        }
    }
}

/// The verdicts of XDP. Source: `enum xdp_action` of `<linux/bpf.h>`.
public enum XDPVerdict: String, NamedVerdict {
    /// The packet goes on into the kernel (`XDP_PASS`).
    case pass
    /// Drops the packet (`XDP_DROP`).
    case drop
    /// Drops the packet as by an error, which a tracepoint reports (`XDP_ABORTED`).
    case aborted
    /// Sends the packet back out of the device it came from (`XDP_TX`).
    case tx
    /// Sends the packet where was chosen before (`XDP_REDIRECT`).
    case redirect

    /// What the program returns.
    public var value: UInt32 {
        switch self {
        case .aborted: 0
        case .drop: 1
        case .pass: 2
        case .tx: 3
        case .redirect: 4
        }
    }
}

/// The verdicts of control groups. Source: the kernel's documentation of `BPF_PROG_TYPE_CGROUP_SKB`.
public enum CgroupVerdict: String, NamedVerdict {
    /// The packet goes on.
    case allow
    /// Drops the packet; who sends it gets `EPERM`.
    case deny

    /// What the program returns.
    public var value: UInt32 {
        switch self {
        case .allow: 1
        case .deny: 0
        }
    }
}

/// The verdicts of light-weight tunnels. Source: `enum bpf_ret_code` of `<linux/bpf.h>`.
public enum LWTVerdict: String, NamedVerdict {
    /// The packet goes on (`BPF_OK`).
    case ok
    /// Drops the packet (`BPF_DROP`).
    case drop
    /// Looks for a route once more, on ``Hook/lwtXmit`` only (`BPF_LWT_REROUTE`, 5.2).
    case reroute

    /// What the program returns.
    public var value: UInt32 {
        switch self {
        case .ok: 0
        case .drop: 2
        case .reroute: 128
        }
    }
}

/// The verdicts of netfilter. Source: `NF_…` of `<linux/netfilter.h>`.
public enum NetfilterVerdict: String, NamedVerdict {
    /// The packet goes on (`NF_ACCEPT`).
    case accept
    /// Drops the packet (`NF_DROP`).
    case drop

    /// What the program returns.
    public var value: UInt32 {
        switch self {
        case .accept: 1
        case .drop: 0
        }
    }
}
