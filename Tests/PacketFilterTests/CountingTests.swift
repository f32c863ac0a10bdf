#if os(Linux)
    import struct BPFCompiler.CountingLayout
    import BPFKernel
    import Glibc
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// What programs that count have counted, in test runs in the kernel, beside the classic filters in the interpreter.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct CountingTests {
        private static let hooks: [Hook] = [
            .socket, .tc, .tcxIngress, .xdp, .xdpFrags, .cgroupIngress, .cgroupEgress, .lwtIn, .netfilter,
        ]

        private static let histograms = ["none", "length", "interarrival"]

        /// A program that counts, in the kernel but at no hook.
        private final class Counting {
            private let layout: CountingLayout
            private let maps: CountingMaps
            private let names: [String]
            let program: LoadedProgram

            init(_ filters: [CountedFilter], on hook: Hook, _ histogram: Histogram? = nil) throws {
                let source = try CountingSource(filters, on: hook, histogram: histogram, vlan: .bytes)
                layout = CountingLayout(filterCount: filters.count, histogram: histogram)
                maps = try CountingMaps(layout)
                names = filters.map(\.name)
                program = try source.load(maps.descriptors)
            }

            var counts: [FilterCount] {
                get throws { Counts(time: 0, try maps.counts, names, layout).filters }
            }
        }

        /// The expressions of the corpus for what the hook's packets begin with, those of many hosts left out: the verifier
        /// gives up after a million instructions.
        private static func filters(for hook: Hook) -> [CountedFilter] {
            let linkType = hook.linkLayer == .rawIP ? "RAW" : "EN10MB"
            return Corpus.expressions.filter { $0.linkType == linkType || hook.linkLayer == .rawIP }.compactMap {
                guard let filter = try? PacketFilter($0.text, linkType: LinkType(linkType)), filter.classic.count < 200
                else { return nil }
                return CountedFilter($0.name, filter)
            } + lists(linkType)
        }

        /// Two with a list that is looked up in a table, the same for both.
        private static func lists(_ linkType: String) -> [CountedFilter] {
            let hosts = ["10.0.0.1", "192.0.2.1"] + (0..<20).map { "10.9.\($0 * $0 % 256).\($0 * 77 % 256)" }
            let list = hosts.map { "host \($0)" }.joined(separator: " or ")
            return ["\(list)", "(\(list)) and tcp"].map { text in
                CountedFilter(text, try! PacketFilter(text, linkType: LinkType(linkType)))
            }
        }

        /// Random filters, which read in the header areas, behind an index and beyond packets.
        private static func randomFilters(for hook: Hook) -> [CountedFilter] {
            var generator = SeededGenerator(for: "\(hook)")
            let maker = RandomProgram(allowing: [])
            return (0..<150).map { CountedFilter("random \($0)", PacketFilter(maker.next(using: &generator))) }
        }

        @Test(arguments: hooks) func theCountsAreThoseOfTheClassicFilters(hook: Hook) throws {
            let all = Self.filters(for: hook)
            #expect(all.count > 40)
            try compare(all + Self.randomFilters(for: hook), on: hook)
        }

        private func compare(_ all: [CountedFilter], on hook: Hook) throws {
            // What lets filters behind it decide.
            let hookVerdict = hook == .tc ? TCVerdict.unspec.value : hook.verdicts.first?.value ?? 0
            var matches: UInt64 = 0
            for start in stride(from: 0, to: all.count, by: 30) {
                let filters = Array(all[start..<min(start + 30, all.count)])
                let counting = try Counting(filters, on: hook)
                guard hook != .netfilter else { continue }  // It has no test runs with packets of one's own.
                var expected = filters.map { FilterCount(name: $0.name, packets: 0, bytes: 0) }
                try withNetworkNamespace {
                    for run in Frames.all.compactMap({ HookRun(hook, $0.bytes) }) {
                        #expect(try run.result(of: counting.program) == hookVerdict)
                        for (index, filter) in filters.enumerated() where try filter.filter.run(on: run.packet) != 0 {
                            expected[index].packets += 1
                            expected[index].bytes += UInt64(run.packet.length)
                        }
                    }
                }
                for (count, expected) in zip(try counting.counts, expected) { #expect(count == expected) }
                matches += expected.reduce(0) { $0 + $1.packets }
            }
            #expect(matches > 100 || hook == .netfilter)
        }

        /// The verifier takes no instruction that nothing leads to, and counting a match is none where there is no match.
        @Test(arguments: hooks + [.tpBTF("kfree_skb"), .rawTP("kfree_skb")], histograms)
        func whatNeverMatchesLeavesTheOthers(hook: Hook, kept: String) throws {
            let linkType = hook.linkLayer == .rawIP ? LinkType.rawIP : .ethernet
            let none = ClassicInstruction(code: 0x06, k: 0)
            let never = [
                CountedFilter("ret #0", PacketFilter(try ClassicProgram([none]))),
                CountedFilter("empty", try PacketFilter("greater 100 and less 50", linkType: linkType)),
            ]
            let histogram = Histogram(rawValue: kept)
            #expect(throws: Never.self) { _ = try Counting(never, on: hook, histogram) }
            let udp = CountedFilter("udp", try PacketFilter("udp", linkType: linkType))
            // One that calls functions, so that all are called.
            if hook.context != .tracing {
                let payload = CountedFilter("poff", try PacketFilter(reading: Array("ld poff\nret a\n".utf8)))
                #expect(throws: Never.self) { _ = try Counting([never[0], payload, never[1]], on: hook, histogram) }
            }
            let counting = try Counting([never[0], udp, never[1]], on: hook, histogram)
            // There are no test runs with packets of one's own.
            if hook == .netfilter || hook.context == .tracing { return }
            let frame = Frames.named("udp to 53").bytes
            try withNetworkNamespace {
                // A test run shows a socket's program what is behind the first 14 bytes.
                let run = HookRun(hook, hook == .socket ? frame.prefix(14) + frame : frame)
                _ = try #require(run).result(of: counting.program)
            }
            #expect(try counting.counts.map(\.packets) == [0, 1, 0])
        }

        @Test func filtersWithOneListHaveOneTable() throws {
            let source = try CountingSource(Self.lists("EN10MB"), on: .tc, histogram: nil, vlan: .bytes)
            #expect(source.program.data.map(\.name) == ["count_1_set1"])
        }

        /// Packets that match have a length; the ranges of powers of two tell how many have which.
        @Test(arguments: [Hook.tc, .xdp, .xdpFrags, .cgroupIngress]) func lengthsAreInTheirRanges(hook: Hook) throws {
            let names = ["", "ip", "udp", "tcp or icmp", "len > 100"]
            let linkType = hook.linkLayer == .rawIP ? LinkType.rawIP : .ethernet
            let filters = try names.map { CountedFilter($0, try PacketFilter($0, linkType: linkType)) }
            let counting = try Counting(filters, on: hook, .length)
            var expected = names.map { _ in [UInt64](repeating: 0, count: 64) }
            try withNetworkNamespace {
                let long = [200, 512, 1023, 1024, 3000].map { Frames.ipv4[0].bytes + [UInt8](repeating: 1, count: $0) }
                for run in (Frames.all.map(\.bytes) + long).compactMap({ HookRun(hook, $0) }) {
                    _ = try run.result(of: counting.program)
                    for (index, filter) in filters.enumerated() where try filter.filter.run(on: run.packet) != 0 {
                        let length = max(1, run.packet.length)
                        expected[index][Int.bitWidth - 1 - Int(length).leadingZeroBitCount] += 1
                    }
                }
            }
            #expect(try counting.counts.map(\.ranges) == expected)
            #expect(expected[0].count { $0 > 0 } > 4)
        }

        /// Runs that are further apart are in higher ranges; of all packets but the first there is one interval.
        @Test func intervalsAreInTheirRanges() throws {
            let filters = try ["udp", "tcp"].map { CountedFilter($0, try PacketFilter($0)) }
            let counting = try Counting(filters, on: .tc, .interarrival)
            let frame = Frames.named("udp to 53").bytes
            let clock = ContinuousClock()
            var shortest = Duration.seconds(1000), longest = Duration.zero
            var last: (before: ContinuousClock.Instant, after: ContinuousClock.Instant)?
            for _ in 0..<20 {
                let before = clock.now
                _ = try counting.program.run(on: frame)
                let after = clock.now
                if let last {
                    shortest = min(shortest, before - last.after)
                    longest = max(longest, after - last.before)
                }
                last = (before, after)
                usleep(3_000)
            }
            let counts = try counting.counts
            #expect(counts[0].packets == 20 && counts[0].ranges.reduce(0, +) == 19)
            #expect(counts[1].packets == 0 && counts[1].ranges.reduce(0, +) == 0)
            func range(_ duration: Duration) -> Int {
                let nanoseconds =
                    Int(duration.components.seconds) * 1_000_000_000
                    + Int(duration.components.attoseconds / 1_000_000_000)
                return Int.bitWidth - 1 - max(1, nanoseconds).leadingZeroBitCount
            }
            let used = counts[0].ranges.indices.filter { counts[0].ranges[$0] > 0 }
            #expect(used.allSatisfy { range(shortest) <= $0 && $0 <= range(longest) }, "\(used)")
        }

        /// At tracepoints a packet is one of three functions' matter, and the way to its length differs.
        @Test(arguments: [Hook.tpBTF("kfree_skb"), .rawTP("kfree_skb")], histograms)
        func countingAtTracepointsPassesTheVerifier(hook: Hook, kept: String) throws {
            let histogram = Histogram(rawValue: kept)
            let filters = try ["", "ip", "tcp port 80", "udp[20:4] = 7"].map { CountedFilter($0, try PacketFilter($0)) }
            #expect(throws: Never.self) { _ = try Counting(filters, on: hook, histogram) }
        }

        @Test(arguments: histograms, [Hook.xdp, .tcxIngress])
        func asManyFiltersFitAsAreAllowed(kept: String, hook: Hook) throws {
            let histogram = Histogram(rawValue: kept)
            let limit = CountingLayout.maximumFilterCount(with: histogram)
            let filters = try (0...limit).map { CountedFilter("\($0)", try PacketFilter("udp port \($0)")) }
            let counting = try Counting(Array(filters.dropFirst()), on: hook, histogram)
            let port = Frames.named("udp to 53").bytes
            _ = try counting.program.run(on: port)
            #expect(try counting.counts.filter { $0.packets > 0 }.map(\.name) == ["53"])
            let error = #expect(throws: CountingError.self) { _ = try Counting(filters, on: hook, histogram) }
            #expect(error?.description == "\(limit + 1) filters are too many for one program, \(limit) fit")
        }

        @Test func whatCannotBeCountedIsSaid() throws {
            let udp = CountedFilter("a", try PacketFilter("udp"))
            func message(_ filters: [CountedFilter], _ place: CountingPlace) -> String? {
                #expect(throws: (any Error).self) { _ = try PacketCounter(filters, at: place) }.map { "\($0)" }
            }
            #expect(message([], .packetSocket(interface: "lo")) == "there is no filter to count")
            #expect(
                message([udp, udp], .packetSocket(interface: "lo"))
                    == "two filters have the name 'a', each needs its own")
            #expect(message([udp], .packetSocket(interface: "nothing")) == "there is no interface 'nothing'")
            #expect(
                message([udp], .interface("a name that is too long", .xdp))
                    == "there is no interface 'a name that is too long'")
            #expect(message([udp], .cgroup(path: "/nowhere", .cgroupEgress)) == "there is no control group '/nowhere'")
            #expect(
                message([udp], .interface("lo", .lwtIn))
                    == "programs for lwt-in are not attached from here; socket, xdp, tc, tcx-ingress, tcx-egress, cgroup-ingress, cgroup-egress, netfilter and tracepoints are places to count at"
            )
        }
    }
#endif
