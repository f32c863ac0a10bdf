import ArgumentParser
import PacketFilter
import SystemPackage

/// `cbpf2ebpf load`: a program into the running kernel.
struct LoadCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "load"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Load a program into the running kernel.",
        usage: "cbpf2ebpf \(name) [<options>] [<expression> ... | <object>]",
        discussion: """
            The program is what the same words without 'load' make, for the running kernel unless --kernel says
            otherwise; or that of an object. It is gone when the command ends unless --pin gives it a name. Where the
            kernel refuses it, and always with --verbose, the verifier's log goes to standard error.
            """)

    @Option(
        name: .customLong("pin"),
        help: ArgumentHelp("Keep the program under a name in a BPF file system.", valueName: "path"))
    var pinPath: String?

    @Flag(help: "Write an object of JSON instead of lines.")
    var json = false

    @OptionGroup var compile: CompileCommand

    func validate() throws { try compile.validateForKernel(in: Self.name) }

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            try runRefusing {
                let program = try object(on: console) ?? compile.programForKernel(on: console)
                let loaded: LoadedProgram
                do {
                    loaded = try program.load(log: compile.isVerbose ? [.states, .statistics] : [])
                } catch let error as KernelError {
                    throw program.explaining(error, on: console)
                }
                if compile.isVerbose { console.report(loaded.log) }
                if let pinPath { try loaded.pin(at: FilePath(pinPath)) }
                let report = try LoadReport(loaded.information(), program.hook, pinPath)
                try console.write(Array((json ? report.json : report.text).utf8))
            }
        #else
            throw ToolError("programs are loaded on Linux only")
        #endif
    }

    #if os(Linux)
        /// The program of the object that is the only word; nil if that is no object's name.
        private func object(on console: Console) throws -> LoadableProgram? {
            guard let path = compile.expression.first, compile.expression.count == 1,
                let bytes = try? console.read(path), ProgramObject.isObject(bytes)
            else { return nil }
            let programs = try LoadableProgram.programs(of: bytes, on: compile.hookName == nil ? nil : compile.hook)
            if programs.count == 1, compile.programName == nil { return programs[0] }
            guard let chosen = programs.first(where: { $0.name == compile.programName }) else {
                let names = programs.map(\.name).joined(separator: ", ")
                throw ToolError(
                    "\(path) has the programs \(names), choose one with --program-name")
            }
            return chosen
        }
    #endif
}

/// What there is to tell of a loaded program.
#if os(Linux)
    private struct LoadReport {
        private let values: [(name: String, key: String, value: String, unit: String, isNumber: Bool)]

        init(_ program: ProgramInformation, _ hook: Hook, _ pin: String?) {
            let tag = program.tag.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
            values =
                [
                    ("id", "id", "\(program.identifier)", "", true), ("tag", "tag", tag, "", false),
                    ("name", "name", program.name, "", false), ("hook", "hook", hook.description, "", false),
                    ("xlated", "bytes_xlated", "\(program.translatedSize)", " bytes", true),
                    ("jited", "bytes_jited", "\(program.jitedSize)", " bytes", true),
                    ("verified", "verified_insns", "\(program.verifiedInstructions)", " instructions", true),
                ] + (pin.map { [("pinned", "pinned", $0, "", false)] } ?? [])
        }

        /// A line for each.
        var text: String {
            values.map { value in
                value.name + String(repeating: " ", count: 10 - value.name.count) + value.value + value.unit + "\n"
            }.joined()
        }

        /// An object on a line, with bpftool's names.
        var json: String {
            "{" + values.map { "\"\($0.key)\":" + ($0.isNumber ? $0.value : quoted($0.value)) }.joined(separator: ",")
                + "}\n"
        }
    }
#endif

/// `text` as JSON writes it.
func quoted(_ text: String) -> String {
    "\""
        + text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": return "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: return String(scalar)
            }
        }.joined() + "\""
}
