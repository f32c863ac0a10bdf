import PacketFilter

/// Times as people read them.
struct BenchText {
    private let report: BenchmarkReport

    init(_ report: BenchmarkReport) { self.report = report }

    /// What was measured on what, the table, and why cells of it are empty.
    var text: String { head + "\n" + table + notes }

    /// Why the tool fails all the same; nil where it does not.
    var refusal: String? {
        let gaps = report.gaps.map(\.gap)
        if gaps.contains(where: { if case .notPermitted = $0.reason { true } else { false } }) {
            return "not all could be measured, the kernel wants privileges for it"
        }
        let isMeasured = report.rows.contains { row in
            row.program != .empty && [row.match, row.other].contains { (try? $0.get()) != nil }
        }
        return isMeasured ? nil : "nothing could be measured of the filter"
    }

    private var head: String {
        let count = report.filter.classic.count
        let filter = ToolError(report.filter.expression ?? "the program").description
        let machine = [report.machine.processor, "Linux \(report.machine.kernel)"].compactMap { $0 }
        let jit = report.machine.jit == 0 ? ", programs are interpreted (bpf_jit_enable is 0)" : ""
        let lines = [
            "\(filter.isEmpty ? "every packet" : filter): \(count) classic instruction\(count == 1 ? "" : "s")",
            "\(machine.joined(separator: ", "))\(jit)",
            "ns a packet, the median of \(report.rounds) sample\(report.rounds == 1 ? "" : "s") and the quartiles",
        ]
        return (lines + report.packets.flatMap(packets)).joined(separator: "\n") + "\n"
    }

    private func packets(_ pair: BenchmarkPair) -> [String] {
        [("match", pair.match), ("no match", pair.other)].compactMap { name, packet in
            packet.map { packet in
                let layer = report.packets.count > 1 ? " on \(pair.linkType.name)" : ""
                return ToolError("\(name)\(layer): \(packet.origin), \(packet.summary)").description
            }
        }
    }

    private var table: String {
        let copies = report.rows.contains { $0.copies != nil }
        let heads = ["hook", "program", "instructions"] + (copies ? ["copies"] : []) + ["match", "", "no match", ""]
        let rows = report.rows.map { row in
            [row.hook.description, row.program.name, row.instructions.map { "\($0)" } ?? "–"]
                + (copies ? [row.copies.map { "\($0)" } ?? ""] : []) + cells(row.match) + cells(row.other)
        }
        return TextTable.text([heads] + rows, leading: 2).split(separator: "\n").map {
            String($0.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }

    private func cells(_ time: Result<TimeDistribution, TimingGap>) -> [String] {
        guard let time = try? time.get() else { return ["–", ""] }
        let texts = [time.median, time.lowerQuartile, time.upperQuartile].map { Self.tenths($0) }
        return [texts[0], "\(texts[1])…\(texts[2])"]
    }

    /// The number with one digit behind the point; 0 has no sign.
    private static func tenths(_ number: Double) -> String { "\((number * 10).rounded() / 10 + 0)" }

    private var notes: String {
        let lines = report.gaps.map { gap, rows in
            let names = rows.map { "\($0.hook) \($0.program.name)" }.joined(separator: ", ")
            if case .noPacket = gap.reason { return "\(gap)" }
            return "\(names): \(gap)"
        }
        return lines.isEmpty ? "" : "\n" + lines.map { ToolError($0).description + "\n" }.joined()
    }
}

extension BenchmarkRow.Program {
    /// What the table calls it.
    fileprivate var name: String {
        switch self {
        case .classic: "classic"
        case .mirror: "-O0"
        case .optimized: "-O1"
        case .empty: "empty"
        }
    }
}
