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

        /// Counts until the time is over, a signal comes or the interface goes.
        func count(on console: Console) throws {
            // From here on a signal is waited for, so that the totals are told whenever it comes.
            try withSignalsHeld(cleansUp: hook == .tc) { try count(on: console, until: $0) }
        }

        private func count(on console: Console, until signals: HeldSignals) throws {
            let (counter, clauses) = try counter(console)
            // Who sends packets for a test waits for this line.
            console.report("counting at \(placeName), Ctrl-C ends it\n")
            let start = ContinuousClock.now
            let end = try duration.map { start + $0 }
            var report = CountReport(of: try counter.counts(), by: clauses, json: json, on: console)
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
            if isGone {
                let what = interface.map { "interface '\($0)'" } ?? cgroup.map { "control group '\($0)'" }
                throw ToolError("the \(what ?? "place") is gone, or somebody has detached the program")
            }
        }

        private var placeName: String { interface ?? cgroup ?? hookPoint ?? hookName ?? "" }

        /// The counter, and what it counts where that is clauses.
        private func counter(_ console: Console) throws -> (PacketCounter, ClauseFilters?) {
            let place = try place
            let view = try vlanName.map { try choice(VLANView.self, $0, of: "--vlan") }
            if isByClause {
                let text = CountedText(filters[0])
                let clauses = try reading(text.expression) {
                    try ClauseFilters(
                        of: text.expression, linkType: place.linkType, netmask: netmask.flatMap(ipv4Address))
                }
                let counter = try PacketCounter(
                    clauses.counted, at: place, vlan: view ?? clauses.view(on: place.hook))
                return (counter, clauses)
            }
            return (
                try PacketCounter(counted(at: place, console), at: place, histogram: histogram, vlan: view), nil
            )
        }

        private func counted(at place: CountingPlace, _ console: Console) throws -> [CountedFilter] {
            let linkType = try place.linkType
            var counted = try filters.map { argument in
                let text = CountedText(argument)
                let filter = try reading(text.expression) {
                    try PacketFilter(text.expression, linkType: linkType, netmask: netmask.flatMap(ipv4Address))
                }
                return CountedFilter(text.name, filter)
            }
            for input in inputs {
                let text = CountedText(input)
                counted.append(CountedFilter(text.name, try PacketFilter(reading: console.read(text.expression))))
            }
            if counted.isEmpty { counted = [CountedFilter("all", try PacketFilter("", linkType: linkType))] }
            return counted
        }

        /// Says what is missing, or where libpcap's complaint is about.
        private func reading<Value>(_ expression: String, _ body: () throws -> Value) throws -> Value {
            do {
                return try body()
            } catch let error as CountingError {
                throw error
            } catch  where netmask == nil && "\(error)".contains("netmask not known") {
                throw ToolError("\(error); give it with --netmask")
            } catch {
                throw ToolError(error, refusing: expression)
            }
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
