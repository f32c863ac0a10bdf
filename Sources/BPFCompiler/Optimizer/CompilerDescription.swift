import ClassicBPF

// What people ask of the compiler: what it did.

extension Compiler {
    /// The graphs of `filter` that instructions for `target` are chosen for, as text, and what each pass did, a line
    /// each, in order.
    ///
    /// There are two graphs, for what comes before second rounds of loops and for a round, where a helper function runs
    /// them, and again two of each where a program first reads packets in a way that may not reach all of them, and for those
    /// begins anew in another.
    public static func describe(
        _ filter: ClassicBPF.Program, for target: Target, options: CompilerOptions = CompilerOptions()
    ) -> (text: String, notes: [String]) {
        var compilation = Compilation(filter: filter, target: target, options: options)
        var lowered = compilation.lowered()
        if lowered.main.first.graph.needsFunction {
            compilation = Compilation(
                filter: filter, target: Target(hook: target.hook, result: .number), options: options)
            lowered = compilation.lowered()
        }
        let main = describe(lowered.main)
        guard let round = lowered.round.map(describe) else { return main }
        return (
            main.text + "; a round of loop(…)\n" + round.text, main.notes + round.notes.map { "round: \($0)" }
        )
    }

    private static func describe(_ ways: Compilation.Lowered.Ways) -> (text: String, notes: [String]) {
        let first = ways.first
        let tables = ways.tables.text
        guard let rest = ways.rest else { return (tables + GraphPrinter.text(first.graph), first.notes) }
        return (
            tables + "; packets through \(first.access)\n" + GraphPrinter.text(first.graph)
                + "; where they do not reach, packets through \(rest.access)\n" + GraphPrinter.text(rest.graph),
            first.notes + rest.notes.map { "\(rest.access): \($0)" }
        )
    }
}

extension SearchTables {
    /// A comment on each table.
    fileprivate var text: String {
        hashes.enumerated().map { number, hash in
            "; \(Self.name(of: number)): \(Set(hash.slots).count) numbers in \(hash.slots.count) places"
                + (hash.numberOffset == 0 ? "\n" : ", by \(hash.numberOffset) distances\n")
        }.joined()
    }
}

extension Graph {
    /// Whether what the graph computes must be a function of its own: a classic load that finds nothing ends its
    /// function with 0, whatever the filter is to return then.
    var needsFunction: Bool { hasEndingLoads && failure != 0 }
}

extension PacketAccess: CustomStringConvertible {
    /// The way in a few words.
    var description: String {
        switch self {
        case .pointers: "pointers"
        case .copies: "copies"
        case .instructions: "instructions"
        case .kernelBuffer: "the kernel's buffer"
        case .probes: "probes"
        case .prefix(let count): "a copy of the first \(count) bytes"
        }
    }
}
