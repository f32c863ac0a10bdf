import TestSupport

/// Makes expressions at random, of which every construction of the language is part.
///
/// Names are such that nothing has to be asked of a name server.
struct ExpressionGenerator {
    var random: SeededGenerator
    /// How much deeper the expression may become.
    private var depth = 4

    init(random: SeededGenerator) { self.random = random }

    mutating func expression() -> String {
        depth = random.pick([1, 2, 3, 4])
        return condition()
    }

    private mutating func nested(_ make: (inout Self) -> String, or fallback: (inout Self) -> String) -> String {
        guard depth > 0 else { return fallback(&self) }
        depth -= 1
        defer { depth += 1 }
        return make(&self)
    }

    private mutating func condition() -> String {
        var text = term()
        for _ in 0..<random.pick([0, 0, 1, 1, 2, 3]) {
            text += random.pick([" and ", " or ", " && ", "||", "&&", " or "])
            // Identifiers carry qualifiers over, if there are some to carry.
            text += random.chance(25) ? identifier() : term()
        }
        return text
    }

    private mutating func term() -> String {
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1: nested({ $0.not() + $0.term() }, or: { $0.primitive() })
        case 2, 3: nested({ "(" + $0.condition() + ")" }, or: { $0.primitive() })
        case 4...7: arithmetic() + random.pick([" > ", ">=", " = ", "==", "<", " <= ", "!="]) + arithmetic()
        default: primitive()
        }
    }

    private mutating func not() -> String { random.pick(["not ", "!", "! "]) }

    private mutating func protocolName() -> String {
        random.pick(
            random.chance(80)
                ? ["ether", "ip", "ip6", "tcp", "udp", "arp", "link", "icmp", "sctp", "wlan"]
                : """
                ppp slip fddi tr rarp igmp igrp pim vrrp carp radio icmp6 ah esp atalk aarp decnet lat sca moprc mopdl \
                iso esis es-is isis is-is l1 l2 iih lsp snp csnp psnp clnp stp ipx netbeui
                """.split(separator: " ").map(String.init))
    }

    private mutating func optionalProtocol() -> String { random.chance(40) ? protocolName() + " " : "" }

    private mutating func primitive() -> String {
        switch Int.random(in: 0..<16, using: &random) {
        case 0...2: protocolName()
        case 3...9: head() + " " + identifier()
        case 10: optionalProtocol() + random.pick(["broadcast", "multicast"])
        case 11: encapsulation()
        case 12: optionalProtocol() + frame()
        case 13: telephony()
        case 14: firewall()
        default: other()
        }
    }

    private mutating func head() -> String {
        let directions = [
            "src", "dst", "src or dst", "dst || src", "src and dst", "dst && src", "addr1", "address2", "addr3",
            "address4", "ra", "ta",
        ]
        let types = ["host", "net", "port", "portrange", "host", "net", "port"]
        let start = optionalProtocol()
        return switch Int.random(in: 0..<10, using: &random) {
        case 0...3: start + random.pick(types)
        case 4...6:
            start + random.pick(random.chance(80) ? Array(directions[..<6]) : directions) + " " + random.pick(types)
        case 7: start + random.pick(directions)
        case 8: start + random.pick(["proto", "protochain"])
        default: start + random.pick(["proto", "proto", "gateway"])
        }
    }

    private mutating func identifier() -> String {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: nested({ $0.not() + $0.identifier() }, or: { $0.plainIdentifier() })
        case 1: nested({ "(" + $0.identifierList() + ")" }, or: { $0.plainIdentifier() })
        case 2...4: parenthesizedNumber()
        default: plainIdentifier()
        }
    }

    private mutating func identifierList() -> String {
        var text = random.chance(30) ? parenthesizedNumber() : plainIdentifier()
        for _ in 0..<random.pick([0, 1, 1, 2]) { text += random.pick([" or ", " and ", "||"]) + identifier() }
        return text
    }

    private mutating func plainIdentifier() -> String {
        random.pick([
            "10.0.0.1", "192.168.7.3", "10.1", "172.16.5", "0x7f.0.0.1", "10.0.0.0/8", "192.168/16", "10.1.2/24",
            "172.16.0.0 mask 255.240.0.0", "10.20 mask 255.255", "2001:db8::1", "::1", "2001:db8::/32", "fe80::1:2:3",
            "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:10.0.0.1", "::ffff:10.1.2.3", "00:11:22:33:44:55", "0:1:2:3:4:a",
            "00-11-22-33-44-55", "0.1.2.3.4.5", "0011.2233.4455", "001122334455", "$7f", "$a", "http", "domain",
            "6000-6010", "ftp-ssh", "\\tcp", "\\udp", "\\ip", "\\arp", "igmp", "localhost", "80", "53", "22",
        ])
    }

    private mutating func parenthesizedNumber() -> String {
        random.chance(30) ? nested({ "(" + $0.parenthesizedNumber() + ")" }, or: { $0.number() }) : number()
    }

    private mutating func number() -> String {
        random.pick([
            "0", "1", "2", "6", "17", "80", "443", "0x50", "0x8100", "017", "65535", "1500", "0xffffffff", "4294967295",
            "icmp-echo", "tcpflags", "tcp-syn", "icmp6-routeradvert", "icmptype",
        ])
    }

    private mutating func arithmetic() -> String {
        switch Int.random(in: 0..<10, using: &random) {
        case 0...3:
            nested(
                {
                    let left = $0.arithmetic()
                    let sign = $0.random.pick([" + ", " - ", "*", " / ", "%", "&", "|", "^", "<<", " >> "])
                    return left + sign + $0.arithmetic()
                }, or: { $0.load() })
        case 4: nested({ "(" + $0.arithmetic() + ")" }, or: { $0.load() })
        case 5: nested({ "-" + $0.arithmetic() }, or: { $0.number() })
        case 6: random.pick(["len", "length"])
        case 7: parenthesizedNumber()
        default: load()
        }
    }

    private mutating func load() -> String {
        let size = random.pick(["", "", ":1", ":2", ": 4"])
        let offset = random.chance(70) ? number() : nested({ $0.arithmetic() }, or: { $0.number() })
        return "\(protocolName())[\(offset)\(size)]"
    }

    private mutating func encapsulation() -> String {
        random.pick(["vlan", "mpls", "pppoes", "geneve"])
            + (random.chance(50) ? " " + parenthesizedNumber() : "")
    }

    private mutating func frame() -> String {
        random.pick([
            "type mgt", "type data", "type 0", "type 8", "type ctl subtype rts", "type mgt subtype beacon",
            "type data subtype null", "type mgt subtype 0x80", "subtype qos-data", "subtype deauth", "dir tods",
            "direction fromds", "dir 2", "dir dstods",
        ])
    }

    private mutating func telephony() -> String {
        let number = number()
        return switch Int.random(in: 0..<4, using: &random) {
        case 0:
            random.pick([
                "lane", "metac", "bcc", "oam", "oamf4", "oamf4ec", "oamf4sc", "sc", "ilmic", "connectmsg",
                "metaconnect", "fisu", "lssu", "lsu", "msu", "hfisu", "hlssu", "hmsu",
            ])
        case 1: field() + " " + number
        case 2: field() + random.pick([" > ", "<", " = ", "!= ", ">=", " <= "]) + number
        default: field() + " (" + number + random.pick([")", " or 7)", "||8 or 9)"])
        }
    }

    private mutating func field() -> String {
        random.pick(["vpi", "vci", "sio", "opc", "dpc", "sls", "hsio", "hopc", "hdpc", "hsls"])
    }

    private mutating func firewall() -> String {
        random.pick([
            "ifname eth0", "on em0", "rset outer", "ruleset inner", "rnr 4", "rulenum 0", "srnr 3", "subrulenum 5",
            "reason match", "reason 2", "action pass", "action block", "reason bad-offset", "action \\drop",
        ])
    }

    private mutating func other() -> String {
        random.pick([
            "less 64", "greater 0x100", "byte 0 & 1", "byte 12 = 8", "byte 3<4", "byte 1 | 2", "byte 5 > 6", "inbound",
            "outbound", "ifindex 3", "pppoed", "llc", "llc i", "llc s", "llc u", "llc rr", "llc rnr", "llc rulenum",
            "llc ui", "llc xid", "llc \\sabme",
        ])
    }
}
