import BPFAssembly
import TestSupport
import Testing

@Suite struct ExpressionClauseTests {
    /// Each clause by itself, behind its depth and what joins it.
    @Test(arguments: [
        ("", []),
        ("udp", ["udp"]),
        ("ip && udp\nand port 53", ["ip", "and udp", "and port 53"]),
        ("tcp dst port 80 or 443 and not 22", ["tcp dst port 80", "or tcp dst port 443", "and not tcp dst port 22"]),
        ("((ip and udp))", ["ip", "and udp"]),
        (
            "ip and (tcp or (udp and len > 9))",
            ["ip", "and (tcp or (udp and len > 9))", " tcp", " or (udp and len > 9)", "  udp", "  and len > 9"]
        ),
        ("host a or (b or 10.0.0.0/8)", ["host a", "or host (b or 10.0.0.0/8)"]),
        ("not (tcp or udp) or (arp)", ["not (tcp or udp)", "or (arp)"]),
        ("ip and (vlan or udp)", ["ip", "and (vlan or udp)"]),
    ])
    func clausesAreWhatStandsBetweenJoints(text: String, clauses: [String]) throws {
        let found = try FilterExpression(text).clauses.map {
            String(repeating: " ", count: $0.depth) + ($0.joint.map { "\($0) " } ?? "") + $0.text
        }
        #expect(found == clauses)
    }

    @Test func whatIsShiftedIsCountedBehindTheShift() throws {
        let clauses = try FilterExpression("ip or vlan 5 and udp and (port 1 or 2)").clauses
        #expect(clauses.map(\.shift) == [nil, nil] + Array(repeating: "ip or vlan 5", count: 4))
        #expect(
            clauses.map(\.alone) == [
                "ip", "vlan 5", "(ip or vlan 5) and (udp)", "(ip or vlan 5) and ((port 1 or port 2))",
                "(ip or vlan 5) and (port 1)", "(ip or vlan 5) and (port 2)",
            ])
        #expect(clauses[3].soFar == "ip or vlan 5 and udp and (port 1 or port 2)")
        #expect(clauses[5].soFar == "(ip or vlan 5) and (port 1 or port 2)")
    }

    /// libpcap makes of the last clause's text so far what it makes of the expression, and a packet's way through the
    /// clauses is that through the expression.
    @Test func clausesMeanWhatTheExpressionDoes() throws {
        let compiler = LibpcapCompiler(linkType: "EN10MB")
        var generator = ExpressionGenerator(random: SeededGenerator())
        var (compared, inner) = (0, 0)
        while compared < 60 {
            let text = "\(generator.expression()) and (\(generator.expression()))"
            let whole = compiler.compile(Array(text.utf8))
            guard case .program(let instructions) = whole, let tree = try? FilterExpression(text) else { continue }
            compared += 1
            let clauses = tree.clauses
            let outer = clauses.filter { $0.depth == 0 }
            #expect(compiler.compile(Array(try #require(outer.last).soFar.utf8)) == whole, "\(text)")
            inner += clauses.count - outer.count
            // What reads behind the end decides against the packet, whatever `or` there is; so does what libpcap's own
            // machine does not know, which is what is beside the packet; and what libpcap looks for in no byte (`byte 0 & 1`).
            if text.contains("[") || text.contains("byte") || instructions.contains(where: { $0.k > UInt32.max - 4096 })
            {
                continue
            }
            for index in Frames.all.indices where index % 11 == compared % 11 {
                let frame = Frames.all[index].bytes + [UInt8](repeating: 0, count: 4096)
                try check(clauses, frame, compiler, text)
            }
        }
        #expect(inner > 20)
    }

    private func check(
        _ clauses: [ExpressionClause], _ frame: [UInt8], _ compiler: LibpcapCompiler, _ text: String
    ) throws {
        func matches(_ text: String) -> Bool { compiler.matches(Array(text.utf8), frame) }
        // By depth: those inside of parentheses stand together behind the parentheses as a whole.
        var values: [Int: Bool] = [:]
        for clause in clauses where clause.shift == nil {
            var soFar = values[clause.depth] ?? false
            defer { values[clause.depth] = soFar }
            let alone = matches(clause.alone)
            switch clause.joint {
            case nil: soFar = alone
            case .and: soFar = soFar && alone
            case .or: soFar = soFar || alone
            }
            #expect(matches(clause.soFar) == soFar, "'\(clause.text)' of '\(text)'")
        }
    }
}
