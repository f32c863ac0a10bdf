import BPFAssembly
import TestSupport
import Testing

@Suite struct FilterExpressionTests {
    /// What is printed shows what binds to what: the tree of the text with all its parentheses is the same program's.
    @Test(arguments: [
        ("icmp or tcp and port 80", "((icmp) or (tcp)) and (port 80)"),
        ("not tcp and udp", "(not tcp) and (udp)"),
        ("port 80 or not 443", "(port 80) or (not port 443)"),
        ("len = 1 | 2 & 3 << 4 + 5 * 6", "len = (1 | (2 & (3 << (4 + (5 * 6)))))"),
        ("len = 9 - 4 - 2", "len = ((9 - 4) - 2)"),
        ("len = 1 * 7 % 2 + 3", "len = (1 * (7 % (2 + 3)))"),
        ("len = -7 ^ 2 | 1", "len = (-(7 ^ (2 | 1)))"),
        ("len = 8 % 5 % 3", "len = (8 % (5 % 3))"),
    ])
    func bindsAsLibpcapDoes(text: String, grouped: String) throws {
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        #expect(compiler.compile(Array(text.utf8)) == compiler.compile(Array(grouped.utf8)))
        #expect(shape(try FilterExpression(text)) == shape(try FilterExpression(grouped)))
    }

    @Test func everyNodeHasItsPlace() throws {
        let text = "tcp port 80 or (443 and not ip[0:2] > 1)"
        #expect(throws: AssemblyError.self) { try FilterExpression(text) }
        let tree = try FilterExpression("  tcp  port 80 or\n!(src host 10.0.0.0/8 && ip[0:2]&len > 1)")
        let root = try #require(tree.root)
        #expect(root.kind == .or && root.word == "or" && root.range == 2..<59)
        let port = root.children[0]
        #expect(port.kind == .primitive && port.text == "tcp  port 80")
        #expect(port.qualifiers?.protocolName == "tcp" && port.qualifiers?.type == .port)
        #expect(port.children.map(\.text) == ["80"] && port.children[0].value == 80)
        let group = try #require(root.children[1].children.first)
        #expect(root.children[1].kind == .not && group.kind == .group && group.range == 19..<59)
        let both = group.children[0].children
        #expect(both[0].qualifiers?.direction == .source && both[0].children[0].kind == .prefix)
        #expect(both[0].children[0].children.map(\.text) == ["10.0.0.0", "8"])
        #expect(both[1].kind == .comparison && both[1].word == ">" && both[1].text == "ip[0:2]&len > 1")
        #expect(both[1].children[0].word == "&" && both[1].children[0].children.map(\.kind) == [.load, .length])
        #expect("\(tree)" == "tcp port 80 or not (src host 10.0.0.0/8 and ip[0:2] & len > 1)")
    }

    @Test func qualifiersAreCarriedOver() throws {
        let tree = try FilterExpression("dst port 80 or 443 and (udp) or (81 and not 82)")
        let root = try #require(tree.root)
        let list = root.children[1]
        #expect(list.qualifiers?.direction == .destination)
        #expect(list.children[0].children[0].qualifiers?.type == .port)
        #expect(list.children[0].children[1].children[0].qualifiers?.type == .port)
        #expect(root.children[0].children[0].children[1].qualifiers?.type == .port)
        #expect(try FilterExpression("vlan 5").root?.children[0].qualifiers == nil)
    }

    @Test func theEmptyExpressionHasNoRoot() throws {
        #expect(try FilterExpression(" \n").root == nil)
        #expect(try FilterExpression("").description == "")
    }

