import Foundation
import PacketFilter
import TestSupport

/// The times at one hook as a Markdown table.
struct TimeReport {
    var hook: ReferenceFilter.Hook
    var rows: [RowTimes]

    /// How much more a list of hosts may take than a single host, in nanoseconds.
    static let listAllowance = 10.0

    var markdown: String {
        let head = """
            ## \(hook), ns a packet

            | filter | match | C | empty | ours/C | other | C | empty | ours/C | misses |
            |---|---|---|---|---|---|---|---|---|---|

            """
        return head + rows.map(line).joined(separator: "\n") + "\n\n" + summary
    }

    private func line(_ row: RowTimes) -> String {
        let cells: [String]
        switch row.times {
        case .failure(let missing): cells = Array(repeating: "–", count: 8) + ["**\(missing.reason)**"]
        case .success(let times):
            let misses = misses(of: row).joined(separator: ", ")
            cells = self.cells(times.match) + self.cells(times.other) + [misses.isEmpty ? "" : "**\(misses)**"]
        }
        return "| " + (["`\(row.row.name)`"] + cells).map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")
            + " |"
    }

    private func cells(_ times: PacketTimes) -> [String] {
        let ratio = times.ratio.map { String(format: "%.2f", $0) } ?? "–"
        return [times.ours.text, times.reference.text, times.empty.text, ratio]
    }

    private func misses(of row: RowTimes) -> [String] {
        guard case .success(let times) = row.times else { return ["no program"] }
        var misses: [String] = []
        for (name, time, host) in [("match", times.match, host?.match), ("other", times.other, host?.other)] {
            if time.isSlower { misses.append("\(name) slower than C") }
            if row.row.isList, let host, time.ours.exceeds(host.ours, by: Self.listAllowance) {
                misses.append("\(name) over a host's + \(Int(Self.listAllowance)) ns")
            }
        }
        return misses
    }

    /// The times of a single host, which lists are held to.
    private var host: (match: PacketTimes, other: PacketTimes)? {
        rows.first { $0.row.reference.name == "host" }.flatMap { try? $0.times.get() }
    }

    private var summary: String {
        let all = rows.compactMap { try? $0.times.get() }.flatMap { [$0.match, $0.other] }
        let ratios = all.compactMap(\.ratio)
        // A ratio of 0 has no logarithm; a program that costs nothing measurable counts as a hundredth.
        let mean = geometricMean(ratios.map { max($0, 0.01) }).map { String(format: "%.2f", $0) } ?? "–"
        let slower = all.filter(\.isSlower).count
        let faster = all.filter { $0.reference.exceeds($0.ours) }.count
        return """
            - ours over C above the empty program, geometric mean of the \(ratios.count) that have one: \(mean)
            - of \(all.count) comparisons beyond noise faster: \(faster), slower: \(slower)
            - filters that miss an aim: \(rows.filter { !misses(of: $0).isEmpty }.count) of \(rows.count)

            """
    }
}

/// The times on sockets as a Markdown table.
struct SocketReport {
    var times: [SocketTimes]

    /// How much slower than the kernel's a program by calls may be, in nanoseconds: a call of a helper function.
    static let callsAllowance = 10.0
    /// How much faster than the kernel's a program on the kernel's buffer is to be where the filter has indexed loads.
    static let indexedAim = 2.0

    var markdown: String {
        """
        ## Sockets, ns a run of the filter

        | filter | frame | kernel | calls | kernel/calls | buffer | kernel/buffer | misses |
        |---|---|---|---|---|---|---|---|

        """ + times.map(line).joined(separator: "\n") + "\n"
    }

    private func line(_ times: SocketTimes) -> String {
        let ours = times.ours.flatMap { way, time in
            [time.text, String(format: "%.2f", times.kernel.median / time.median)]
        }
        let misses = times.ours.compactMap { miss(of: times, $0.way, $0.time) }.joined(separator: ", ")
        let cells = ["`\(times.name)`", times.isMatch ? "match" : "other", times.kernel.text] + ours
        return "| " + (cells + [misses.isEmpty ? "" : "**\(misses)**"]).joined(separator: " | ") + " |"
    }

    private func miss(of times: SocketTimes, _ way: SocketWay, _ time: TimeDistribution) -> String? {
        let allowance = way == .calls ? Self.callsAllowance : 0
        if time.exceeds(times.kernel, by: allowance) {
            return way == .calls ? "calls slower by more than \(Int(allowance)) ns" : "buffer slower"
        }
        if way == .buffer, times.isIndexed, times.kernel.median < Self.indexedAim * time.median {
            return "buffer less than twice as fast"
        }
        return nil
    }
}
