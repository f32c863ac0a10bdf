import Foundation
import Pcap
import TestSupport
import Testing

/// Files in the pcapng format as libpcap reads them.
@Suite struct PcapngEncoderTests {
    private let folder = try! TemporaryFolder()

    private func packets(_ encoder: PcapngEncoder) throws -> (LinkType, [CaptureFile.Packet]) {
        try folder.file("file", containing: encoder.bytes)
        var file = try CaptureFile(path: folder.path("file"))
        var packets: [CaptureFile.Packet] = []
        while let packet = try file.next() { packets.append(packet) }
        return (file.linkType, packets)
    }

    @Test(arguments: [LinkType.ethernet, .rawIP, .linuxCooked]) func libpcapReadsThePackets(_ linkType: LinkType) throws
    {
        var encoder = PcapngEncoder()
        encoder.appendSection(application: "test")
        encoder.appendInterface(linkType, named: "eth0", snapshotLength: 100, filter: "udp or tcp")
        for length in 0..<9 {
            encoder.appendPacket(
                [UInt8](repeating: UInt8(length), count: length), interface: 0,
                time: 1_700_000_000_123_456_000 + UInt64(length), wireLength: UInt32(length + 1),
                flags: UInt32(length), comment: length > 4 ? String(repeating: "é", count: length) : nil)
        }
        encoder.appendStatistics(interface: 0, times: (start: 1, end: 2), received: 9, lost: 1, comment: "a")
        let (found, packets) = try packets(encoder)
        #expect(found == linkType)
        #expect(packets.map(\.bytes) == (0..<9).map { [UInt8](repeating: UInt8($0), count: $0) })
        #expect(packets.map(\.wireLength) == (1...9).map { UInt32($0) })
        #expect(packets.allSatisfy { $0.seconds == 1_700_000_000 && $0.nanoseconds / 1000 == 123_456 })
    }

    /// Whatever is cut behind the last whole block, what is left is a file.
    @Test func wholeBlocksAreAFile() throws {
        var encoder = PcapngEncoder()
        encoder.appendSection(application: "test")
        encoder.appendInterface(.ethernet, named: nil, snapshotLength: 0, filter: nil)
        let start = encoder.bytes.count
        for length in [1, 2, 3] as [UInt32] {
            encoder.appendPacket(
                [UInt8](repeating: 0, count: Int(length)), interface: 0, time: 0, wireLength: length)
        }
        #expect(encoder.bytes.count == start + 3 * 36)
        for (count, whole) in [(0, 0), (35, 0), (36, 1), (71, 1), (72, 2), (107, 2), (108, 3)] {
            let found = encoder.wholeBlocks(within: start + count)
            #expect(found.bytes == start + 36 * whole && found.packets == whole)
        }
        #expect(encoder.wholeBlocks(within: 7).bytes == 0)
    }

    /// No option is as long; whole characters are left.
    @Test func longTextsAreCut() throws {
        var encoder = PcapngEncoder()
        encoder.appendSection(application: "test")
        encoder.appendInterface(
            .ethernet, named: nil, snapshotLength: 0, filter: String(repeating: "tcp or ", count: 50_000))
        encoder.appendPacket(
            [1], interface: 0, time: 0, wireLength: 1, comment: String(repeating: "é", count: 40_000))
        #expect(try packets(encoder).1.map(\.bytes) == [[1]])
    }
}
