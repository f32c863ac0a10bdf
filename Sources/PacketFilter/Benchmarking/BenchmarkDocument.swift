import BPFCompiler

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Times as one JSON object. `Grammar/bench.schema.json` describes it.
private struct BenchmarkDocument: Encodable {
    var expression: String?
    var classicInstructions: Int
    var kernel: String
    var processor: String?
    var jit: Int?
    var rounds: Int
    var packets: [Packets]
    var rows: [Row]

    private enum CodingKeys: String, CodingKey {
        case expression
        case classicInstructions = "classic_instructions"
        case kernel, processor, jit, rounds, packets, rows
    }

    struct Packets: Encodable {
        var linkType: String
        var match: Packet?
        var other: Packet?

        private enum CodingKeys: String, CodingKey {
            case linkType = "link_type"
            case match, other
        }
    }

    struct Packet: Encodable {
        var origin: String
        var summary: String
        var bytes: String
    }

    struct Row: Encodable {
        var hook: String
        var program: BenchmarkRow.Program
        var instructions: Int?
        var copies: Int?
        var match: Time
        var other: Time
    }

    /// A time in nanoseconds, or why there is none.
    struct Time: Encodable {
        var median: Double?
        var quartiles: [Double]?
        var missing: String?
    }
}

extension BenchmarkReport {
    /// The times as JSON text with a line feed behind it; keys are sorted.
    public func json() throws -> String {
        let document = BenchmarkDocument(
            expression: filter.expression, classicInstructions: filter.classic.count, kernel: machine.kernel,
            processor: machine.processor, jit: machine.jit, rounds: rounds,
            packets: packets.map(BenchmarkDocument.Packets.init), rows: rows.map(BenchmarkDocument.Row.init))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }
}

extension BenchmarkDocument.Packets {
    fileprivate init(_ pair: BenchmarkPair) {
        linkType = pair.linkType.name
        match = pair.match.map(BenchmarkDocument.Packet.init)
        other = pair.other.map(BenchmarkDocument.Packet.init)
    }
}

extension BenchmarkDocument.Packet {
    fileprivate init(_ packet: BenchmarkPacket) {
        origin = packet.origin
        summary = packet.summary
        bytes = packet.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension BenchmarkDocument.Row {
    fileprivate init(_ row: BenchmarkRow) {
        hook = row.hook.description
        program = row.program
        instructions = row.instructions
        copies = row.copies
        match = BenchmarkDocument.Time(row.match)
        other = BenchmarkDocument.Time(row.other)
    }
}

extension BenchmarkDocument.Time {
    fileprivate init(_ time: Result<TimeDistribution, TimingGap>) {
        switch time {
        case .success(let time):
            // Hundredths; further digits are noise.
            let rounded = [time.median, time.lowerQuartile, time.upperQuartile].map { ($0 * 100).rounded() / 100 }
            median = rounded[0]
            quartiles = Array(rounded[1...])
        case .failure(let gap): missing = gap.description
        }
    }
}
