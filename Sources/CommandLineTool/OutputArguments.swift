import ArgumentParser
import PacketFilter

extension CompileCommand {
    /// What can be written.
    enum Form: String, ExpressibleByArgument, CaseIterable {
        case object
        case asm
        case raw
        case json
        case classic
        case ir

        /// Whether a terminal can show it.
        var isText: Bool { self != .object && self != .raw }
    }

    /// The byte orders by the names of the command line.
    enum Endianness: String, ExpressibleByArgument, CaseIterable {
        case little
        case big
        case host

        var byteOrder: ByteOrder {
            switch self {
            case .little: .little
            case .big: .big
            case .host: .host
            }
        }
    }

    /// Whether an eBPF program for a hook is what is written.
    var isProgramWritten: Bool { !kernelForm && form != .classic && form != .ir }

    private var form: Form { emit ?? (kernelForm ? .asm : .object) }

    func validateOutput() throws {
        guard PacketFilter.isProgramName(programName) else {
            throw ValidationError("The program name '\(programName)' is no C identifier.")
        }
        guard !license.isEmpty, !license.utf8.contains(0) else {
            throw ValidationError("The license must be a text, as \"GPL\".")
        }
        if passes != nil || explainPasses, form != .ir {
            throw ValidationError("--passes and --explain-passes need --emit ir beside them.")
        }
        if let unknown = passNames.first(where: { !PacketFilter.optimizerPasses.contains($0) }) {
            let names = PacketFilter.optimizerPasses.joined(separator: ", ")
            throw ValidationError("There is no pass '\(unknown)', the passes are \(names).")
        }
        guard kernelForm else { return }
        if hook != .socket || match != nil || noMatch != nil {
            throw ValidationError("The kernel's own form is for no hook: leave out --hook, --match and --no-match.")
        }
        if form == .object {
            throw ValidationError("No kernel loads the kernel's own form from an object: use --emit asm or raw.")
        }
        if form == .raw, endian.byteOrder != .host {
            throw ValidationError("The bytes of the kernel's own form are this machine's: use --endian host.")
        }
    }

    /// The passes that are to run on the graph of `--emit ir`.
    private var passNames: [String] {
        passes?.split(separator: ",").map(String.init) ?? PacketFilter.optimizerPasses
    }

    /// Refuses to fill a terminal with what it cannot show.
    func checkTerminal(_ console: Console) throws {
        guard !form.isText, output == nil || output == "-", console.outputIsTerminal else { return }
        throw ValidationError(
            "Standard output is a terminal, which cannot show \(form == .object ? "an object" : "raw bytes"): "
                + "name a file with -o, or use --emit asm.")
    }

    /// What the arguments ask to write of `filter`.
    func bytes(of filter: PacketFilter, on console: Console) throws -> [UInt8] {
        if form == .classic { return Array(filter.listing.utf8) }
        if form == .ir { return Array(graph(of: filter, on: console).utf8) }
        if kernelForm { return try bytes(ofKernelForm: filter.kernelForm()) }
        let program = try filter.compile(for: target(), named: programName)
        return switch form {
        case .object: try program.object(license: license, byteOrder: endian.byteOrder).bytes
        case .raw: program.bytes(endian.byteOrder)
        case .json: Array(try program.json().utf8)
        case .asm, .classic, .ir: Array(program.listing.utf8)
        }
    }

    private func graph(of filter: PacketFilter, on console: Console) -> String {
        let graph = filter.optimizerGraph(passes: passNames)
        if explainPasses { console.report(graph.notes.map { "cbpf2ebpf: \($0)\n" }.joined()) }
        return graph.text
    }

    private func bytes(ofKernelForm program: KernelForm) throws -> [UInt8] {
        switch form {
        case .raw: try program.bytesOnThisKernel()
        case .json: Array(try program.json().utf8)
        default: Array(program.listing.utf8)
        }
    }

    /// Writes `bytes` where the arguments say.
    func write(_ bytes: [UInt8], on console: Console) throws {
        if let output, output != "-" { return try writeFile(bytes, to: output) }
        try console.write(bytes)
    }
}
