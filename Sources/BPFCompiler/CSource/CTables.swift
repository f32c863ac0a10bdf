// The tables of sets as C has them.

extension CFunction {
    /// The declarations of all tables, the distances of a set in front of its numbers.
    var tables: String {
        graph.tables.enumerated().map { table, hash in
            let name = Self.tableName(table)
            var text = ""
            if case .table(let distances, _) = hash.way {
                text += Self.declaration(of: "u8 \(name)_distances", distances.map { "\($0)" })
            }
            return text
                + Self.declaration(
                    of: "\(hash.elementSize == 2 ? "u16" : "u32") \(name)",
                    hash.slots.map { "0x" + String($0, radix: 16) })
        }.joined()
    }

    static func tableName(_ table: Int) -> String { "\(CSource.functionName)_\(SearchTables.name(of: table))" }

    private static func declaration(of variable: String, _ elements: [String]) -> String {
        let lines = stride(from: 0, to: elements.count, by: 8).map { start in
            "    " + elements[start..<min(start + 8, elements.count)].joined(separator: ", ") + ",\n"
        }
        return "static const \(variable)[\(elements.count)] = {\n\(lines.joined())};\n\n"
    }
}
