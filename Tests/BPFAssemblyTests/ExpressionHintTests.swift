import BPFAssembly
import ClassicBPF
import TestSupport
import Testing

@Suite struct ExpressionHintTests {
    /// The place that is marked, and what is said.
    @Test(arguments: [
        (
            "vlan or ip", "ip",
            "'ip' is looked for behind the header of 'vlan', which shifts all that stands to its right, 'or' and 'not' "
                + "notwithstanding; put it before 'vlan' if packets without that header are meant"
        ),
        (
            "vlan 5 or vlan 6", "vlan 6",
            "'vlan 6' is looked for inside what 'vlan 5' has matched, for 'or' does not take back what that shifts; write "
                + "'vlan and (ether[14:2] & 0xfff = … or ether[14:2] & 0xfff = …)' for one tag of several"
        ),
        (
            "(mpls and ip) or (mpls and ip6)", "mpls",
            "'mpls' is looked for inside what 'mpls' has matched, for 'or' does not take back what that shifts; write "
                + "'mpls' once, before all it is to hold for: 'mpls and (… or …)'"
        ),
        (
            "ether[0] & 1 = 0 and ip and vlan 5", "ip",
            "'ip' stands before 'vlan 5' and so is looked for in front of its header, where such a frame has none; write "
                + "'vlan 5 and ip'"
        ),
        (
            "icmp or tcp and port 80", "tcp and port 80",
            "'and' and 'or' bind equally, from left to right, so this is '(icmp or tcp) and port 80'; write 'icmp or (tcp "
                + "and port 80)' if that is meant"
        ),
        (
            "host 10.0.0.1 and port 1 or port 2", "port 1 or port 2",
            "'and' and 'or' bind equally, from left to right, so this is '(host 10.0.0.1 and port 1) or port 2'; write "
                + "'host 10.0.0.1 and (port 1 or port 2)' if that is meant"
        ),
        (
            "ip6 and tcp[13:1] & 2 != 0", "tcp[13:1]",
            "'tcp[13:1]' looks at IPv4 packets only, so together with 'ip6' nothing matches; write 'ip6[53:1]', which is "
                + "counted from the IPv6 header"
        ),
        (
            "tcp and udp", "udp",
            "'udp' and 'tcp' never hold for the same packet, so both together match nothing; write 'or' if either is meant"
        ),
    ])
    func hintsSayWhatWouldBeRight(text: String, place: String, message: String) throws {
        let hint = try #require(FilterExpression(text).hints().first)
        #expect(String(text.utf8.dropFirst(hint.range.lowerBound).prefix(hint.range.count))! == place)
        #expect(hint.message == message)
        #expect(hint.line == 1 && hint.column == hint.range.lowerBound + 1)
    }

    @Test(arguments: [
        (
            "ether[12:2] = 0x800", "ether[12:2]",
            "packets begin with their IP header here, so 'ether[12:2]' reads bytes of that; write 'ip[…]' or 'ip6[…]' for "
                + "them and leave Ethernet's header out"
        ),
        (
            "tcp and\nether host 0:1:2:3:4:5", "ether host 0:1:2:3:4:5",
            "packets begin with their IP header here, so there is nothing to compare 'ether host 0:1:2:3:4:5' with; ask for "
                + "an IP address or protocol instead"
        ),
        (
            "arp", "arp",
            "packets begin with their IP header here, so 'arp' never matches; filter where frames have their Ethernet "
                + "header, such as tc or XDP"
        ),
    ])
    func linkLayersThatAreNotThere(text: String, place: String, message: String) throws {
        let tree = try FilterExpression(text)
        #expect(tree.hints() == [])
        let hint = try #require(tree.hints(for: .ip).first)
        #expect(text.split(separator: "\n").last.map(String.init) == place || text.hasPrefix(place))
        #expect(hint.message == message)
        #expect(hint.column == 1)
    }

    /// Which have a hint and which are sensible.
    @Test(arguments: [
        ("not vlan and ip", 1), ("ip and not vlan", 0), ("vlan and ip or arp", 2), ("pppoes and ip", 0),
        ("udp port 53 or (vlan and udp port 53)", 0), ("host 10.0.0.1 and geneve and tcp", 0), ("ip and mpls", 1),
        ("ether host 0:1:2:3:4:5 and vlan", 0), ("vlan 1 and vlan 2 and ip", 0), ("vlan or ether broadcast", 0),
        ("host 10.0.0.1 or 10.0.0.2 and port 80", 0), ("host 10.0.0.1 and port 1 or 2", 1), ("ip and tcp or arp", 0),
        ("ip and tcp or udp", 1), ("host 10.0.0.1 and (port 1 or 2)", 0), ("(icmp or tcp) and port 80", 0),
        ("ip and ip6", 1), ("port 80 and icmp", 1), ("src port 1 and src port 2", 1), ("port 1 and port 2", 0),
        ("src port 80 and src portrange 1-100", 0), ("src port 80 and src portrange 100-200", 1),
        ("src net 10.0.0.0/8 and src host 10.1.2.3", 0), ("src net 10.0.0.0/8 and src host 11.1.2.3", 1),
        ("host 10.0.0.1 and host 10.0.0.2", 0), ("src host 10.0.0.1 and 10.0.0.2", 1), ("tcp and (udp or icmp)", 1),
        ("tcp and (udp or port 80)", 0), ("greater 100 and less 50", 1), ("less 100 and greater 50", 0),
        ("ip6 proto 44 and tcp", 0), ("ip6 and udp port 53", 0), ("host ::1 and arp", 1), ("host 10.0.0.1 and arp", 0),
        ("ip6 and icmp6[0] = 1", 0), ("not ip6 and tcp[0] = 1", 0), ("tcp and not udp", 0),
        ("vlan 1 and tcp and udp", 1),
        ("tcp or udp and ip6", 1), ("ip proto 6 and tcp port 1", 0), ("proto 17 and tcp", 1), ("ip and iso", 1),
        ("esis or isis and clnp", 1), ("ether proto 0x800 and arp", 1), ("link[0] = 1 and ether[0] = 1", 0),
    ])
    func onlyMistakesHaveHints(text: String, count: Int) throws {
        let hints = try FilterExpression(text).hints()
        #expect(hints.count == count, "\(hints.map(\.message))")
    }

