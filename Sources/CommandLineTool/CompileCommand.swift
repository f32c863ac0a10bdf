import ArgumentParser
import PacketFilter

/// The tool's main command: a filter in, an eBPF program out.
struct CompileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf",
        abstract: "Turn a tcpdump expression, or classic BPF bytecode, into an eBPF program.",
        usage: "cbpf2ebpf [<options>] [<expression> ...]",
        discussion: """
            Without options, a loadable object for a socket filter goes to standard output:

              cbpf2ebpf 'icmp or udp' > prog.o

            Exit codes: 0 done, 1 the input was refused, 64 wrong usage, 70 a defect of this tool.
            """,
        version: "cbpf2ebpf \(PacketFilter.version) (\(PacketFilter.libpcapVersion))")

    @OptionGroup(title: "Filter options")
    var filterOptions: FilterOptions

    @OptionGroup(title: "Target options")
    var targetOptions: TargetOptions

    @OptionGroup(title: "Output options")
    var outputOptions: OutputOptions

    @Flag(help: "How much work goes into the program; -O0 mirrors the kernel's own converter.")
    var optimization: Optimization = .none

    @Flag(help: "Show what the kernel itself makes of the filter: for reading (asm) or as exact bytes (raw).")
    var kernelForm = false

    /// The levels of optimisation.
    enum Optimization: EnumerableFlag {
        case none
        case full
        case fullByLetter

        static func name(for value: Optimization) -> NameSpecification {
            switch value {
            case .none: .customLong("O0", withSingleDash: true)
            case .full: .customLong("O1", withSingleDash: true)
            case .fullByLetter: .customShort("O")
            }
        }

        static func help(for value: Optimization) -> ArgumentHelp? {
            switch value {
            case .none: "Translate instruction by instruction, as the kernel does."
            case .full, .fullByLetter: "Optimise. (not available yet, gives -O0)"
            }
        }
    }

    func validate() throws {
        guard kernelForm else { return }
        if emitted == .object {
            throw ValidationError("No kernel loads the kernel's own form from an object: use --emit asm or raw.")
        }
        if emitted == .raw, outputOptions.endian.byteOrder != .host {
            throw ValidationError("The bytes of the kernel's own form are this machine's: use --endian host.")
        }
    }

    private var emitted: OutputOptions.Form { outputOptions.emit ?? (kernelForm ? .asm : .object) }

    /// Does the work.
    func run(on console: Console) throws {
        try outputOptions.checkTerminal(emitted, on: console)
        if optimization != .none {
            console.report("cbpf2ebpf: the optimiser is not available yet, compiling with -O0\n")
        }
        let filter: PacketFilter = try refusing { try filterOptions.filter(on: console) }
        let bytes: [UInt8] = try refusing { try self.bytes(of: filter) }
        try outputOptions.write(bytes, emitted, on: console)
    }

    private func bytes(of filter: PacketFilter) throws -> [UInt8] {
        if emitted == .classic { return Array(filter.listing.utf8) }
        if kernelForm { return try bytes(ofKernelForm: filter.kernelForm()) }
        let program = try filter.compile(for: targetOptions.target(), named: outputOptions.programName)
        return switch emitted {
        case .object:
            try program.object(license: outputOptions.license, byteOrder: outputOptions.endian.byteOrder).bytes
        case .raw: program.bytes(outputOptions.endian.byteOrder)
        case .json: Array(try program.json().utf8)
        case .asm, .classic: Array(program.listing.utf8)
        }
    }

    private func bytes(ofKernelForm form: KernelForm) throws -> [UInt8] {
        switch emitted {
        case .raw: try form.bytesOnThisKernel()
        case .json: Array(try form.json().utf8)
        default: Array(form.listing.utf8)
        }
    }

    /// Errors of the library become the tool's: the input was refused.
    private func refusing<Result>(_ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch let error as ArgumentParser.ValidationError {
            throw error
        } catch let error as Defect {
            throw error
        } catch {
            throw ToolError("\(error)")
        }
    }
}
