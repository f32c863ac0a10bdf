import ArgumentParser
import PacketFilter

/// What `cbpf2ebpf asm` makes of eBPF text.
struct AssembleOptions: ParsableArguments {
    /// What can be written.
    enum Form: String, CaseIterable {
        case object
        case raw
        case asm
        case llvm

        static var nameList: String { allCases.map(\.rawValue).joined(separator: ", ") }
    }

    @Option(
        help: ArgumentHelp(
            "The section of the object, by which loaders know what the program is for. (default: the hook's)",
            valueName: "name"))
    var section: String?

    @Option(
        name: .customLong("hook"),
        help: ArgumentHelp("The kernel's hook the program is for. (default: socket)", valueName: "hook"))
    var hookName: String?

    @Option(help: ArgumentHelp("The program's name. (default: its first label, or filter)", valueName: "name"))
    var programName: String?

    @Option(
        help: ArgumentHelp(
            "The license the object states. (default: \(PacketFilter.defaultLicense))", valueName: "text"))
    var license: String?

    @Option(
        name: .customLong("endian"),
        help: ArgumentHelp("The order of bytes: little, big or host. (default: host)", valueName: "order"))
    var endianName: String?

    func validate() throws {
        if section != nil, hookName != nil { throw ValidationError("--section and --hook exclude each other.") }
        if let programName, !PacketFilter.isProgramName(programName) {
            throw ValidationError("The program name '\(programName)' is no C identifier.")
        }
        _ = try (byteOrder, objectSection)
    }

    /// Whether any option is there.
    var isGiven: Bool { [section, hookName, programName, license, endianName].contains { $0 != nil } }

    private var byteOrder: ByteOrder {
        get throws {
            guard let endianName else { return .host }
            guard let order = CompileCommand.Endianness(rawValue: endianName) else {
                throw ValidationError("'\(endianName)' is no value of --endian, which takes little, big, host.")
            }
            return order.byteOrder
        }
    }

    private var objectSection: String {
        get throws {
            if let section { return section }
            guard let hookName else { return Hook.socket.section }
            do {
                let hook = try Hook(named: hookName)
                guard !hook.isFunction else { throw ValidationError("eBPF text makes programs, no functions.") }
                return hook.section
            } catch let error as ValidationError {
                throw error
            } catch {
                throw ValidationError("--hook: \(error).")
            }
        }
    }

    /// Assembles `text` and writes it as `formName` says, an object where that is nil.
    func write(
        _ text: [UInt8], named input: String?, as formName: String?, to output: String?, on console: Console
    ) throws {
        guard let form = Form(rawValue: formName ?? Form.object.rawValue) else {
            throw ValidationError("eBPF programs are written as \(Form.nameList), not as \(formName ?? "").")
        }
        if form == .object || form == .raw, output == nil || output == "-", console.outputIsTerminal {
            throw ValidationError(
                "Standard output is a terminal, which cannot show \(form.rawValue): use -o, or --to asm.")
        }
        let fileName = input.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        let bytes = try refusing { () throws -> [UInt8] in
            let program = try AssembledProgram(text, named: programName)
            return switch form {
            case .object:
                try program.object(
                    section: objectSection, license: license ?? PacketFilter.defaultLicense, byteOrder: byteOrder,
                    fileName: fileName == "-" ? "filter.ebpf" : fileName ?? "filter.ebpf"
                ).bytes
            case .raw: program.bytes(try byteOrder)
            case .asm: Array(program.listing().utf8)
            case .llvm: Array(program.listing(.llvm).utf8)
            }
        }
        try console.write(bytes, to: output)
    }
}