    /// Each message once, word for word.
    @Test(arguments: [
        ("tcp and", "1:8: found the end of the text, expected a primitive, 'not' or '('"),
        ("port 80 or )", "1:12: found ')', expected a primitive, an address, a name, a number, 'not' or '('"),
        ("host and", "1:6: found 'and', expected an address, a name, a number, 'not' or '('"),
        ("tcp udp", "1:5: found 'udp', expected 'and', 'or' or the end"),
        ("(tcp", "1:5: found the end of the text, expected 'and', 'or' or ')'"),
        (
            "tcp and 80",
            "1:9: found '80' alone, expected a qualifier such as 'host' or 'port' before it or a comparison behind it"
        ),
        ("tcp and\n (len)", "2:7: found the end of the text, expected an operator or a comparison"),
        ("ip[0", "1:5: found the end of the text, expected an operator, ':' or ']'"),
        ("ip[0:x]", "1:6: found 'x', expected the number of bytes"),
        ("ip[0:2 = 1", "1:8: found '=', expected ']'"),
        ("len > ip", "1:9: found the end of the text, expected '['"),
        ("len > tcp port", "1:11: found 'port', expected '['"),
        ("len > host", "1:7: found 'host', expected a number, a load such as ip[0] or 'len' or '('"),
        ("vlan (x)", "1:7: found 'x', expected a number or '('"),
        ("less x", "1:6: found 'x', expected a number"),
        ("src or host 1", "1:8: found 'host', expected 'dst'"),
        ("dst and dst 1", "1:9: found 'dst', expected 'src'"),
        ("net 10.0.0.0/x", "1:14: found 'x', expected the length of the prefix, a number"),
        ("net 10.0.0.0 mask 8", "1:19: found '8', expected a mask such as 255.255.255.0"),
        ("byte x", "1:6: found 'x', expected the offset of the byte"),
        ("byte 1 != 2", "1:8: found '!=', expected '&', '|', '<', '>' or '='"),
        ("vpi x", "1:5: found 'x', expected a number, a comparison or '('"),
        ("vpi (1 and 2)", "1:8: found 'and', expected 'or' or ')'"),
        ("ifname 5", "1:8: found '5', expected a name"),
        ("reason (", "1:8: found '(', expected a name or a number"),
        ("type or", "1:6: found 'or', expected the name of a frame type or its number"),
        ("type 0 subtype (", "1:16: found '(', expected the name of a frame subtype or its number"),
        ("subtype 0", "1:9: found '0', expected the name of a frame subtype"),
        ("dir (", "1:5: found '(', expected the name of a direction or its number"),
        ("host 1:2:3", "1:6: found '1:2:', expected an Ethernet address of six bytes or an IPv6 address"),
        ("port 089", "1:6: found '089', expected octal digits behind the leading 0"),
        ("port 4294967296", "1:6: 4294967296 is out of range for a number, it must be 0 to 4294967295"),
        ("tcp ? udp", "1:5: found '?', expected a word, a number, an address or a sign of the language"),
        ("tcp \u{e9}", "1:5: found 'é', expected a word, a number, an address or a sign of the language"),
        ("tcp\n\u{0}", "2:1: found byte 0x00, expected a word, a number, an address or a sign of the language"),
        ("\u{feff}tcp", "1:1: found '\u{feff}', expected a word, a number, an address or a sign of the language"),
    ])
    func errorsSayWhereAndWhatCouldStandThere(text: String, message: String) throws {
        let error = #expect(throws: AssemblyError.self) { try FilterExpression(text) }
        #expect(error?.description == message)
        // libpcap refuses it too, or looks no further than the NUL.
        guard !text.utf8.contains(0) else { return }
        guard case .refused = LibpcapCompiler(linkType: "EN10MB").compile(Array(text.utf8)) else {
            Issue.record("libpcap takes it")
            return
        }
    }

    /// Neither parser, printer, comparison nor hints recurse, and none takes quadratic time.
    @Test(arguments: ["(", "not ", "-", "ip[", "host (not ", "tcp or ("])
    func depthIsNoMatter(opening: String) throws {
        let count = 100_000
        let (middle, closing) =
            switch opening {
            case "-": ("len = 1", "")
            case "ip[": ("0", "]")
            case "host (not ": ("1.2.3.4", ")")
            case "not ": ("tcp", "")
            default: ("tcp", ")")
            }
        let isList = opening.hasPrefix("host")
        let start =
            isList ? "host " + String(repeating: "(not ", count: count) : String(repeating: opening, count: count)
        let text = start + middle + String(repeating: closing, count: count) + (closing == "]" ? " = 0" : "")
        let tree = try FilterExpression(text)
        #expect(try FilterExpression(tree.printed) == tree)
        // Of `tcp or (tcp or …` all but the first are one too many.
        #expect(tree.hints().count == (opening.hasPrefix("tcp") ? FilterExpression.maximumHints : 0))
        #expect(throws: AssemblyError.self) { try FilterExpression(text.dropLast().description + "(") }
    }

    @Test func longListsAreReadInTimeAndSpace() throws {
        let text = (0..<100_000).map { "host 10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)" }.joined(separator: " or ")
        let tree = try FilterExpression(text)
        #expect(tree.description == text)
        #expect(tree.hints() == [])
    }

    /// What binds to what, parentheses and carried-over qualifiers apart.
    private func shape(_ tree: FilterExpression) -> String {
        func shape(_ node: FilterExpression.Node) -> String {
            switch node.kind {
            case .group: return shape(node.children[0])
            case .primitive, .number, .length: return String(node.text.split(separator: " ").last!)
            case .protocolName: return node.text
            default: return "(\(node.word ?? "-") \(node.children.map(shape).joined(separator: " ")))"
            }
        }
        return tree.root.map(shape) ?? ""
    }
}
