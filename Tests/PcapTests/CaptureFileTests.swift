import Foundation
import Pcap
import TestSupport
import Testing

private let frames: [[UInt8]] = [
    [UInt8](repeating: 0xff, count: 12) + [0x88, 0xb5] + Array("one".utf8) + [UInt8](repeating: 0, count: 43),
    Array(0..<6) + Array(10..<16) + [0x88, 0xb5, 1],
    (0..<1514).map { UInt8(truncatingIfNeeded: $0 * 7) },
]

/// All that a capture holds.
private struct Contents: Hashable {
    var linkType: LinkType
    var snapshotLength: Int32
    var packets: [CaptureFile.Packet] = []

    init(path: String) throws {
        var file = try CaptureFile(path: path)
        linkType = file.linkType
        snapshotLength = file.snapshotLength
        while let packet = try file.next() { packets.append(packet) }
        #expect(try file.next() == nil, "the end is not the end")
    }
}

@Suite struct CaptureFileTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [false, true], [false, true])
    func readsPcap(bigEndian: Bool, nanoseconds: Bool) throws {
        let bytes = CaptureBytes.pcap(frames, bigEndian: bigEndian, nanoseconds: nanoseconds, hidden: 9)
        try folder.file("capture", containing: bytes)
        let contents = try Contents(path: folder.path("capture"))
        #expect(contents.linkType == .ethernet)
        #expect(contents.snapshotLength == 262_144)
        #expect(contents.packets.map(\.bytes) == frames)
        #expect(contents.packets.map(\.wireLength) == [69, 24, 1523])
        #expect(contents.packets.map(\.seconds) == [1_700_000_000, 1_700_000_001, 1_700_000_002])
        let unit: UInt32 = nanoseconds ? 1 : 1000
        #expect(contents.packets.map(\.nanoseconds) == [123_456 * unit, 123_457 * unit, 123_458 * unit])
    }

    @Test(arguments: [false, true])
    func readsPcapng(bigEndian: Bool) throws {
        try folder.file("capture", containing: CaptureBytes.pcapng(frames, bigEndian: bigEndian, link: 113))
        let contents = try Contents(path: folder.path("capture"))
        #expect(contents.linkType == .linuxCooked)
        #expect(contents.snapshotLength == 65_535)
        #expect(contents.packets.map(\.bytes) == frames)
        #expect(contents.packets.map(\.seconds) == [1_700_000_000, 1_700_000_001, 1_700_000_002])
        #expect(contents.packets.map(\.nanoseconds) == [123_456_789, 123_456_789, 123_456_789])
    }

    /// tcpdump reads the same times and bytes from the same files, and from those it has written itself.
    @Test(
        .enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"),
        arguments: ["pcap", "pcap-big", "pcapng", "sample", "rewritten"])
    func agreesWithTcpdump(form: String) throws {
        var path = folder.path("capture")
        switch form {
        case "pcap": try folder.file("capture", containing: CaptureBytes.pcap(frames))
        case "pcap-big": try folder.file("capture", containing: CaptureBytes.pcap(frames, bigEndian: true))
        case "pcapng": try folder.file("capture", containing: CaptureBytes.pcapng(frames))
        case "sample": path = samplePath
        default: try run("tcpdump", ["-r", samplePath, "-w", path, "--nano", "udp or arp"])
        }
        let theirs = try run("tcpdump", ["-r", path, "-tt", "--nano", "-xx", "-nn"])
        #expect(theirs.status == 0, "\(theirs.errors)")
        let contents = try Contents(path: path)
        #expect(contents.packets.count > 2)
        #expect(contents.packets.map(dump) == dumps(theirs.text))
    }

    @Test func packetsBeforeTheDamageAreDelivered() throws {
        let whole = CaptureBytes.pcap(frames)
        try folder.file("capture", containing: whole.dropLast(5))
        let path = folder.path("capture")
        var file = try CaptureFile(path: path)
        #expect(try file.next()?.bytes == frames[0])
        #expect(try file.next()?.bytes == frames[1])
        let error = PcapError(
            .damagedCapture("truncated dump file; tried to read 1514 captured bytes, only got 1509"),
            at: .packet(2, file: path))
        for _ in 0..<2 {
            do {
                _ = try file.next()
                Issue.record("the damage went unnoticed")
            } catch let found {
                #expect(found == error)
            }
        }
    }

    /// Wherever a file is cut, reading it ends with an error or at a packet's end, and never gives other packets.
    @Test(arguments: [false, true])
    func anyCutIsAnErrorOrAnEnd(pcapng: Bool) throws {
        let some = Array(frames.prefix(2))
        let whole = pcapng ? CaptureBytes.pcapng(some) : CaptureBytes.pcap(some)
        for length in whole.indices {
            try folder.file("capture", containing: Array(whole.prefix(length)))
            var packets: [[UInt8]] = []
            var failed = false
            do {
                var file = try CaptureFile(path: folder.path("capture"))
                while let packet = try file.next() { packets.append(packet.bytes) }
            } catch {
                failed = true
            }
            #expect(packets == Array(some.prefix(packets.count)))
            #expect(failed || packets.count < 2)
            if !failed {
                let kept = Array(some.prefix(packets.count))
                #expect(length == (pcapng ? CaptureBytes.pcapng(kept) : CaptureBytes.pcap(kept)).count)
            }
        }
    }

    /// A file whose fraction of a second is out of range gives a time all the same.
    @Test func oddTimesAreCarried() throws {
        var bytes = CaptureBytes.pcap([frames[1]], nanoseconds: true)
        bytes.replaceSubrange(28..<32, with: [0x00, 0xca, 0x9a, 0x3b])  // 1,000,000,000
        try folder.file("capture", containing: bytes)
        let packet = try #require(try Contents(path: folder.path("capture")).packets.first)
        #expect(packet.seconds == 1_700_000_001)
        #expect(packet.nanoseconds == 0)
        for fraction in [UInt8](arrayLiteral: 0x7f, 0x80, 0xff) {
            bytes.replaceSubrange(28..<32, with: [0xff, 0xff, 0xff, fraction])
            try folder.file("capture", containing: bytes)
            let odd = try #require(try Contents(path: folder.path("capture")).packets.first)
            #expect(odd.nanoseconds < 1_000_000_000)
        }
    }

    @Test func otherFilesAreRefused() throws {
        try folder.file("text", containing: Array("no capture at all".utf8))
        #expect(throws: PcapError(.notACapture("unknown file format"), at: .file(folder.path("text")))) {
            try Contents(path: folder.path("text"))
        }
        try folder.file("empty", containing: [])
        let short = "truncated dump file; tried to read 4 file header bytes, only got 0"
        #expect(throws: PcapError(.notACapture(short), at: .file(folder.path("empty")))) {
            try Contents(path: folder.path("empty"))
        }
        let missing = folder.path("missing")
        #expect(throws: PcapError(.unreadable("No such file or directory"), at: .file(missing))) {
            try Contents(path: missing)
        }
        #expect(throws: PcapError(.unreadable("Is a directory"), at: .file("/"))) { try Contents(path: "/") }
        #expect(throws: PcapError(.nulCharacter, at: .file("a\0b"))) { try Contents(path: "a\0b") }
    }

    @Test func manyFilesLeaveNoneOpen() throws {
        for _ in 0..<3000 { _ = try Contents(path: samplePath) }
        for _ in 0..<3000 { #expect(throws: PcapError.self) { try Contents(path: "/dev/null") } }
    }
}

private let samplePath =
    Corpus.folder.appending(path: "../../examples/sample.pcap").standardizedFileURL.path(percentEncoded: false)

/// A packet as tcpdump prints it: time, then the bytes.
private func dump(_ packet: CaptureFile.Packet) -> String {
    let fraction = String(packet.nanoseconds)
    let padded = String(repeating: "0", count: 9 - fraction.count) + fraction
    let bytes = packet.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return "\(packet.seconds).\(padded) \(bytes)"
}

/// The times and bytes in what `tcpdump -tt -xx` prints.
private func dumps(_ text: String) -> [String] {
    var result: [String] = []
    for line in text.split(separator: "\n") {
        if line.hasPrefix("\t0x"), let colon = line.firstIndex(of: ":") {
            result[result.count - 1] += line[colon...].dropFirst().filter { $0 != " " }
        } else if let time = line.split(separator: " ").first, time.contains("."), line.first?.isNumber == true {
            result.append("\(time) ")
        }
    }
    return result
}
