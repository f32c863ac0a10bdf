// What a program answers at a hook.

extension Hook {
    /// The verdicts the hook knows by name, the one that lets a packet pass first; empty where the result is a number.
    public var verdicts: [Verdict] {
        switch self {
        case .socket, .tpBTF, .rawTP, .fentry, .kprobe, .function: []
        case .tc: TCVerdict.allCases.map(Verdict.init)
        case .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer: TCXVerdict.allCases.map(Verdict.init)
        case .xdp, .xdpFrags: XDPVerdict.allCases.map(Verdict.init)
        case .cgroupIngress, .cgroupEgress: CgroupVerdict.allCases.map(Verdict.init)
        case .lwtIn, .lwtOut: [LWTVerdict.ok, .drop].map(Verdict.init)
        case .lwtXmit: LWTVerdict.allCases.map(Verdict.init)
        case .netfilter: NetfilterVerdict.allCases.map(Verdict.init)
        }
    }

    /// Whether a target must say what packets that match get: where that decides about traffic.
    public var needsMatch: Bool { !verdicts.isEmpty }

    /// Whether the result is, unless a target says otherwise, the filter's own number.
    public var givesNumber: Bool { self == .socket }

    /// Whether a target can choose what the program returns. Where programs only look, and in functions, it is 1 or 0.
    public var takesVerdicts: Bool { needsMatch || givesNumber }

    /// What packets that do not match get unless a target says otherwise: they pass, on a socket they are dropped.
    public var defaultNoMatch: Verdict { verdicts.first ?? Verdict(value: 0) }

    /// What the verifier lets a program return; nil for any number.
    ///
    /// Bit 1 at egress of a control group tells of congestion. The kernel has no use for what a program at a function's
    /// entry returns and wants it to be 0; whether a packet matched is then what the program does about it.
    public var allowedResults: ClosedRange<UInt32>? {
        switch self {
        case .cgroupIngress, .netfilter: 0...1
        case .cgroupEgress: 0...3
        case .fentry: 0...0
        default: nil
        }
    }
}
