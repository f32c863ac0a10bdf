// Targets by hook. What packets that do not match get is, unless it is said, what lets them pass.

extension Target {
    /// A socket filter that returns the filter's number, as the classic one does.
    public static let socket = Target(hook: .socket, result: .number)

    /// A socket filter that keeps `match` bytes of packets that match and `noMatch` of the others.
    public static func socket(match: Verdict, noMatch: Verdict = Verdict(value: 0)) -> Target {
        Target(hook: .socket, match: match, noMatch: noMatch)
    }

    /// A traffic control classifier in direct-action mode.
    public static func tc(match: TCVerdict, noMatch: TCVerdict = .ok) -> Target {
        Target(.tc, match, noMatch)
    }

    /// A classifier attached straight to a device, for packets that come in.
    public static func tcxIngress(match: TCXVerdict, noMatch: TCXVerdict = .next) -> Target {
        Target(.tcxIngress, match, noMatch)
    }

    /// A classifier attached straight to a device, for packets that go out.
    public static func tcxEgress(match: TCXVerdict, noMatch: TCXVerdict = .next) -> Target {
        Target(.tcxEgress, match, noMatch)
    }

    /// A program of the primary device of a netkit pair.
    public static func netkitPrimary(match: TCXVerdict, noMatch: TCXVerdict = .next) -> Target {
        Target(.netkitPrimary, match, noMatch)
    }

    /// A program of the peer device of a netkit pair.
    public static func netkitPeer(match: TCXVerdict, noMatch: TCXVerdict = .next) -> Target {
        Target(.netkitPeer, match, noMatch)
    }

    /// A program in a device's receive path.
    public static func xdp(match: XDPVerdict, noMatch: XDPVerdict = .pass) -> Target {
        Target(.xdp, match, noMatch)
    }

    /// A program in a device's receive path, for packets in several buffers too.
    public static func xdpFrags(match: XDPVerdict, noMatch: XDPVerdict = .pass) -> Target {
        Target(.xdpFrags, match, noMatch)
    }

    /// A program for what comes in to a control group's sockets.
    public static func cgroupIngress(match: CgroupVerdict, noMatch: CgroupVerdict = .allow) -> Target {
        Target(.cgroupIngress, match, noMatch)
    }

    /// A program for what a control group's sockets send.
    public static func cgroupEgress(match: CgroupVerdict, noMatch: CgroupVerdict = .allow) -> Target {
        Target(.cgroupEgress, match, noMatch)
    }

    /// A program of a route, for packets that come in; there is no ``LWTVerdict/reroute``.
    public static func lwtIn(match: LWTVerdict, noMatch: LWTVerdict = .ok) -> Target {
        Target(.lwtIn, match, noMatch)
    }

    /// A program of a route, for packets that go out; there is no ``LWTVerdict/reroute``.
    public static func lwtOut(match: LWTVerdict, noMatch: LWTVerdict = .ok) -> Target {
        Target(.lwtOut, match, noMatch)
    }

    /// A program of a route, for packets about to be sent.
    public static func lwtXmit(match: LWTVerdict, noMatch: LWTVerdict = .ok) -> Target {
        Target(.lwtXmit, match, noMatch)
    }

    /// A program of netfilter.
    public static func netfilter(match: NetfilterVerdict, noMatch: NetfilterVerdict = .accept) -> Target {
        Target(.netfilter, match, noMatch)
    }

    /// A program at a tracepoint of typed arguments.
    public static func tpBTF(_ name: String) -> Target { Target(hook: .tpBTF(name))! }

    /// A program at a tracepoint.
    public static func rawTP(_ name: String) -> Target { Target(hook: .rawTP(name))! }

    /// A program at the entry of a kernel function of typed arguments.
    public static func fentry(_ name: String) -> Target { Target(hook: .fentry(name))! }

    /// A program at the entry of a kernel function.
    public static func kprobe(_ name: String) -> Target { Target(hook: .kprobe(name))! }

    /// A function to link with programs for `hook`, which is one of ``Hook/packetHooks``; it returns 1 or 0.
    public static func function(_ hook: Hook) -> Target { Target(hook: .function(hook))! }

    private init(_ hook: Hook, _ match: some NamedVerdict, _ noMatch: some NamedVerdict) {
        self.init(hook: hook, match: Verdict(match), noMatch: Verdict(noMatch))
    }
}
