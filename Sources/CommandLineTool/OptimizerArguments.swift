import ArgumentParser
import PacketFilter

extension CompileCommand {
    func validatePasses() throws {
        let isOptimised = try ![.classic, .c].contains(form) && !kernelForm && (!withoutOptimization || form == .ir)
        if passes != nil || explainPasses, !isOptimised {
            throw ValidationError("--passes and --explain-passes are for what the optimiser makes, this it does not.")
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
                byteOrder: try byteOrder, passes: passNames, kernel: try kernel,
                socketBufferArgument: try socketBufferArgument,
                architecture: try choice(archName, of: "--arch", or: .host), allowsTables: try form != .raw)
        }
    }

    private var kernel: KernelVersion? {
        get throws {
            guard let kernelName else { return nil }
            if let version = KernelVersion(kernelName) { return version }
            guard kernelName == "native" else {
                throw ValidationError(
                    "'\(kernelName)' is no version of Linux for --kernel, which takes 6.17 or native.")
            }
            guard let running = KernelVersion.running else {
                throw ValidationError("--kernel native asks for a running Linux kernel, and there is none.")
            }
            return running
        }
    }

    /// Counted from 0.
    private var socketBufferArgument: Int? {
        get throws {
            guard let skbArgument else { return nil }
            guard let number = Int(skbArgument), (1...12).contains(number) else {
                throw ValidationError("'\(skbArgument)' is no number of 1 to 12 for --skb-argument.")
            }
            return number - 1
        }
    }

    private var passNames: [String] {
        passes?.split(separator: ",").map(String.init) ?? PacketFilter.optimizerPasses
    }

    /// The optimiser's graph of `filter` as text, for the hook if one is given; what the passes did is reported if that
    /// is asked for.
    func graph(of filter: PacketFilter, on console: Console) throws -> String {
        let graph =
            hookName == nil
            ? filter.optimizerGraph(passes: passNames) : try filter.optimizerGraph(for: target(), options: options)
        explain(graph.notes, on: console)
        return graph.text
    }

    /// Reports what the passes did on the way to the program of `filter` if that is asked for.
    func explainProgram(of filter: PacketFilter, on console: Console) throws {
        guard explainPasses else { return }
        explain(try filter.optimizerGraph(for: target(), options: options).notes, on: console)
    }

    private func explain(_ notes: [String], on console: Console) {
        if explainPasses { console.report(notes.map { "cbpf2ebpf: \($0)\n" }.joined()) }
    }
}
