#if os(Linux)
    import Foundation
    import Testing
    import TestSupport

    /// The catalogue of frames, judged by tcpdump.
    @Suite(.enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"))
    struct FramesTests {
        @Test func namesAreUnique() {
            #expect(Set(Frames.all.map(\.name)).count == Frames.all.count)
            #expect(Frames.all.allSatisfy { $0.bytes.count >= 14 })
        }

        @Test func wholeFramesHaveRightLengthsAndChecksums() throws {
            let whole = Frames.ipv4 + Frames.ipv6 + Frames.tagged
            for (frame, text) in zip(whole, try dissect(whole)) {
                for complaint in ["bad", "incorrect", "truncated", "[|", "invalid", "wrong", "missing"] {
                    #expect(!text.contains(complaint), "\(frame): \(text)")
                }
            }
        }

        @Test(arguments: [
            ("tcp syn to 80", "10.0.0.1.40000 > 10.0.0.2.80: Flags [S]"),
            ("udp from 53", "10.0.0.2.53 > 10.0.0.1.40000"),
            ("icmp echo", "ICMP echo request, id 1, seq 2"),
            ("first fragment", "flags [+]"),
            ("middle fragment", "offset 24, flags [+]"),
            ("last fragment", "offset 48, flags [none]"),
            ("igmp", "igmp v2 report 224.0.0.251"),
            ("gre with ip inside", "GREv0, Flags [none], proto IPv4"),
            ("ipv6 udp behind hop-by-hop", "HBH (rtalert: 0x0000)"),
            ("ipv6 tcp behind routing", "RT6 (len=2, type=0 [Deprecated], segleft=0"),
            ("802.1ad 100 vlan 5 tcp to 80", "vlan 100, p 0, ethertype 802.1Q (0x8100), vlan 5, p 0, ethertype IPv4"),
            ("mpls 16 over 17", "(label 16, tc 0, ttl 64)\n\t(label 17, tc 0, [S], ttl 64)"),
            ("pppoe session", "PPPoE  [ses 0x7]"),
            ("arp reply", "Reply 10.0.0.2 is-at 02:00:00:00:00:02"),
            ("stp", "STP 802.1d"),
            ("snap", "oui Ethernet (0x000000), ethertype IPv4 (0x0800)"),
        ])
        func areWhatTheirNamesSay(_ name: String, _ text: String) throws {
            #expect(try dissect([Frames.named(name)])[0].contains(text))
        }

        /// What tcpdump says of each frame.
        private func dissect(_ frames: [Frame]) throws -> [String] {
            try frames.map { frame in
                let capture = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65535, 1, 0, 0, frame.bytes.count, frame.bytes.count]
                let words = capture.map { UInt32($0) }.withUnsafeBytes { Array($0) }
                let folder = try TemporaryFolder()
                try folder.file("frame.pcap", containing: words + frame.bytes)
                let result = try run("tcpdump", ["-vvenr", folder.path("frame.pcap")])
                #expect(result.status == 0)
                return result.text
            }
        }
    }
#endif
