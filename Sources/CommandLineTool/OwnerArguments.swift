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
            try check(interface != nil, "-i", belongs: kind == .interface || kind == .traffic)
            try check(direction != nil || clsact, "--direction and --clsact", belongs: kind == .traffic)
            try check(controlGroup != nil, "--cgroup", belongs: kind == .cgroup)
            try check(
                family != nil || hookPoint != nil, "--family and --hook-point", belongs: kind == .netfilter)
            try check(priority != nil, "--priority", belongs: kind == .netfilter || kind == .traffic)
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
                case .traffic: return try traffic
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

        private var traffic: HookOwner {
            get throws {
                guard let interface, direction != nil else {
                    throw ValidationError("The tc hook needs -i, the interface, and --direction, ingress or egress.")
                }
                let direction = try compile.choice(direction, of: "--direction", or: TrafficDirection.ingress)
                guard clsact else {
                    if priority != nil { throw ValidationError("The tc hook takes --priority beside --clsact only.") }
                    return .traffic(interface, direction)
                }
                guard let number = UInt16(priority ?? "0"), priority == nil || number > 0 else {
                    throw ValidationError("'\(priority ?? "")' is no priority of 1 to 65535.")
                }
                return .traffic(interface, direction, .clsact(priority: number))
            }
        }

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
            case .traffic(let name, let direction, _): " \(direction) of \(name)"
            case .cgroup(let path): " of \(path)"
            case .netfilter(let place): " \(place.family) \(place.hook), priority \(place.priority)"
            case .kernel: ""
            }
        }
    }

    extension AttachedProgram.Holder {
        /// The words by which `attached` shows it and `detach` finds it.
        var name: String {
            switch self {
            case .link(let link): return "link \(link.identifier)"
            case .filter(let filter):
                let interface =
                    AttachedProgram.interfaceName(ofIndex: filter.interface) ?? "interface \(filter.interface)"
                // Each program gets a priority of its own unless somebody chose one.
                let handle = filter.handle == 1 ? "" : ":\(filter.handle)"
                return "filter tc:\(interface):\(filter.direction):\(filter.priority)\(handle)"
            }
        }
    }

    extension AttachedProgram {
        /// What `tc:INTERFACE:DIRECTION:PRIORITY[:HANDLE]` names; nil for other texts.
        static func named(_ text: String) throws -> AttachedProgram? {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 4 || parts.count == 5, parts[0] == "tc",
                let direction = TrafficDirection(rawValue: parts[2]),
                let priority = UInt32(parts[3]), let handle = parts.count == 5 ? UInt32(parts[4]) : 1
            else { return nil }
            return try atClsact(of: parts[1], direction, priority: priority, handle: handle)
        }
    }
#endif
