import ClassicBPF
import Foundation
import TestSupport
import Testing

@testable import Pcap

/// Inputs that are too large, too deep or not text for C.
@Suite struct ExpressionLimitTests {
    static let limit = ExpressionCompiler.maximumExpressionLength

    @Test func tenMegabytesAreRefusedBeforeLibpcap() {
        let text = String(repeating: "ip or ", count: 1_666_666) + "ip"
        #expect(throws: PcapError(.expressionTooLong(bytes: 9_999_998, limit: Self.limit))) {
            try ExpressionCompiler().compile(text)
        }
    }

    @Test func theLimitIsInBytesAndInclusive() throws {
        let spaces = String(repeating: " ", count: Self.limit)
        #expect(try ExpressionCompiler(optimizes: false).compile(spaces).count == 1)
        #expect(try ExpressionCompiler().compile(spaces).count == 1)
        let error = PcapError(.expressionTooLong(bytes: Self.limit + 1, limit: Self.limit))
        #expect(throws: error) { try ExpressionCompiler().compile(spaces + " ") }
        #expect(throws: error) {
            try ExpressionCompiler().compile(String(repeating: "é", count: Self.limit / 2) + " ")
        }
    }

    /// All as long as is allowed; libpcap gives up on each by itself.
    @Test(arguments: [
        ("not ", "ip", "", "can't parse filter expression: memory exhausted"),
        ("!", "ip", "", "can't parse filter expression: memory exhausted"),
        ("(", "ip", ")", "can't parse filter expression: memory exhausted"),
        ("(", "ip", "", "can't parse filter expression: memory exhausted"),
        ("ip or (", "ip", ")", "can't parse filter expression: memory exhausted"),
        ("ether[", "1", "]", "can't parse filter expression: memory exhausted"),
        ("-", "1", "", "can't parse filter expression: memory exhausted"),
        ("1||", "1", "", "can't parse filter expression: syntax error"),
        ("port 1 or ", "port 1", "", "out of memory"),
        ("host 10.0.0.1 or ", "ip", "", "out of memory"),
        ("net 10.1/16 and ", "ip", "", "out of memory"),
        ("portrange 1-2 or ", "ip", "", "out of memory"),
        ("ip6 host ::1 or ", "ip", "", "out of memory"),
        ("x", "", "", "out of memory"),
        ("vlan and ", "ip", "", "out of memory"),
        ("ip6 protochain 6 or ", "ip", "", "out of memory"),
    ])
    func repetitionUpToTheLimitIsAnError(before: String, middle: String, after: String, message: String) throws {
        let count = (Self.limit - middle.utf8.count) / (before.utf8.count + after.utf8.count)
        let text = String(repeating: before, count: count) + middle + String(repeating: after, count: count)
        for optimizes in [true, false] {
            #expect(throws: PcapError(.invalidExpression(message))) {
                try ExpressionCompiler(optimizes: optimizes).compile(text)
            }
        }
    }

    /// libpcap needs some 192 bytes of stack for each: a megabyte. The caller has 128 KiB.
    @Test func theCallersStackDoesNotMatter() throws {
        let text = String(repeating: "ip or ", count: 6_000) + "ip"
        let compiled = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        compiled.initialize(to: 0)
        defer { compiled.deallocate() }
        nonisolated(unsafe) let result = compiled
        let thread = Thread {
            result.pointee = (try? ExpressionCompiler(optimizes: false).compile(text).count) ?? -1
        }
        thread.stackSize = 128 << 10
        thread.start()
        while !thread.isFinished { usleep(10_000) }
        #expect(compiled.pointee > 6_000)
    }

    @Test func longSumsCompile() throws {
        let sum = [String](repeating: "1", count: 5_000).joined(separator: "+") + "=1"
        #expect(try ExpressionCompiler(optimizes: false).compile(sum).count > 10_000)
        #expect(throws: PcapError(.invalidExpression("expression rejects all packets"))) {
            try ExpressionCompiler().compile([String](repeating: "1", count: 500).joined(separator: "+") + "=1")
        }
    }

    @Test func longListsCompileWithTheOptimiser() throws {
        let hosts = "host " + (0..<120).map { "10.0.\($0 / 256).\($0 % 256)" }.joined(separator: " or ")
        let optimized = try ExpressionCompiler().compile(hosts + String(repeating: " ", count: 2_048))
        #expect(optimized == (try ExpressionCompiler().compile(hosts)))
        #expect(optimized.count < (try ExpressionCompiler(optimizes: false).compile(hosts).count))
        #expect(optimized.rules.contains(.kernel))
    }

    @Test func theOptimiserIsNotGivenTooManyBranches() throws {
        let branch = Instruction(code: 0x15)
        let other = Instruction(code: 0x06)
        let allowed = [Instruction](repeating: branch, count: 32_768) + [other, other]
        try ExpressionCompiler().checkBranches(in: allowed)
        #expect(throws: PcapError(.tooComplexToOptimize(branches: 32_769, limit: 32_768))) {
            try ExpressionCompiler().checkBranches(in: allowed + [branch])
        }
    }

    /// What is optimised without a count of its branches cannot have too many.
    @Test(arguments: ["EN10MB", "IEEE802_11", "IEEE802_11_RADIO", "PPP_BSDOS", "SUNATM"])
    func shortExpressionsHaveFewBranches(link: String) throws {
        let text = "port " + (0..<99).map { "\($0 % 10)" }.joined(separator: "||")
        let program = try ExpressionCompiler(linkType: LinkType(link), optimizes: false).compile(text)
        let branches = program.instructions.count { $0.code & 7 == 5 && $0.code != 5 }
        #expect(branches < 10 * text.utf8.count)
    }

    @Test(arguments: [("\0", 0), ("ip\0", 2), ("é\0ip", 2), ("ip or \0udp\0", 6)])
    func nulIsRefusedWithItsPlace(text: String, offset: Int) {
        #expect(throws: PcapError(.nulCharacter, at: .byte(offset))) { try ExpressionCompiler().compile(text) }
    }

    @Test(arguments: [0, 0x8000_0000, .max] as [UInt32])
    func snapshotLengthsOutsideAreRefused(length: UInt32) {
        let error = PcapError(.snapshotLengthOutOfRange(length, limit: 0x7fff_ffff))
        #expect(throws: error) { try ExpressionCompiler(snapshotLength: length).compile("ip") }
    }

    @Test func unknownLinkTypesAreRefused() {
        for value in [-1, 99_999, .max, .min] as [Int32] {
            let compiler = ExpressionCompiler(linkType: LinkType(rawValue: value))
            #expect { try compiler.compile("ip") } throws: { error in
                "\(error)".hasPrefix("unknown data link type \(value) ")
            }
        }
    }

    @Test(arguments: [
        ("(", "can't parse filter expression: syntax error"),
        ("tcp port", "can't parse filter expression: syntax error"),
        ("ip host 2001:db8::1", "'ip' modifier applied to ip6 host"),
        ("port 99999", "illegal port number 99999 > 65535"),
        ("1 = 2", "expression rejects all packets"),
        ("vpi 1", "'vpi' supported only on raw ATM"),
        ("ip[0]/0=1", "division by zero"),
        ("ip[0]%0=1", "modulus by zero"),
        ("ip[0]<<32=1", "shift by more than 31 bits"),
        ("\u{fffd}", "can't parse filter expression: syntax error"),
    ])
    func messagesOfLibpcapAreWhole(text: String, message: String) {
        #expect(throws: PcapError(.invalidExpression(message))) { try ExpressionCompiler().compile(text) }
    }
}
