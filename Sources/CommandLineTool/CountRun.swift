#if os(Linux)
    import ArgumentParser
    import PacketFilter

    extension CountCommand {
        /// Counts until the time is over, a signal comes or the interface goes.
        func count(on console: Console) throws {
            // From here on a signal is waited for, so that the totals are told whenever it comes.
            try withSignalsHeld(cleansUp: placeArguments.place.hook == .tc) { try count(on: console, until: $0) }
        }

        private func count(on console: Console, until signals: HeldSignals) throws {
            let (counter, clauses) = try counter(console)
            // Who sends packets for a test waits for this line.
            console.report("counting at \(placeArguments.name), Ctrl-C ends it\n")
            let start = ContinuousClock.now
            let end = try placeArguments.duration.map { start + $0 }
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
                throw ToolError("the \(placeArguments.whatGoes) is gone, or somebody has detached the program")
            }
        }

        /// The counter, and what it counts where that is clauses.
        private func counter(_ console: Console) throws -> (PacketCounter, ClauseFilters?) {
            let place = try placeArguments.place
            let view = try placeArguments.vlan
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
#endif
