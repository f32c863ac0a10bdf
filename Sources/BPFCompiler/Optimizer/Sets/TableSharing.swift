import ExtendedBPF

extension ExtendedBPF.Program {
    /// The program with one table of those that are the same.
    var withoutRepeatedTables: ExtendedBPF.Program {
        var first: [Content: String] = [:]
        var names: [String: String] = [:]
        var copy = self
        copy.data.removeAll { table in
            let content = Content(elementSize: table.elementSize, elements: table.elements)
            if let known = first[content] {
                names[table.name] = known
                return true
            }
            first[content] = table.name
            return false
        }
        if names.isEmpty { return self }
        for index in copy.functions.indices {
            copy.functions[index].references = functions[index].references.mapValues { reference in
                if case .data(let name, let offset) = reference {
                    .data(names[name] ?? name, offset: offset)
                } else {
                    reference
                }
            }
        }
        return copy
    }
}

/// What makes two tables the same.
private struct Content: Hashable {
    var elementSize: Size
    var elements: [UInt64]
}
