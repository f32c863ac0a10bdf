import PacketFilter

/// Tells of the counts of clauses.
enum ClauseTable {
    /// A line for each clause, with the rate since `before` of the packets that are left there.
    static func text(
        _ counts: Counts, of filters: ClauseFilters, since before: Counts, in time: Duration
    ) -> String {
        let seconds = max(time / .seconds(1), 1e-9)
        let clauses = filters.clauses(of: counts)
        var rows = [["clause", "alone", "so far", "so far/s"]]
        for (now, then) in zip(clauses, filters.clauses(of: before)) {
            let rate = Double(now.soFar.packets - then.soFar.packets) / seconds
            rows.append([
                name(of: now.clause), "\(now.alone.packets)", "\(now.soFar.packets)", "\(UInt64(rate.rounded()))",
            ])
        }
        let isShifted = clauses.contains { $0.clause.shift != nil }
        return TextTable.text(rows, leading: 1) + (isShifted ? shiftNote : "")
    }

    private static let shiftNote = "* where all before it holds, as far as a word that shifts what is to its right\n"

    private static func name(of clause: ExpressionClause) -> String {
        let indentation = String(repeating: "  ", count: clause.depth)
        return indentation + joined(clause).printable + (clause.shift == nil ? "" : " *")
    }

    private static func joined(_ clause: ExpressionClause) -> String {
        (clause.joint.map { "\($0.rawValue) " } ?? "") + clause.text
    }

    /// What is left behind each clause, but for those inside of parentheses.
    static func line(_ counts: Counts, of filters: ClauseFilters) -> String {
        filters.clauses(of: counts).filter { $0.clause.depth == 0 }
            .map { "\(joined($0.clause).printable) \($0.soFar.packets) packets" }.joined(separator: ", ")
    }

    /// The expression as a filter, and its clauses.
    static func json(_ counts: Counts, of filters: ClauseFilters) -> String {
        let clauses = filters.clauses(of: counts)
        let all = clauses.last { $0.clause.depth == 0 }!.soFar
        let texts = clauses.map { count in
            let joint = count.clause.joint.map { "\"\($0.rawValue)\"" } ?? "null"
            return #"{"clause": \#(count.clause.text.jsonText), "joint": \#(joint), "depth": \#(count.clause.depth), "#
                + #""alone": \#(numbers(count.alone)), "so_far": \#(numbers(count.soFar))}"#
        }
        let name = (filters.whole.expression ?? "").jsonText
        return #"{"time": \#(counts.time), "filters": [{"name": \#(name), "packets": \#(all.packets), "#
            + #""bytes": \#(all.bytes), "clauses": [\#(texts.joined(separator: ", "))]}]}"# + "\n"
    }

    private static func numbers(_ count: FilterCount) -> String {
        #"{"packets": \#(count.packets), "bytes": \#(count.bytes)}"#
    }
}
