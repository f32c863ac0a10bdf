#if os(Linux)
    import ArgumentParser
    import PacketFilter

    extension CountCommand {
        /// Where to count.
        ///
        /// - Throws: `ValidationError` where what the hook needs is missing, or something is given that it has no use for.
        var place: CountingPlace {
            get throws {
                let hook = try hook
                let place: CountingPlace
                switch hook {
                case .socket: place = .packetSocket(interface: try needed(interface, "-i", hook))
                case .xdp, .xdpFrags, .tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer:
                    place = .interface(try needed(interface, "-i", hook), hook)
                case .cgroupIngress, .cgroupEgress: place = .cgroup(path: try needed(cgroup, "--cgroup", hook), hook)
                case .netfilter: place = .netfilter(try netfilterHook)
                case .tpBTF, .rawTP, .fentry: place = .tracing(hook)
                default: throw ValidationError("\(CountingError(.unattachable(hook))).".capitalizedFirst)
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

        /// Counts until the time is over, a signal comes or the interface goes.
        func count(on console: Console) throws {
            // From here on a signal is waited for, so that the totals are told whenever it comes.
            try withSignalsHeld { try count(on: console, until: $0) }
        }

        private func count(on console: Console, until signals: HeldSignals) throws {
            let counter = try counter()
            // Who sends packets for a test waits for this line.
            console.report("counting at \(placeName), Ctrl-C ends it\n")
            let start = ContinuousClock.now
            let end = try duration.map { start + $0 }
            var report = CountReport(of: try counter.counts(), json: json, on: console)
            var next = start + .seconds(1)
            var isGone = false
            while true {
                let moment = min(next, end ?? next)
                if signals.arrive(before: moment) || moment == end { break }
                isGone = !counter.isAttached
                if isGone { break }
                try report.show(counter.counts(), after: .now - start)
                while next <= .now { next += .seconds(1) }
            }
            try report.finish(counter.counts(), after: .now - start)
            if let histogram = try histogram {
                try console.write(Array(HistogramText.text(counter.counts(), histogram).utf8))
            }
            if isGone { throw ToolError("the interface '\(interface ?? "")' is gone") }
        }

        private var placeName: String { interface ?? cgroup ?? hookPoint ?? hookName ?? "" }

        private func counter() throws -> PacketCounter {
            let place = try place
            let linkType = try place.linkType
            var counted = try filters.map { argument in
                let text = CountedText(argument)
                return CountedFilter(text.name, try PacketFilter(text.expression, linkType: linkType))
            }
            if counted.isEmpty { counted = [CountedFilter("all", try PacketFilter("", linkType: linkType))] }
            return try PacketCounter(
                counted, at: place, histogram: histogram,
                vlan: vlanName.map { try choice(VLANView.self, $0, of: "--vlan") })
        }
    }

    extension HeldSignals {
        /// Waits for one of them; false where none has come by `moment`. Other signals interrupt a wait.
        fileprivate func arrive(before moment: ContinuousClock.Instant) -> Bool {
            repeat {
                if arrive(within: max(.zero, moment - .now)) { return true }
            } while moment > .now
            return false
        }
    }

    extension String {
        /// The text as a sentence begins.
        fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
    }
#endif