    @Test(arguments: Corpus.expressions + Corpus.loops)
    func theCorpusHasNone(expression: CorpusExpression) throws {
        let isIP = ["RAW", "IPV4", "IPV6"].contains(expression.linkType)
        #expect(try FilterExpression(expression.text).hints(for: isIP ? .ip : .header) == [])
    }

    /// What is said never to match matches none of the frames, as libpcap compiles and runs it.
    @Test func contradictionsMatchNothing() throws {
        let primitives = [
            "ip", "ip6", "arp", "rarp", "stp", "iso", "ipx", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "esp",
            "vlan",
            "host 10.0.0.1", "src host 10.0.0.1", "src host 10.0.0.2", "dst net 10.0.0.0/8", "arp host 10.0.0.1",
            "host 2001:db8::1", "port 80", "tcp port 80", "udp dst port 53", "src port 80", "dst portrange 1-100",
            "ip proto 6", "ip6 proto 44", "ip6 protochain 6", "proto 17", "ether proto 0x800", "ether proto 0x88cc",
            "ip multicast", "tcp[0] = 0", "ip[0] = 0x45", "ip6[0] = 0x60", "icmp[0] = 8", "less 60", "greater 100",
            "mpls",
        ]
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        var count = 0
        for left in primitives {
            for right in primitives {
                let text = "\(left) and \(right)"
                let hints = try FilterExpression(text).hints()
                guard hints.contains(where: { !$0.message.contains("adds nothing") }) else { continue }
                count += 1
                let matches = Frames.all.filter { compiler.matches(Array(text.utf8), $0.bytes) }
                #expect(matches.isEmpty, "\(text) matches \(matches)")
            }
        }
        #expect(count > 500)
    }

    @Test(arguments: [
        ("udp or udp", "udp", "'udp' says what 'udp' before it does, so it adds nothing; leave it out"),
        (
            "ip and not ip", "not ip",
            "'not ip' and 'ip' never hold for the same packet, so both together match nothing; leave one out"
        ),
        (
            "not tcp or udp or tcp", "tcp",
            "one of 'tcp' and 'not tcp' holds for every packet, so either of them is enough; leave both out"
        ),
        (
            "port 80 or 443 or port 0x50", "port 0x50",
            "'port 0x50' says what 'port 80' before it does, so it adds nothing; leave it out"
        ),
        ("not (ip or arp) and (ether[0] = 1 and arp)", "arp", "'arp' and 'not (ip or arp)' never"),
    ]) func repetitionsAreFound(text: String, place: String, message: String) throws {
        let hints = try FilterExpression(text).hints()
        let hint = try #require(hints.last)
        #expect(String(text.utf8.dropFirst(hint.range.lowerBound).prefix(hint.range.count))! == place)
        #expect(hint.message.hasPrefix(message))
        #expect(hints.count == 1)
    }

    @Test(arguments: [
        "vlan and vlan", "vlan 1 or vlan 1", "udp and vlan and udp", "port 80 or host 80", "src port 1 or dst port 1",
        "(ip and udp) or (ip and tcp)", "ip[0] = 1 or ip[1] = 1", "not ip or arp", "udp or tcp or icmp",
    ]) func whatDiffersIsNoRepetition(text: String) throws {
        #expect(
            try !FilterExpression(text).hints().contains {
                $0.message.contains("adds nothing") || $0.message.contains("leave")
            })
    }

    /// What libpcap's optimiser makes of repetitions is what the hints say.
    @Test func repetitionsAreWhatLibpcapMakesOfThem() throws {
        let primitives = [
            "ip", "ip6", "arp", "ether proto 0x88cc", "ether[0] & 1 = 1", "ether broadcast", "len > 100", "less 60",
            "ether src 0:1:2:3:4:5", "(ip or arp)", "(ip and ip[8] > 5)", "stp", "ether[6:4] = 7",
        ]
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        for text in primitives {
            for form in ["\(text) or \(text)", "\(text) and \(text)"] {
                #expect(try FilterExpression(form).hints().count >= 1, "\(form)")
                #expect(compiler.optimized(form) == compiler.optimized(text), "\(form)")
            }
            for form in ["\(text) and not \(text)", "not \(text) and \(text)"] {
                #expect(try FilterExpression(form).hints().count >= 1, "\(form)")
                #expect(compiler.optimized(form) == .refused("expression rejects all packets"), "\(form)")
            }
            let sure = "\(text) or not \(text)"
            #expect(try FilterExpression(sure).hints().count >= 1, "\(sure)")
            #expect(compiler.optimized(sure) == .program([Instruction(.result(.constant(262_144)))]), "\(sure)")
        }
    }

    @Test func hintsAreLimited() throws {
        let text = Array(repeating: "(tcp and udp)", count: 1000).joined(separator: " or ")
        #expect(try FilterExpression(text).hints().count == FilterExpression.maximumHints)
    }
}
