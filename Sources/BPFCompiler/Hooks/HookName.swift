extension Hook: LosslessStringConvertible {
    /// The hook as the command line has it.
    public var description: String {
        switch self {
        case .socket: "socket"
        case .tc: "tc"
        case .tcxIngress: "tcx-ingress"
        case .tcxEgress: "tcx-egress"
        case .netkitPrimary: "netkit-primary"
        case .netkitPeer: "netkit-peer"
        case .xdp: "xdp"
        case .xdpFrags: "xdp-frags"
        case .cgroupIngress: "cgroup-ingress"
        case .cgroupEgress: "cgroup-egress"
        case .lwtIn: "lwt-in"
        case .lwtOut: "lwt-out"
        case .lwtXmit: "lwt-xmit"
        case .netfilter: "netfilter"
        case .tpBTF(let name): "\(Tracing.tpBTF.rawValue):\(name)"
        case .rawTP(let name): "\(Tracing.rawTP.rawValue):\(name)"
        case .fentry(let name): "\(Tracing.fentry.rawValue):\(name)"
        case .kprobe(let name): "\(Tracing.kprobe.rawValue):\(name)"
        case .function(let hook): "function:\(hook)"
        }
    }

    /// Reads a hook, or gives nil where ``init(named:)`` throws.
    public init?(_ description: String) {
        guard let hook = try? Hook(named: description) else { return nil }
        self = hook
    }

    /// Reads a hook as the command line has it.
    ///
    /// - Throws: ``CompilerError`` with what is possible: there is no such hook, what follows the colon is no name the
    ///   kernel could have, or functions are not for that hook.
    public init(named name: String) throws(CompilerError) {
        if let hook = Self.packetHooks.first(where: { $0.description == name }) {
            self = hook
            return
        }
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { throw CompilerError(.unknownHook(name)) }
        if let tracing = Tracing(rawValue: parts[0]) {
            guard tracing.takes(parts[1]) else {
                throw CompilerError(.invalidHookArgument(parts[1], kind: parts[0], argument: tracing.argument))
            }
            self = tracing.hook(at: parts[1])
        } else if parts[0] == "function" {
            guard let hook = Self.packetHooks.first(where: { $0.description == parts[1] }) else {
                throw CompilerError(.noFunctionsOfHook(parts[1]))
            }
            self = .function(hook)
        } else {
            throw CompilerError(.unknownHook(name))
        }
    }

    /// The hooks that look at packets passing somewhere in the kernel, by what stands before the colon.
    enum Tracing: String, CaseIterable {
        case tpBTF = "tp_btf"
        case rawTP = "raw_tp"
        case fentry
        case kprobe

        /// What is to be chosen.
        var argument: String {
            switch self {
            case .tpBTF, .rawTP: "TRACEPOINT"
            case .fentry, .kprobe: "FUNCTION"
            }
        }

        /// Whether the kernel could have a tracepoint or function of that name; compilers make names with dots, which
        /// only probes reach.
        func takes(_ name: String) -> Bool {
            guard self == .kprobe else { return Translator.isIdentifier(name) }
            return name.split(separator: ".", omittingEmptySubsequences: false).enumerated().allSatisfy {
                Translator.isIdentifier($0.offset == 0 ? String($0.element) : "_\($0.element)")
            }
        }

        func hook(at name: String) -> Hook {
            switch self {
            case .tpBTF: .tpBTF(name)
            case .rawTP: .rawTP(name)
            case .fentry: .fentry(name)
            case .kprobe: .kprobe(name)
            }
        }
    }
}
