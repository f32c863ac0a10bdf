import BPFAssembly
import BPFInterpreter
import ClassicBPF
import PacketFilter
import Pcap
import TestSupport
import Testing

/// The expressions that say what filters decide; libpcap compiles them, and both filters run on the same packets.
struct FilterMeaningTests {
    @Test(arguments: [
        (
            "udp port 53 and ip",
            "ip and ether[23] = 17 and ether[20:2] & 0x1fff = 0 and "
                + "(ether[((ether[14] & 0xf) * 4) + 14:2] = 53 or ether[((ether[14] & 0xf) * 4) + 16:2] = 53)"
        ),
        (
            "udp[8] = 1 or arp",
            "(ip and ether[23] = 17 and ether[20:2] & 0x1fff = 0 and ether[((ether[14] & 0xf) * 4) + 22] = 1) or arp"
        ), ("ip or arp", "ip or arp"), ("not ip6", "not ip6"), ("less 100", "len <= 100"), ("", ""),
        ("ether[3] & 1 = 0", "ether[3] & 1 = 0"),
    ])
    func sentences(_ expression: String, _ meaning: String) throws {
        let filter = try PacketFilter(expression).classic
        #expect(FilterMeaning.expression(filter, isEthernet: true) == meaning)
    }

    @Test func expressionsOfTheCorpusMeanTheSame() throws {
        var generator = SeededGenerator()
        var count = 0
        let expressions = Corpus.expressions.filter { $0.linkType == "EN10MB" }
        for expression in expressions {
            let filter = try PacketFilter(expression.text)
            if try sameMeaning(filter.classic, "\(expression)", &generator) { count += 1 }
        }
        #expect(count * 2 > expressions.count, "of \(expressions.count) expressions \(count) can be told")
    }

    @Test func randomFiltersMeanTheSame() throws {
        var generator = SeededGenerator()
        var count = 0
        let source = RandomProgram(allowing: [], negativeOffsets: false, usualCount: 14, maximumCount: 30)
        for _ in 0..<3000 {
            let program = source.next(using: &generator)
            if try sameMeaning(program, "\(ClassicListing.text(program))", &generator) { count += 1 }
        }
        #expect(count > 300, "\(count) of 3000 random filters can be told")
    }

    /// Whether the meaning of `filter` can be told; if so, it is compared.
    private func sameMeaning(
        _ filter: ClassicBPF.Program, _ name: String, _ generator: inout SeededGenerator
    ) throws -> Bool {
        guard let meaning = FilterMeaning.expression(filter, isEthernet: true) else { return false }
        let compiled: ClassicBPF.Program
        do {
            compiled = try ExpressionCompiler(
                linkType: .ethernet, snapshotLength: 262_144, optimizes: false, netmask: nil
            ).compile(meaning)
        } catch {
            #expect("\(error)".contains("rejects all packets"), "\(name): \(meaning): \(error)")
            return true
        }
        let packets = Frames.all.map(\.bytes) + (0..<30).map { _ in randomPacket(using: &generator) }
        for bytes in packets where bytes.count >= 14 {
            let packet = Packet(ethernet: bytes)
            let expected = try ClassicMachine().run(filter, on: packet) != 0
            let found = try ClassicMachine().run(compiled, on: packet) != 0
            #expect(found == expected, "\(name) is not '\(meaning)' on \(bytes)")
            if found != expected { break }
        }
        return true
    }
}
