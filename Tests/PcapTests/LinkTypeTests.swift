import Pcap
import TestSupport
import Testing

@Suite struct LinkTypeTests {
    @Test func everyNameReadsBackInAnyCase() throws {
        let named = LinkType.named
        #expect(named.count > 150)
        for type in named {
            #expect(LinkType(name: type.name) == type)
            #expect(LinkType(name: type.name.lowercased()) == type)
            #expect(try LinkType(type.name) == type)
            #expect(try LinkType(String(type.rawValue)) == type)
            #expect(!type.description.isEmpty)
        }
    }

    /// The C preprocessor says what number each name has in libpcap's header.
    @Test(.enabled(if: Requirement.tool("cc").allowsRunning, "needs a C compiler"))
    func numbersAreThoseOfTheHeader() throws {
        let named = LinkType.named
        let source = "#include <pcap/dlt.h>\n" + named.map { "= DLT_\($0.name)\n" }.joined()
        let result = try run("cc", ["-E", "-P", "-xc", "-"], input: Array(source.utf8))
        #expect(result.status == 0, "\(result.errors)")
        let numbers = result.text.split(separator: "\n").filter { $0.hasPrefix("= ") }.map { $0.dropFirst(2) }
        #expect(numbers.map { Int32($0) } == named.map(\.rawValue))
    }

    /// tcpdump knows a link type by the same name, and compiles for it what needs no more than a length.
    @Test(
        .enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"),
        arguments: ["EN10MB", "en10mb", "RAW", "LINUX_SLL2", "IEEE802_11_RADIO", "NULL", "Z_WAVE_SERIAL"])
    func tcpdumpTakesTheName(name: String) throws {
        let link = try LinkType(name)
        let ours = try ExpressionCompiler(linkType: link).compile("len > 5")
        let theirs = try run("tcpdump", ["-y", name, "-ddd", "len > 5"])
        #expect(tcpdumpInstructions(theirs.text) == ours.instructions)
    }

    @Test func wellKnownOnesHaveTheirNames() {
        #expect(LinkType.ethernet.name == "EN10MB")
        #expect(LinkType.ethernet.description == "Ethernet")
        #expect(LinkType.rawIP.name == "RAW")
        #expect(LinkType.null.name == "NULL")
        #expect(LinkType.linuxCooked.name == "LINUX_SLL")
        #expect(LinkType.linuxCooked2.name == "LINUX_SLL2")
        #expect(LinkType.wireless.name == "IEEE802_11")
        #expect(LinkType.wirelessRadiotap.name == "IEEE802_11_RADIO")
    }

    @Test func numbersForPrivateUseHaveNoNameButAreTaken() throws {
        let user = try LinkType("147")
        #expect(user.rawValue == 147)
        #expect(user.name == "147")
        #expect(user.description == "link type 147")
        #expect(try LinkType("162").rawValue == 162)
    }

    @Test(arguments: [
        "", " ", "EN10", "EN10MB ", "DLT_EN10MB", "EN10MB\0", "1 ", "+1", "-1", "0x1", "2", "9999", "163x",
        "99999999999999999999", "Ethernet", "１",
    ])
    func othersAreRefusedByName(text: String) {
        #expect(throws: PcapError(.unknownLinkType(text))) { try LinkType(text) }
    }
}
