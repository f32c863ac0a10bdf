import ArgumentParser
import PacketFilter

/// Where in the running kernel packets are looked at.
struct PlaceArguments: ParsableArguments {
    @Option(
        name: [.customShort("i", allowingJoined: true), .long],
        help: ArgumentHelp("The network interface.", valueName: "interface"))
    var interface: String?

    @Option(
        name: .customLong("hook"),
        help: ArgumentHelp(
            "Where to look: socket, xdp, xdp-frags, tcx-ingress, tcx-egress, netkit-primary, netkit-peer, "
                + "cgroup-ingress, cgroup-egress, netfilter, tp_btf:TRACEPOINT, raw_tp:TRACEPOINT or fentry:FUNCTION. "
                + "(default: socket)", valueName: "hook"))
    var hookName: String?

    @Option(help: ArgumentHelp("The folder of the control group, for its hooks.", valueName: "path"))
    var cgroup: String?

    @Option(
        help: ArgumentHelp(
            "Where on their way netfilter shows packets: prerouting, input, forward, output or postrouting. (default: "
                + "prerouting)", valueName: "place"))
    var hookPoint: String?

    /// The place as people name it.
    var name: String { interface ?? cgroup ?? hookPoint ?? hookName ?? "" }
}

#if os(Linux)
    extension PlaceArguments {
        /// Where to look.
        ///
        /// - Throws: `ValidationError` where what the hook needs is missing, or something is given that it has no use for.
        var place: CapturePlace {
            get throws {
                let hook = try hook
                let place: CapturePlace
                switch hook {
                case .socket: place = .packetSocket(interface: try needed(interface, "-i", hook))
                case .xdp, .xdpFrags, .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer:
                    place = .interface(try needed(interface, "-i", hook), hook)
                case .cgroupIngress, .cgroupEgress: place = .cgroup(path: try needed(cgroup, "--cgroup", hook), hook)
                case .netfilter: place = .netfilter(try netfilterHook)
                case .tpBTF, .rawTP, .fentry: place = .tracing(hook)
                default:
                    throw ValidationError(
                        "Packets are not captured at \(hook): \(CountingError(.unattachable(hook))).")
                }
                if interface != nil, place.interface == nil {
                    throw ValidationError("-i is for hooks of interfaces, \(hook) is none.")
                }
                if cgroup != nil, !"\(hook)".hasPrefix("cgroup") {
                    throw ValidationError("--cgroup is for the hooks cgroup-ingress and cgroup-egress.")
                }
                if hookPoint != nil, hook != .netfilter { throw ValidationError("--hook-point is for netfilter.") }
                return place
            }
        }

        private var hook: Hook {
            get throws {
                guard let hookName else { return .socket }
                do {
                    return try Hook(named: hookName)
                } catch {
                    throw ValidationError("--hook: \(error).")
                }
            }
        }

        private var netfilterHook: NetfilterPlace.Hook {
            get throws {
                guard let hookPoint else { return .prerouting }
                let hooks = NetfilterPlace.Hook.allCases
                guard let hook = hooks.first(where: { "\($0)" == hookPoint }) else {
                    let names = hooks.map { "\($0)" }.joined(separator: ", ")
                    throw ValidationError("'\(hookPoint)' is no value of --hook-point, which takes \(names).")
                }
                return hook
            }
        }

        private func needed(_ value: String?, _ option: String, _ hook: Hook) throws -> String {
            guard let value else { throw ValidationError("The \(hook) hook needs \(option).") }
            return value
        }
    }
#endif
