/// The words of the expression language, as libpcap 1.10 knows them.
///
/// Source: pcap-filter(7), and for the words it leaves out what libpcap 1.10.3 accepts.
enum ExpressionWord {
    /// A word and how the grammar treats it; numbers that have a name are of the kind ``ExpressionToken/Kind/number``.
    typealias Entry = (spelling: String, kind: ExpressionToken.Kind, value: UInt32)

    /// All words. Trees keep indices into this; the first is of a kind that they have no need to keep.
    static let table: [Entry] = {
        var table: [Entry] = []
        for (kind, words) in kinds {
            table += words.split(separator: " ").map { (String($0), kind, 0) }
        }
        precondition(table.count <= 256, "trees keep the index of a word in a byte")
        for (prefix, names) in numbers {
            for (name, value) in names { table.append((prefix + name, .number, value)) }
        }
        return table
    }()

    private static let kinds: [(ExpressionToken.Kind, String)] = [
        (.and, "and"), (.or, "or"), (.not, "not"),
        (
            .protocolName,
            """
            link ether ppp slip fddi tr wlan ip arp rarp sctp tcp udp icmp igmp igrp pim vrrp carp radio ip6 icmp6 ah \
            esp atalk aarp decnet lat sca moprc mopdl iso esis es-is isis is-is l1 l2 iih lsp snp csnp psnp clnp stp \
            ipx netbeui
            """
        ),
        (.source, "src"), (.destination, "dst"),
        (.wirelessAddress, "addr1 addr2 addr3 addr4 ra ta address1 address2 address3 address4"),
        (.host, "host"), (.net, "net"), (.port, "port"), (.portrange, "portrange"),
        (.proto, "proto"), (.protochain, "protochain"), (.gateway, "gateway"), (.mask, "mask"),
        (.length, "len length"), (.broadcastOrMulticast, "broadcast multicast"),
        (.type, "type"), (.subtype, "subtype"), (.direction, "dir direction"), (.logicalLink, "llc"), (.byte, "byte"),
        (.optionalNumber, "vlan mpls pppoes geneve"),
        (.withNumber, "less greater ifindex srnr subrulenum"), (.ruleNumber, "rnr rulenum"),
        (.withName, "ifname on rset ruleset action"), (.withNumberOrName, "reason"),
        (
            .alone,
            """
            inbound outbound pppoed lane metac bcc oam oamf4 oamf4ec oamf4sc sc ilmic connectmsg metaconnect \
            fisu lssu lsu msu hfisu hlssu hmsu
            """
        ),
        (.field, "vpi vci sio opc dpc sls hsio hopc hdpc hsls"),
    ]

    /// Offsets of fields and their values. Source: pcap-filter(7); RFC 792, RFC 4443, RFC 9293 for the numbers.
    private static let numbers: [(prefix: String, names: [(String, UInt32)])] = [
        ("", [("icmptype", 0), ("icmpcode", 1), ("icmp6type", 0), ("icmp6code", 1), ("tcpflags", 13)]),
        (
            "icmp-",
            [
                ("echoreply", 0), ("unreach", 3), ("sourcequench", 4), ("redirect", 5), ("echo", 8),
                ("routeradvert", 9), ("routersolicit", 10), ("timxceed", 11), ("paramprob", 12), ("tstamp", 13),
                ("tstampreply", 14), ("ireq", 15), ("ireqreply", 16), ("maskreq", 17), ("maskreply", 18),
            ]
        ),
        (
            "icmp6-",
            [
                ("destinationunreach", 1), ("packettoobig", 2), ("timeexceeded", 3), ("parameterproblem", 4),
                ("echo", 128), ("echoreply", 129), ("multicastlistenerquery", 130),
                ("multicastlistenerreportv1", 131), ("multicastlistenerdone", 132), ("routersolicit", 133),
                ("routeradvert", 134), ("neighborsolicit", 135), ("neighboradvert", 136), ("redirect", 137),
                ("routerrenum", 138), ("nodeinformationquery", 139), ("nodeinformationresponse", 140),
                ("ineighbordiscoverysolicit", 141), ("ineighbordiscoveryadvert", 142),
                ("multicastlistenerreportv2", 143), ("homeagentdiscoveryrequest", 144),
                ("homeagentdiscoveryreply", 145), ("mobileprefixsolicit", 146), ("mobileprefixadvert", 147),
                ("certpathsolicit", 148), ("certpathadvert", 149), ("multicastrouteradvert", 151),
                ("multicastroutersolicit", 152), ("multicastrouterterm", 153),
            ]
        ),
        (
            "tcp-",
            [
                ("fin", 0x01), ("syn", 0x02), ("rst", 0x04), ("push", 0x08), ("ack", 0x10), ("urg", 0x20),
                ("ece", 0x40), ("cwr", 0x80),
            ]
        ),
    ]

    private static let spellings = table.map { Array($0.spelling.utf8) }
    private static let longest = spellings.map(\.count).max()!

    /// Indices into the table by hash, −1 where there is none; collisions stand in the next free place.
    private static let places: [Int16] = {
        var places = [Int16](repeating: -1, count: 1024)
        for (index, spelling) in spellings.enumerated() {
            var place = hash(spelling[...])
            while places[place] >= 0 { place = (place + 1) & 1023 }
            places[place] = Int16(index)
        }
        return places
    }()

    private static func hash(_ word: ArraySlice<UInt8>) -> Int {
        var hash: UInt32 = 0
        for byte in word { hash = hash &* 31 &+ UInt32(byte) }
        return Int((hash ^ (hash >> 10)) & 1023)
    }

    /// The index of `word`, which is case-sensitive.
    static func index(of word: ArraySlice<UInt8>) -> Int? {
        guard word.count <= longest else { return nil }
        var place = hash(word)
        while places[place] >= 0 {
            if spellings[Int(places[place])].elementsEqual(word) { return Int(places[place]) }
            place = (place + 1) & 1023
        }
        return nil
    }

    /// The word with the index that a tree keeps.
    static func spelling(_ index: UInt8) -> String { table[Int(index)].spelling }

    /// The index of a word that there is.
    static func known(_ word: String) -> UInt8 { UInt8(index(of: Array(word.utf8)[...])!) }
}
