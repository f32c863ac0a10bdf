#if os(Linux)
    import PacketFilter
    import TestSupport
    import Testing

    /// Captured packets as the library gives them.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root")) struct PacketCaptureTests {
        private static let frames = ["udp to 53", "tcp syn to 80", "udp from 53"].map { Frames.named($0).bytes }

        private func capture(_ expression: String, _ hook: Hook, snapshotLength: Int = 200) throws -> PacketCapture {
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let capture = try PacketCapture(
                    PacketFilter(expression), at: .interface("lo", hook), snapshotLength: snapshotLength)
                let sender = try PacketSocket(at: "lo")
                for frame in Self.frames { try sender.send(frame) }
                return capture
            }
        }

        @Test func theSequenceHasThePacketsInOrderAndEnds() async throws {
            let capture = try capture("udp", .xdp)
            capture.detach()
            var packets: [CapturedPacket] = []
            for try await packet in capture.packets { packets.append(packet) }
            #expect(packets.map(\.bytes) == [Self.frames[0], Self.frames[2]])
            #expect(packets.map(\.time) == packets.map(\.time).sorted())
            #expect(packets.allSatisfy { $0.interface == .init(index: 1, name: "lo") && $0.direction == .inbound })
            #expect(try capture.counts() == CaptureCounts(captured: 2, lost: 0))
            #expect(!capture.isAttached)
        }

        @Test func aSnapshotHasTheFirstBytes() throws {
            let capture = try capture("", .xdp, snapshotLength: 21)
            var packets: [CapturedPacket] = []
            try capture.read {
                packets.append($0)
                return packets.count < 2
            }
            #expect(packets.map(\.bytes) == Self.frames.prefix(2).map { Array($0.prefix(21)) })
            #expect(packets.map(\.wireLength) == Self.frames.prefix(2).map { UInt32($0.count) })
            #expect(try capture.read { _ in true } == 1)
            #expect(try !capture.wait(atMost: .zero))
        }

        private static let hosts = (1...60).map { "host 10.0.\($0).1" }.joined(separator: " or ")

        /// Programs with the filter in them and with one that calls functions, with one size of records and with all.
        @Test(
            .enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"),
            arguments: ["", "host 192.0.2.1 or vlan 5", hosts, "poff", "greater 100 and less 50", "udp[udp[8:4]] = 1"])
        func theVerifierAcceptsEveryShape(_ expression: String) throws {
            let interfaceHooks: [Hook] = [.xdp, .xdpFrags, .tcxIngress]
            let places =
                interfaceHooks.map { CapturePlace.interface("lo", $0) } + [
                    .packetSocket(interface: "lo"), .netfilter(.input), .tracing(.tpBTF("kfree_skb")),
                    .tracing(.rawTP("consume_skb")),
                ]
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                for place in places {
                    if expression == "poff", case .tracing(.rawTP) = place { continue }
                    if expression.contains("vlan"), try place.linkType != .ethernet { continue }
                    let filter =
                        try expression == "poff"
                        ? PacketFilter(reading: Array("ld poff\nret a\n".utf8))
                        : PacketFilter(expression, linkType: place.linkType)
                    for length in [1, PacketCapture.usualSnapshotLength] {
                        let capture = try PacketCapture(filter, at: place, snapshotLength: length, bufferSize: 1 << 20)
                        #expect(capture.isAttached)
                    }
                }
            }
        }

        @Test func waitingForPacketsCanBeCancelled() async throws {
            // A place that stays, where no such packet comes.
            let place = CapturePlace.tracing(.tpBTF("kfree_skb"))
            let filter = try PacketFilter("ip6 host 2001:db8::77", linkType: place.linkType)
            let capture = try PacketCapture(filter, at: place)
            let task = Task { for try await _ in capture.packets {} }
            try await Task.sleep(for: .milliseconds(30))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }

        /// Its network namespace is gone, and so is what the program was attached to.
        @Test func whatHasNoPlaceAnyMoreEnds() async throws {
            let capture = try capture("udp", .tcxIngress)
            var count = 0
            for try await _ in capture.packets { count += 1 }
            #expect(count == 2 && !capture.isAttached)
        }
    }
#endif
