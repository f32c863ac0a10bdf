import ArgumentParser
import PacketFilter
import SystemPackage

extension CompileCommand {
    /// What can be written.
    enum Form: String, CaseIterable {
        case object
        case asm
        case raw
        case json
        case classic
        case ir
        case header
        case c

        /// Whether a terminal can show it.
        var isText: Bool { self != .object && self != .raw }
    }

    /// The byte orders by the names of the command line.
    enum Endianness: String, CaseIterable {
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

    /// What is to be written.
    var form: Form {
        get throws { try choice(formName, of: "--emit", or: kernelForm ? .asm : .object) }
    }

    /// The order of bytes of the machine that is to run the program.
    var byteOrder: ByteOrder {
        get throws { try choice(endianName, of: "--endian", or: Endianness.host).byteOrder }
    }

    func validateOutput() throws {
        if withOptimization, withoutOptimization {
            throw ValidationError("-O0 and -O1 exclude each other.")
        }
        if let programName, !PacketFilter.isProgramName(programName) {
            throw ValidationError("The program name '\(programName)' is no C identifier.")
        }
        if let license, license.isEmpty || license.utf8.contains(0) {
            throw ValidationError("The license must be a text, as \"GPL\".")
        }
        _ = try (form, byteOrder, options)
        if let view = try view, withoutOptimization, view != .bytes {
            throw ValidationError("-O0 shows the bytes as they are: leave out --vlan \(view.rawValue), or -O0.")
        }
        if kernelForm { try validateKernelForm() }
        if try form == .header && !hook.isFunction {
            throw ValidationError("Only functions have a header: --hook function:HOOK makes one.")
        }
    }

    private func validateKernelForm() throws {
        if try hook != .socket || match != nil || noMatch != nil || vlanName != nil {
            throw ValidationError(
                "The kernel's own form is for no hook: leave out --hook, --match, --no-match and --vlan.")
        }
        if try form == .object {
            throw ValidationError("No kernel loads the kernel's own form from an object: use --emit asm or raw.")
        }
        if try form == .raw && byteOrder != .host {
            throw ValidationError("The bytes of the kernel's own form are this machine's: use --endian host.")
        }
    }

    /// Refuses to fill a terminal with what it cannot show.
    func checkTerminal(_ console: Console) throws {
        let form = try form
        guard !form.isText, output == nil || output == "-", console.outputIsTerminal else { return }
        throw ValidationError(
            "Standard output is a terminal, which cannot show \(form == .object ? "an object" : "raw bytes"): "
                + "name a file with -o, or use --emit asm.")
    }

    /// What the arguments ask to write of `filter`.
    func bytes(of filter: PacketFilter, on console: Console) throws -> [UInt8] {
        switch try form {
        case .classic: Array(filter.listing.utf8)
        case .ir: Array(try graph(of: filter, on: console).utf8)
        case .c:
            Array(
                try filter.source(
                    for: target(), named: programName ?? "filter", license: license ?? PacketFilter.defaultLicense
                ).utf8)
        case let form where kernelForm: try bytes(ofKernelForm: filter.kernelForm(), as: form)
        case let form: try bytes(of: program(of: filter, on: console), as: form)
        }
    }

    /// The program that the arguments ask for.
    func program(on console: Console) throws -> CompiledProgram {
        try program(of: filter(on: console), on: console)
    }

    private func program(of filter: PacketFilter, on console: Console) throws -> CompiledProgram {
        try explainProgram(of: filter, on: console)
        return try filter.compile(for: target(), named: programName ?? "filter", options: options)
    }

    private func bytes(of program: CompiledProgram, as form: Form) throws -> [UInt8] {
        switch form {
        case .object:
            try program.object(license: license ?? PacketFilter.defaultLicense, byteOrder: byteOrder).bytes
        case .raw: try program.bytes(byteOrder)
        case .json: Array(try program.json().utf8)
        case .header: Array((try program.header() ?? "").utf8)
        default: Array(program.listing.utf8)
        }
    }

    private func bytes(ofKernelForm program: KernelForm, as form: Form) throws -> [UInt8] {
        switch form {
        case .raw: try program.bytesOnThisKernel()
        case .json: Array(try program.json().utf8)
        default: Array(program.listing.utf8)
        }
    }

    /// Writes `bytes` where the arguments say.
    func write(_ bytes: [UInt8], on console: Console) throws { try console.write(bytes, to: output) }
}
