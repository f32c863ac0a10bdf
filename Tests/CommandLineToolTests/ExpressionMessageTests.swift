import PacketFilter
import TestSupport
import Testing

@testable import CommandLineTool

/// What the tool says about places in expressions.
@Suite struct ExpressionMessageTests {
    @Test func verboseShowsHintsAndTheExpressionWithMarks() throws {
        let run = try ToolRun(["-v", "--emit", "classic", "ip6 and tcp[13] & 2 != 0 or vlan"])
        #expect(run.status == 0)
        #expect(
            run.errors == """
                cbpf2ebpf: hint: column 9: 'tcp[13]' looks at IPv4 packets only, so together with 'ip6' nothing matches; \
                write 'ip6[53]', which is counted from the IPv6 header
                    ip6 and tcp[13] & 2 != 0 or vlan
                            ^~~~~~~

                """)
        #expect(try ToolRun(["--emit", "classic", "ip6 and tcp[13] & 2 != 0 or vlan"]).errors.isEmpty)
    }

    /// A hint says why libpcap finds that nothing matches.
    @Test func hintsAreShownOfWhatIsRefusedToo() throws {
        let run = try ToolRun(["-v", "tcp and udp", "--emit", "classic"])
        #expect(run.status == 1)
        #expect(
            run.errors == """
                cbpf2ebpf: hint: column 9: 'udp' and 'tcp' never hold for the same packet, so both together match nothing; \
                write 'or' if either is meant
                    tcp and udp
                            ^~~
                cbpf2ebpf: expression rejects all packets

                """)
    }

    @Test func linesOfAnExpressionFromAFileAreCounted() throws {
        let run = try ToolRun(["-F", "-"], input: Array("tcp # comment\n\tand udp)\n".utf8))
        #expect(
            run.errors == """
                cbpf2ebpf: can't parse filter expression: syntax error
                cbpf2ebpf: line 2, column 9: found ')', expected 'and', 'or' or the end
                     and udp)
                            ^

                """)
    }

    /// libpcap stops at the first.
    @Test func allErrorsAreTold() throws {
        let run = try ToolRun(["tcp port and (udp or 5) or ip host 1.2.3.4/ and icmp"])
        #expect(
            run.errors == """
                cbpf2ebpf: can't parse filter expression: syntax error
                cbpf2ebpf: column 10: found 'and', expected an address, a name, a number, 'not' or '('
                    tcp port and (udp or 5) or ip host 1.2.3.4/ and icmp
                             ^
                cbpf2ebpf: column 22: found '5' alone, expected a qualifier such as 'host' or 'port' before it or a comparison behind it
                    tcp port and (udp or 5) or ip host 1.2.3.4/ and icmp
                                         ^
                cbpf2ebpf: column 45: found 'and', expected the length of the prefix, a number
                    tcp port and (udp or 5) or ip host 1.2.3.4/ and icmp
                                                                ^

                """)
        let many = try ToolRun([[String](repeating: "ip 5", count: 30).joined(separator: " or ")])
        #expect(many.errors.hasSuffix("\ncbpf2ebpf: there are more errors\n"))
        #expect(many.errors.matches(of: /column/).count == AssemblyErrors.limit)
    }

    /// What libpcap refuses for its meaning has no place.
    @Test func errorsOfMeaningStayAsTheyAre() throws {
        #expect(try ToolRun(["port 70000"]).errors == "cbpf2ebpf: illegal port number 70000 > 65535\n")
    }

    @Test func ofLongLinesTheSurroundingsAreShown() throws {
        let text = (0..<100).map { "port \($0) or " }.joined()
        let errors = try #require(PacketFilter.syntaxErrors(in: text, refusedWith: refusal(of: text)))
        let lines = ExpressionMessages(text).message(errors.errors[0]).split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.dropFirst().allSatisfy { $0.count < 110 })
        #expect(lines.last?.last == "^")
    }

    private func refusal(of text: String) -> any Error {
        do {
            _ = try PacketFilter(text)
            return ToolError("taken")
        } catch { return error }
    }

    @Test func hintsDependOnTheLinkType() throws {
        #expect(PacketFilter.hints(for: "ether[0] = 1") == [])
        let hints = PacketFilter.hints(for: "tcp or ether[0] = 1", linkType: .rawIP)
        #expect(hints.map(\.column) == [8])
        #expect(hints.map(\.range) == [7..<15])
        #expect(PacketFilter.hints(for: "no expression") == [])
    }
}
