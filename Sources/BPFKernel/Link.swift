import SystemPackage

/// A program at the place in the kernel where it runs. It stays there as long as this value lives.
///
/// The link holds the program, which may end before.
public struct Link: ~Copyable {
    /// The descriptor of the link, closed when this value ends.
    public let descriptor: FileDescriptor

    /// Attaches `program` at `place`.
    ///
    /// - Throws: ``KernelError`` with `EINVAL` where the program was loaded for another place, `ENOENT` where there is
    ///   no such tracepoint, `EEXIST` or `EBUSY` where another program is in the way.
    public init(attaching program: borrowing Program, at place: AttachPlace) throws(KernelError) {
        let program = program.descriptor
        if let arguments = LinkArguments(place) {
            descriptor = try asking(.createLink) { () throws(Errno) in try createLink(of: program, arguments) }
        } else {
            let name: String? = if case .rawTracepoint(let name) = place { name } else { nil }
            descriptor = try asking(.openRawTracepoint) { () throws(Errno) in
                try openRawTracepoint(name, for: program)
            }
        }
    }

    deinit { try? descriptor.close() }
}

/// A place where a program can run.
public enum AttachPlace: Hashable, Sendable {
    /// The tracepoint of that name, for programs of type ``ProgramType/rawTracepoint`` (4.17).
    case rawTracepoint(String)
    /// What a program of type ``ProgramType/tracing`` was loaded for: a tracepoint, or the entry or end of a function
    /// (5.5).
    case loadedFor
    /// A control group, given by the descriptor of its folder: ``AttachType/cgroupInetIngress`` or
    /// ``AttachType/cgroupInetEgress`` (5.7). Other programs there run beside this one.
    case cgroup(FileDescriptor, AttachType)
    /// A hook of netfilter in the network namespace of the caller (6.4).
    case netfilter(NetfilterPlace)
    /// A network device of the caller's network namespace, given by its index: ``AttachType/xdp`` (5.9), one of tcx
    /// (6.6) or of netkit (6.7).
    case interface(UInt32, AttachType)
    /// As ``interface(_:_:)`` with ``AttachType/xdp``, in a chosen mode.
    case xdp(UInt32, XDPMode)
}

/// Who runs XDP programs. Source: `XDP_FLAGS_…` of `<linux/if_link.h>`.
public enum XDPMode: UInt32, Hashable, Sendable, CaseIterable {
    /// The kernel for a driver that cannot, when it has a packet already; works on every interface, slower
    /// (`XDP_FLAGS_SKB_MODE`).
    case generic = 2
    /// The interface's driver, or nobody (`XDP_FLAGS_DRV_MODE`).
    case native = 4
}

/// A place among the programs and rules at a hook of netfilter.
public struct NetfilterPlace: Hashable, Sendable {
    /// Which packets. Source: `NFPROTO_…` of `<linux/netfilter.h>`.
    public enum Family: UInt32, Hashable, Sendable, CaseIterable {
        /// IPv4.
        case ipv4 = 2
        /// IPv6.
        case ipv6 = 10
    }

    /// Where on their way. Source: `enum nf_inet_hooks` of `<linux/netfilter.h>`.
    public enum Hook: UInt32, Hashable, Sendable, CaseIterable {
        /// As they come in, before they are routed (`NF_INET_PRE_ROUTING`).
        case prerouting = 0
        /// On the way to a socket of this machine (`NF_INET_LOCAL_IN`).
        case input
        /// On the way through this machine (`NF_INET_FORWARD`).
        case forward
        /// From a socket of this machine (`NF_INET_LOCAL_OUT`).
        case output
        /// Before they leave (`NF_INET_POST_ROUTING`).
        case postrouting
    }

    /// Which packets.
    public var family: Family
    /// Where on their way.
    public var hook: Hook
    /// The order among others there, the lowest first. The lowest and the highest number of all are the kernel's own.
    public var priority: Int32
    /// Whether fragments of IP packets are put together before the program sees them; then the priority has to be above
    /// −400, that of the kernel's part that does it.
    public var defragments: Bool

    /// Makes a place.
    public init(_ family: Family, _ hook: Hook, priority: Int32 = 0, defragments: Bool = false) {
        self.family = family
        self.hook = hook
        self.priority = priority
        self.defragments = defragments
    }

    /// `BPF_F_NETFILTER_IP_DEFRAG`
    static let defragmentFlag: UInt32 = 1
}

extension LinkArguments {
    /// Nil for places that another system call knows.
    fileprivate init?(_ place: AttachPlace) {
        switch place {
        case .rawTracepoint, .loadedFor: return nil
        case .cgroup(let folder, let type):
            self.init(target: UInt32(bitPattern: folder.rawValue), attachType: type.rawValue)
        case .netfilter(let netfilter):
            self.init(attachType: AttachType.netfilter.rawValue, netfilter: netfilter)
        case .interface(let index, let type): self.init(target: index, attachType: type.rawValue)
        case .xdp(let index, let mode):
            self.init(target: index, attachType: AttachType.xdp.rawValue, flags: mode.rawValue)
        }
    }
}
