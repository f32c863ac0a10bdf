#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import SystemPackage

    /// Who runs XDP programs.
    public typealias XDPMode = BPFKernel.XDPMode
    /// A place among the programs and rules at a hook of netfilter.
    public typealias NetfilterPlace = BPFKernel.NetfilterPlace
    /// Which packets of an interface traffic control shows.
    public typealias TrafficDirection = BPFKernel.TrafficDirection

    /// By which way a program of the hook tc is attached.
    public enum TrafficWay: Hashable, Sendable {
        /// By a link (tcx), where the kernel has those and the program's verdicts say the same there; else at clsact.
        case automatic
        /// At clsact, in this order among the filters there; 0 for a place in front of all of them.
        case clsact(priority: UInt16 = 0)
    }

    /// Where in the running kernel a program is attached: a hook and what the hook belongs to.
    ///
    /// Interfaces and netfilter are those of the caller's network namespace.
    /// - `Verdict` is the vocabulary of the hook: `filter.attach(to: .xdp(interface: "eth0"), match: .drop)`.
    public struct AttachPoint<Verdict: NamedVerdict>: Hashable, Sendable {
        /// The hook.
        public let hook: Hook
        /// What it belongs to.
        public let owner: HookOwner

        /// Makes a point of a hook that has this vocabulary.
        fileprivate init(_ hook: Hook, _ owner: HookOwner) {
            self.hook = hook
            self.owner = owner
        }
    }

    /// What a hook belongs to.
    public enum HookOwner: Hashable, Sendable {
        /// The interface of that name; the mode is of meaning for XDP only.
        case interface(String, XDPMode = .native)
        /// Traffic control of the interface of that name, for the hook tc.
        case traffic(String, TrafficDirection, TrafficWay = .automatic)
        /// The control group with that folder.
        case cgroup(FilePath)
        /// The caller's network namespace.
        case netfilter(NetfilterPlace)
        /// The kernel, for tracepoints and functions.
        case kernel
    }

    extension AttachPoint<XDPVerdict> {
        /// The receive path of an interface, packets in one buffer (Linux 5.9).
        public static func xdp(interface: String, mode: XDPMode = .native) -> Self {
            Self(.xdp, .interface(interface, mode))
        }

        /// The receive path of an interface, packets in several buffers too (Linux 5.18).
        public static func xdpFrags(interface: String, mode: XDPMode = .native) -> Self {
            Self(.xdpFrags, .interface(interface, mode))
        }
    }

    extension AttachPoint<TCVerdict> {
        /// Traffic control of an interface (Linux 4.5).
        public static func tc(
            interface: String, _ direction: TrafficDirection, way: TrafficWay = .automatic
        ) -> Self {
            Self(.tc, .traffic(interface, direction, way))
        }
    }

    extension AttachPoint<TCXVerdict> {
        /// What comes in at an interface (Linux 6.6).
        public static func tcxIngress(interface: String) -> Self { Self(.tcxIngress, .interface(interface)) }
        /// What goes out at an interface (Linux 6.6).
        public static func tcxEgress(interface: String) -> Self { Self(.tcxEgress, .interface(interface)) }
        /// What the primary device of a netkit pair sends (Linux 6.7).
        public static func netkitPrimary(interface: String) -> Self { Self(.netkitPrimary, .interface(interface)) }
        /// What the peer of a netkit pair's primary device sends; it is attached at the primary one (Linux 6.7).
        public static func netkitPeer(interface: String) -> Self { Self(.netkitPeer, .interface(interface)) }
    }

    extension AttachPoint<CgroupVerdict> {
        /// What comes in to the sockets of a control group (Linux 5.7).
        public static func cgroupIngress(_ folder: FilePath) -> Self { Self(.cgroupIngress, .cgroup(folder)) }
        /// What the sockets of a control group send (Linux 5.7).
        public static func cgroupEgress(_ folder: FilePath) -> Self { Self(.cgroupEgress, .cgroup(folder)) }
    }

    extension AttachPoint<NetfilterVerdict> {
        /// A hook of netfilter (Linux 6.4).
        public static func netfilter(_ place: NetfilterPlace) -> Self { Self(.netfilter, .netfilter(place)) }
    }

    extension HookOwner {
        /// Calls `body` with the place for the kernel.
        func withPlace<Value: ~Copyable>(of hook: Hook, _ body: (AttachPlace) throws -> Value) throws -> Value {
            switch (hook, self) {
            case (.rawTP(let name), .kernel): return try body(.rawTracepoint(name))
            case (.tpBTF, .kernel), (.fentry, .kernel): return try body(.loadedFor)
            case (.netfilter, .netfilter(let place)): return try body(.netfilter(place))
            case (.xdp, .interface(let name, let mode)), (.xdpFrags, .interface(let name, let mode)):
                return try body(.xdp(index(of: name), mode))
            case (.tcxIngress, .interface(let name, _)), (.tcxEgress, .interface(let name, _)),
                (.netkitPrimary, .interface(let name, _)), (.netkitPeer, .interface(let name, _)):
                return try body(.interface(index(of: name), hook.attachType!))
            case (.tc, .traffic(let name, let direction, _)):
                return try body(.interface(index(of: name), direction.attachType))
            case (.cgroupIngress, .cgroup(let path)), (.cgroupEgress, .cgroup(let path)):
                let folder: FileDescriptor
                do {
                    folder = try FileDescriptor.open(path, .readOnly)
                } catch let error as Errno {
                    throw AttachError(.noControlGroup(path.string, error), hook)
                }
                defer { try? folder.close() }
                return try body(.cgroup(folder, hook.attachType!))
            default: throw AttachError(.otherOwner, hook)
            }
        }

        func index(of name: String) throws -> UInt32 {
            guard let index = RunningKernel.interfaceIndex(named: name) else {
                throw KernelError(.noInterface(name), in: .createLink)
            }
            return index
        }
    }

    /// Why a program cannot be attached.
    public struct AttachError: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong.
        public enum Reason: Hashable, Sendable {
            /// The hook belongs to something else.
            case otherOwner
            /// The folder cannot be opened.
            case noControlGroup(String, Errno)
            /// Programs for the hook are attached by other means.
            case noLink
            /// Programs at clsact have no link that could be pinned.
            case noPin
        }

        /// What is wrong.
        public var reason: Reason
        /// The hook.
        public var hook: Hook

        init(_ reason: Reason, _ hook: Hook) {
            self.reason = reason
            self.hook = hook
        }

        /// What was found, what would be right.
        public var description: String {
            switch reason {
            case .noPin: "a program at clsact stays until it is detached, there is no link that could be pinned"
            case .otherOwner: "the \(hook) hook belongs to something else"
            case .noControlGroup(let path, let error): "cannot open the control group \(path): \(error)"
            case .noLink: "the \(hook) hook has no links, \(otherWay)"
            }
        }

        private var otherWay: String {
            switch hook {
            case .socket: "a filter is attached by the program that has the socket (SO_ATTACH_BPF)"
            case .lwtIn, .lwtOut, .lwtXmit: "load an object with 'ip route add … encap bpf'"
            case .kprobe(let name):
                RunningKernel.availability(of: .kprobeEvents) == .missing
                    ? "and this kernel no events of kprobes (CONFIG_KPROBE_EVENTS): use fentry:\(name) or a tracepoint, "
                        + "tp_btf:…"
                    : "use fentry:\(name)"
            default: "link its object with a program that calls it"
            }
        }
    }

    extension Hook {
        /// What a hook belongs to that programs are attached to from here, or nil for the other hooks.
        public var ownerKind: OwnerKind? {
            switch self {
            case .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer, .xdp, .xdpFrags: .interface
            case .tc: .traffic
            case .cgroupIngress, .cgroupEgress: .cgroup
            case .netfilter: .netfilter
            case .tpBTF, .rawTP, .fentry: .kernel
            case .socket, .lwtIn, .lwtOut, .lwtXmit, .kprobe, .function: nil
            }
        }

        /// The kinds of ``HookOwner``.
        public enum OwnerKind: Sendable {
            /// An interface.
            case interface
            /// A direction of an interface.
            case traffic
            /// A control group.
            case cgroup
            /// A network namespace.
            case netfilter
            /// The kernel.
            case kernel
        }

        /// - Throws: ``AttachError`` for a hook that programs are attached to by other means.
        public func checkIsAttachable() throws(AttachError) {
            if ownerKind == nil { throw AttachError(.noLink, self) }
        }
    }
#endif
