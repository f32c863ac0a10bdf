import PacketFilter
import SystemPackage

/// What is told of a run through a capture file: matches, differences, how far it has come.
struct RunReport {
    private let name: String
    private let console: Console
    private var progress: Progress
    private var packets = 0
    /// How many packets have matched.
    var matches = 0
    /// On how many packets some way of running the filter differs from the classic filter.
    private(set) var differences = 0
    /// How many packets the kernel does not take.
    private var refused = 0

    init(of name: String, on console: Console) {
        self.name = name
        self.console = console
        progress = Progress(of: name, on: console)
    }

    mutating func count(_ packet: CaptureFile.Packet) {
        packets += 1
        progress.advance(by: packet.bytes.count)
    }

    /// Notes what differs, and says so.
    mutating func compare(_ matches: Bool, with answers: [(way: FilterRun.Way, matches: Bool?)]) {
        if answers.contains(where: { $0.matches == nil }) { refused += 1 }
        let different = answers.filter { $0.matches.map { $0 != matches } ?? false }
        guard !different.isEmpty else { return }
        differences += 1
        progress.clear()
        let others = different.map { "\($0.way.rawValue) \(word($0.matches!))" }.joined(separator: ", ")
        console.report("packet \(packets): the classic filter \(word(matches)), \(others)\n")
    }

    private func word(_ matches: Bool) -> String { matches ? "matches" : "does not match" }

    /// The line about a packet that matches.
    func line(_ packet: CaptureFile.Packet, _ linkType: LinkType) -> String {
        let fraction = String(packet.nanoseconds)
        let time = "\(packet.seconds)." + String(repeating: "0", count: 9 - fraction.count) + fraction
        let summary = PacketSummary.text(packet.bytes, linkType: linkType)
        return "\(packets)  \(time)  \(packet.wireLength)  \(summary)"
    }

    /// Says what came of it all.
    mutating func finish() {
        progress.clear()
        let notTaken = refused == 0 ? "" : ", \(refused) the kernel does not take"
        console.report("\(name): \(matches) of \(packets) packets match\(notTaken)\n")
    }
}

/// A bar on a terminal, for what takes longer than a second.
private struct Progress {
    private let console: Console
    private let size: Int64
    private let start = ContinuousClock.now
    private var next: ContinuousClock.Instant
    private var bytes: Int64 = 0
    private var isShown = false

    /// The bytes in front of each packet of a pcap file.
    private static let headerSize: Int64 = 16

    init(of path: String, on console: Console) {
        self.console = console
        next = start + .seconds(1)
        let isShowable = isTerminal(console.errors)
        let file = isShowable ? try? FileDescriptor.open(FilePath(path), .readOnly) : nil
        size = (try? file?.closeAfter { try file!.seek(offset: 0, from: .end) }) ?? 0
    }

    mutating func advance(by count: Int) {
        bytes += Int64(count) + Self.headerSize
        // Asking for the time costs more than many a filter.
        guard size > 0, bytes & 0xfff < Int64(count) + Self.headerSize, ContinuousClock.now >= next else { return }
        next = ContinuousClock.now + .milliseconds(200)
        isShown = true
        let done = Int(min(40, bytes * 40 / size))
        console.report("\r[\(String(repeating: "#", count: done))\(String(repeating: " ", count: 40 - done))]")
    }

    mutating func clear() {
        if isShown { console.report("\r\(String(repeating: " ", count: 42))\r") }
        isShown = false
    }
}
