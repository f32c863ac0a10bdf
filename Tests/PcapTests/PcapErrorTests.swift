import ClassicBPF
import Pcap
import Testing

@Suite struct PcapErrorTests {
    @Test(arguments: [
        (
            PcapError(.unknownLinkType("ETHER")),
            "unknown link type \"ETHER\", it must be a name of libpcap's such as EN10MB or RAW, or its number"
        ),
        (
            PcapError(.snapshotLengthOutOfRange(0, limit: 2_147_483_647)),
            "the snapshot length is 0, it must be 1 to 2147483647"
        ),
        (
            PcapError(.expressionTooLong(bytes: 10_000_000, limit: 1_048_576)),
            "the expression has 10000000 bytes, at most 1048576 are allowed"
        ),
        (
            PcapError(.tooComplexToOptimize(branches: 40_000, limit: 32_768)),
            "the expression has 40000 branches, libpcap's optimiser is given at most 32768; compile without it"
        ),
        (PcapError(.nulCharacter, at: .byte(3)), "byte 3: the character NUL is not allowed"),
        (
            PcapError(.invalidExpression("can't parse filter expression: syntax error")),
            "can't parse filter expression: syntax error"
        ),
        (
            PcapError(.invalidProgram(ValidationError(.missingReturn, at: 4))),
            "libpcap made an invalid program: instruction 4: the last instruction must be a ret of a constant or of A"
        ),
        (PcapError(.noResources), "the system has no memory or no thread left to compile with"),
        (
            PcapError(.unreadable("No such file or directory"), at: .file("a.pcap")),
            "a.pcap: No such file or directory"
        ),
        (PcapError(.notACapture("unknown file format"), at: .file("a")), "a: no capture file: unknown file format"),
        (
            PcapError(.damagedCapture("truncated dump file"), at: .packet(7, file: "a.pcap")),
            "a.pcap: packet 7: truncated dump file"
        ),
    ])
    func messageIsOneLine(error: PcapError, message: String) {
        #expect("\(error)" == message)
    }
}
