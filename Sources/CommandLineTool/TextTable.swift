/// Columns for people to read.
enum TextTable {
    /// The rows as lines, each column as wide as its widest cell and two spaces between them.
    ///
    /// - Parameter leading: How many columns, from the first, begin at their left edge; the others end at the right one.
    static func text(_ rows: [[String]], leading: Int) -> String {
        guard let first = rows.first else { return "" }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max()! }
        return rows.map { row in
            let cells = zip(row, widths).enumerated().map { index, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return index < leading ? cell.0 + padding : padding + cell.0
            }
            return cells.joined(separator: "  ") + "\n"
        }.joined()
    }
}
