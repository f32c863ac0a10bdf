import BPFAssembly
import TestSupport
import Testing

/// All errors of an expression in one run: those that there are, and none that only comes of another.
@Suite(.serialized) struct ExpressionErrorTests {
    @Test(arguments: [
        ("", []), ("tcp port 80 or 443", []), ("foo", [1]), ("tcp and and udp", [9]), ("tcp port", [9]),
        ("port foo$ or 80 or tcp", [9]), ("tcp) or udp) or ip", [4, 12]), ("(tcp and", [9]),
        ("((tcp and $) or udp", [11, 20]),
        ("(1 + foo) > 5 and ip x", [6, 22]), ("ip[foo and 5] = 2 or udp 3] or ip 4]", [4, 26, 35]),
        ("not x$ and not udp y", [5, 20]),
        ("1:2:3 or 99999999999 = 1 or 0x = 5", [1, 10, 32]), ("opc (1 x or 2) and udp z", [8, 24]),
        ("€ and ä or tcp", [1, 9]), ("tcp @ @ @ and udp", [5]), ("host and or ip", [6, 10]),
        ("tcp (udp or ip) and z", [5]),
        ("src and dst or ip 1", [13, 19]), ("udp 1\nor\nip 2", [5, 4]),
    ])
    func errorsAreWhereTheyAre(text: String, columns: [Int]) {
        let errors = FilterExpression.errors(in: Array(text.utf8))
        #expect(
            (errors?.errors.map(\.column) ?? []) == columns, "\(text): \(errors.map(String.init(describing:)) ?? "")")
    }

    /// Parts of an expression are spoiled; libpcap, shown only one of the spoiled ones, says whether that is an error,
    /// and just those that are have an error each.
    @Test func errorsOfPartsAreIndependent() {
        let parts = [
            "tcp", "port 80", "host 10.0.0.1", "ip[0] & 15 = 5", "(udp or icmp)", "not arp", "src net 10.0.0.0/8",
            "len > 100", "ether host 0:1:2:3:4:5", "(tcp[12:2] + 4) * 2 < 50", "ip6 multicast", "not (vlan or ip6)",
            "(port 53 or 67)", "dst port (1 or 2)", "src or dst port 9", "ip proto 6",
        ]
        let spoilers = ["@", " 5 5", "$ (1 or 2)", " tcp udp", " [", " / /", " host", " 1:2:3 x", " = = 1", " ip[1"]
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        var random = SeededGenerator()
        var spoiledCount = 0
        for _ in 0..<1_000 {
            let chosen = (0..<6).map { _ in random.pick(parts) }
            let words = (0..<6).map { _ in random.pick([" and ", " or "]) }
            let spoiled = chosen.map { part -> String? in
                guard random.chance(50) else { return nil }
                // A part in parentheses may be spoiled inside too.
                guard part.last == ")", random.chance(50) else { return part + random.pick(spoilers) }
                return part.dropLast() + random.pick(spoilers) + ")"
            }
            func text(_ shown: [String?]) -> String {
                zip(zip(shown, chosen), words).map { ($0.0 ?? $0.1) + $1 }.joined() + "udp"
            }
            let expected = spoiled.indices.filter { index in
                let one = spoiled.indices.map { $0 == index ? spoiled[$0] : nil }
                return spoiled[index] != nil && compiler.compile(Array(text(one).utf8)).isSyntaxError
            }
            spoiledCount += expected.count
            let whole = text(spoiled)
            let errors = FilterExpression.errors(in: Array(whole.utf8))?.errors ?? []
            #expect(errors.map { part(at: $0.column, spoiled, chosen, words) } == expected, "\(whole): \(errors)")
        }
        #expect(spoiledCount > 1_000)
    }

    /// Which part a column is in, or the word behind it, where the part ends too early.
    private func part(at column: Int, _ spoiled: [String?], _ chosen: [String], _ words: [String]) -> Int {
        var end = 0
        for index in chosen.indices {
            end += (spoiled[index] ?? chosen[index]).utf8.count + words[index].utf8.count
            if column <= end { return index }
        }
        return chosen.count
    }

    /// In time that grows as the text does, else this one takes minutes.
    @Test func deepAndLongTextsAreRead() {
        for text in [
            String(repeating: "(", count: 10_000) + "$" + String(repeating: ")", count: 10_001),
            String(repeating: "not ", count: 10_000) + "$" + String(repeating: ")", count: 10_000),
            String(repeating: "$ ", count: 10_000), String(repeating: "ip[", count: 10_000),
        ] {
            #expect(
                (1...AssemblyErrors.limit).contains(FilterExpression.errors(in: Array(text.utf8))?.errors.count ?? 0))
        }
    }
}
