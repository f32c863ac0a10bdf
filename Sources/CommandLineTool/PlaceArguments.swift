import ArgumentParser
import PacketFilter

/// Where in the running kernel packets are looked at, as what, and for how long.
struct PlaceArguments: ParsableArguments {
    @Option(
        name: [.customShort("i", allowingJoined: true), .long],
        help: ArgumentHelp("The network interface.", valueName: "interface"))
    var interface: String?

    @Option(
        name: .customLong("hook"),
        help: ArgumentHelp(
            "Where to look: socket, xdp, xdp-frags, tc, tcx-ingress, tcx-egress, netkit-primary, netkit-peer, "
                + "cgroup-ingress, cgroup-egress, netfilter, tp_btf:TRACEPOINT, raw_tp:TRACEPOINT or fentry:FUNCTION. "
                + "(default: socket)", valueName: "hook"))
    var hookName: String?

    @Option(help: ArgumentHelp("Which packets, for tc: ingress or egress.", valueName: "name"))
    var direction: String?

    @Flag(help: "Look at clsact for tc, not by a link, as it is on kernels before 6.6.")
    var clsact = false

    @Option(help: ArgumentHelp("The folder of the control group, for its hooks.", valueName: "path"))
    var cgroup: String?

    @Option(
        help: ArgumentHelp(
            "Where on their way netfilter shows packets: prerouting, input, forward, output or postrouting. (default: "
                + "prerouting)", valueName: "place"))
    var hookPoint: String?

    @Option(
        name: .customLong("vlan"),
        help: ArgumentHelp(
            "The packet that filters are shown, as to its VLAN tag: bytes, wire or stripped. (default: as for a program "
                + "of the hook)", valueName: "view"))
    var vlanName: String?

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long, as 10s, 500ms, 2m or 1h. (default: until Ctrl-C)", valueName: "duration"))
    var durationText: String?

    func validate() throws {
        _ = try (vlan, duration)
        #if os(Linux)
            _ = try place
        #endif
    }

    /// The place as people name it.
    var name: String { interface ?? cgroup ?? hookPoint ?? hookName ?? "" }

    /// What has gone where the place has.
    var whatGoes: String {
        interface.map { "interface '\($0)'" } ?? cgroup.map { "control group '\($0)'" } ?? "hook"
    }

    var vlan: VLANView? {
        get throws { try vlanName.map { try choice(VLANView.self, $0, of: "--vlan") } }
    }

    /// How long to look, or nil for no end.
    var duration: Duration? {
        get throws {
            guard let durationText else { return nil }
            guard let duration = Duration(text: durationText), duration > .zero else {
                throw ValidationError("'\(durationText)' is no duration for --for, which takes 10s, 500ms, 2m or 1h.")
            }
            return duration
        }
    }
}

/// The value that `text` names.
///
/// - Throws: `ValidationError` with the values there are.
func choice<Value: CaseIterable & RawRepresentable<String>>(
    _: Value.Type, _ text: String, of option: String
) throws -> Value {
    if let value = Value(rawValue: text) { return value }
    let values = Value.allCases.map(\.rawValue).joined(separator: ", ")
    throw ValidationError("'\(text)' is no value of \(option), which takes \(values).")
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
                case .tc:
                    let direction = try choice(
                        TrafficDirection.self, needed(direction, "--direction", hook), of: "--direction")
                    place = .traffic(
                        interface: try needed(interface, "-i", hook), direction, clsact ? .clsact() : .automatic)
                case .cgroupIngress, .cgroupEgress: place = .cgroup(path: try needed(cgroup, "--cgroup", hook), hook)
                case .netfilter: place = .netfilter(try netfilterHook)
                case .tpBTF, .rawTP, .fentry: place = .tracing(hook)
                default: throw ValidationError("\(CountingError(.unattachable(hook))).".capitalizedFirst)
                }
                if interface != nil, place.interface == nil {
                    throw ValidationError("-i is for hooks of interfaces, \(hook) is none.")
                }
                if direction != nil || clsact, hook != .tc {
                    throw ValidationError("--direction and --clsact are for tc.")
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

    extension String {
        /// The text as a sentence begins.
        fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
    }
#endif
