import PacketFilter

/// Tells of counts: as a table that stays in place on a terminal, as lines elsewhere, or as JSON.
struct CountReport {
    private enum Form { case table, lines, json }
    private let form: Form
    private let console: Console
    private let clauses: ClauseFilters?
    private let start: Counts
    private var last: Counts
    private var lastMoment = Duration.zero
    /// How many lines of the terminal the table has.
    private var height = 0

    /// - Parameters:
    ///   - start: The counts at the start.
    ///   - clauses: What they are the counts of, where that is clauses.
    init(of start: Counts, by clauses: ClauseFilters? = nil, json: Bool, on console: Console) {
        self.clauses = clauses
        form = json ? .json : console.outputIsTerminal ? .table : .lines
        self.console = console
        self.start = start
        last = start
    }

    /// Tells of the counts `moment` after the start.
    mutating func show(_ counts: Counts, after moment: Duration) throws {
        switch form {
        case .json: try write(json(counts))
        case .lines: try write(line(counts, after: moment))
        case .table: try draw(table(counts, since: last, in: moment - lastMoment))
        }
        last = counts
        lastMoment = moment
    }

    /// Tells of the last counts. The rates of the table are those of the whole time.
    mutating func finish(_ counts: Counts, after moment: Duration) throws {
        switch form {
        case .json: try write(json(counts))
        case .lines: try write(table(counts, since: start, in: moment))
        case .table: try draw(table(counts, since: start, in: moment))
        }
    }

    private func write(_ text: String) throws { try console.write(Array(text.utf8)) }

    /// Draws the table over the last one.
    private mutating func draw(_ table: String) throws {
        let lines = table.split(separator: "\n")
        let up = height > 0 ? "\u{1b}[\(height)A" : ""
        height = lines.count
        try write(up + lines.map { "\($0)\u{1b}[K\n" }.joined())
    }

    private func table(_ counts: Counts, since before: Counts, in time: Duration) -> String {
        clauses.map { ClauseTable.text(counts, of: $0, since: before, in: time) }
            ?? CountTable.text(counts, since: before, in: time)
    }

    private func line(_ counts: Counts, after moment: Duration) -> String {
        let seconds = Int((moment / .seconds(1)).rounded())
        if let clauses { return "\(seconds)s: \(ClauseTable.line(counts, of: clauses))\n" }
        let texts = counts.filters.map { "\($0.name) \($0.packets) packets \($0.bytes) bytes" }
        return "\(seconds)s: \(texts.joined(separator: ", "))\n"
    }

    private func json(_ counts: Counts) -> String {
        if let clauses { return ClauseTable.json(counts, of: clauses) }
        let filters = counts.filters.map {
            #"{"name": \#($0.name.jsonText), "packets": \#($0.packets), "bytes": \#($0.bytes)}"#
        }
        return #"{"time": \#(counts.time), "filters": [\#(filters.joined(separator: ", "))]}"# + "\n"
    }
}

/// A table of counts.
enum CountTable {
    private static let heads = ["packets", "bytes", "packets/s", "bytes/s"]

    /// The table of `counts`, with the rates since `before`.
    static func text(_ counts: Counts, since before: Counts, in time: Duration) -> String {
        let seconds = max(time / .seconds(1), 1e-9)
        var rows = [["filter"] + heads]
        for (now, then) in zip(counts.filters, before.filters) {
            let rates = [now.packets - then.packets, now.bytes - then.bytes].map {
                "\(UInt64((Double($0) / seconds).rounded()))"
            }
            rows.append([now.name.printable, "\(now.packets)", "\(now.bytes)"] + rates)
        }
        return TextTable.text(rows, leading: 1)
    }
}

/// Histograms as bcc's tools draw them.
enum HistogramText {
    private static let barLength = 40

    /// A histogram for each filter that has packets, with an empty line in front.
    static func text(_ counts: Counts, _ histogram: Histogram) -> String {
        counts.filters.map { "\n\($0.name.printable)\n" + text($0.ranges, histogram) }.joined()
    }

    /// The ranges from the first to the last with packets, a line each.
    private static func text(_ ranges: [UInt64], _ histogram: Histogram) -> String {
        let unit = histogram == .length ? "bytes" : "nsecs"
        guard let first = ranges.firstIndex(where: { $0 > 0 }), let last = ranges.lastIndex(where: { $0 > 0 }) else {
            return "    no packets\n"
        }
        let numbers = ranges.indices.map { (low: $0 == 0 ? 0 : UInt64(1) << $0, high: UInt64.max >> (63 - $0)) }
        let width = max(unit.count, "\(numbers[last].high)".count)
        let countWidth = max("packets".count, "\(ranges.max()!)".count)
        let places = unit.padded(to: 2 * width + 4)
        let lines = (first...last).map { index -> String in
            let low = "\(numbers[index].low)".padded(to: width, atEnd: false)
            let high = "\(numbers[index].high)".padded(to: width)
            let packets = "\(ranges[index])".padded(to: countWidth)
            let share = Double(ranges[index]) / Double(ranges.max()!)
            let bar = String(repeating: "*", count: Int(share * Double(barLength))).padded(to: barLength)
            return "    \(low) -> \(high) : \(packets) |\(bar)|\n"
        }
        return "    \(places) : \("packets".padded(to: countWidth)) distribution\n" + lines.joined()
    }
}

extension String {
    fileprivate func padded(to width: Int, atEnd: Bool = true) -> String {
        let spaces = String(repeating: " ", count: Swift.max(0, width - count))
        return atEnd ? self + spaces : spaces + self
    }
}

extension String {
    /// The text with its control characters shown escaped, so that it stays on its line.
    var printable: String { ToolError(self).description }

    /// The text as a JSON string. Source: RFC 8259 §7.
    var jsonText: String {
        let escaped = unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\u{0}"..."\u{1f}":
                "\\u" + String(repeating: "0", count: scalar.value < 16 ? 3 : 2) + String(scalar.value, radix: 16)
            default: String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
