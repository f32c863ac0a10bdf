import ArgumentParser
import PacketFilter

extension CompileCommand {
    func validatePasses() throws {
        if passes != nil || explainPasses, try form != .ir {
            throw ValidationError("--passes and --explain-passes need --emit ir beside them.")
        }
        if let unknown = passNames.first(where: { !PacketFilter.optimizerPasses.contains($0) }) {
            let names = PacketFilter.optimizerPasses.joined(separator: ", ")
            throw ValidationError("There is no pass '\(unknown)', the passes are \(names).")
        }
    }

    /// How the program is to be made.
    var options: CompilerOptions {
        get throws {
            CompilerOptions(
                level: withoutOptimization ? .mirror : .optimized, isa: try choice(cpuName, of: "--cpu", or: .v3),
                byteOrder: try byteOrder, passes: passNames)
        }
    }

    private var passNames: [String] {
        passes?.split(separator: ",").map(String.init) ?? PacketFilter.optimizerPasses
    }

    /// The optimiser's graph of `filter` as text; what the passes did is reported if that is asked for.
    func graph(of filter: PacketFilter, on console: Console) -> String {
        let graph = filter.optimizerGraph(passes: passNames)
        if explainPasses { console.report(graph.notes.map { "cbpf2ebpf: \($0)\n" }.joined()) }
        return graph.text
    }
}
