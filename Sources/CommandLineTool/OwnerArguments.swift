#if os(Linux)
    import ArgumentParser
    import PacketFilter
    import SystemPackage

    extension AttachCommand {
        /// Checks that what the hook belongs to is said, and nothing else.
        func validateOwner() throws {
            let hook = try compile.hook
            let kind = hook.ownerKind
            func check(_ isGiven: Bool, _ options: String, belongs: Bool) throws {
                if isGiven, !belongs { throw ValidationError("The \(hook) hook takes no \(options).") }
            }
            guard kind != nil else { return }
            try check(interface != nil, "-i", belongs: kind == .interface)
            try check(controlGroup != nil, "--cgroup", belongs: kind == .cgroup)
            try check(
                family != nil || hookPoint != nil || priority != nil, "--family, --hook-point and --priority",
                belongs: kind == .netfilter)
            try check(modeName != nil, "--xdp-mode", belongs: hook == .xdp || hook == .xdpFrags)
            _ = try owner
        }

        /// What the hook belongs to, as the arguments say.
        var owner: HookOwner {
            get throws {
                let hook = try compile.hook
                switch hook.ownerKind {
                case .interface:
                    guard let interface else { throw ValidationError("The \(hook) hook needs -i, the interface.") }
                    let mode = try compile.choice(modeName, of: "--xdp-mode", or: Mode.native)
                    return .interface(interface, mode == .generic ? .generic : .native)
                case .cgroup:
                    guard let controlGroup else {
                        throw ValidationError("The \(hook) hook needs --cgroup, the folder of the control group.")
                    }
                    return .cgroup(FilePath(controlGroup))
                case .netfilter: return .netfilter(try netfilterPlace)
                case .kernel, nil: return .kernel
                }
            }
        }

        private enum Mode: String, CaseIterable { case native, generic }
        private enum Family: String, CaseIterable { case ipv4, ipv6 }
        private enum Point: String, CaseIterable { case prerouting, input, forward, output, postrouting }

        private var netfilterPlace: NetfilterPlace {
            get throws {
                guard family != nil, hookPoint != nil else {
                    throw ValidationError("The netfilter hook needs --family and --hook-point.")
                }
                let family = try compile.choice(family, of: "--family", or: Family.ipv4)
                let point = try compile.choice(hookPoint, of: "--hook-point", or: Point.input)
                guard let priority = Int32(priority ?? "0") else {
                    throw ValidationError("'\(priority ?? "")' is no 32-bit number for --priority.")
                }
                return NetfilterPlace(
                    family == .ipv4 ? .ipv4 : .ipv6,
                    NetfilterPlace.Hook(rawValue: UInt32(Point.allCases.firstIndex(of: point)!))!,
                    priority: priority)
            }
        }
    }

    extension HookOwner {
        /// The owner behind the name of the hook.
        var text: String {
            switch self {
            case .interface(let name, .generic): " of \(name), generic"
            case .interface(let name, _): " of \(name)"
            case .cgroup(let path): " of \(path)"
            case .netfilter(let place): " \(place.family) \(place.hook), priority \(place.priority)"
            case .kernel: ""
            }
        }
    }
#endif
