import ArgumentParser
import PacketFilter

/// `cbpf2ebpf asm`: what bpf_asm does.
struct AssembleCommand: ParsableCommand {
    /// The first word that asks for it.
    static let name = "asm"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Assemble a classic program in the language of the kernel's bpf_asm.",
        discussion: """
            Without options, the line goes to standard output that iptables' bpf match and tc take. It is not checked
            that a kernel takes the program; 'cbpf2ebpf \(CheckCommand.name)' does.
            """)

    @Argument(help: "The file to read; - is standard input. (default: -)")
    var input: String?

    @Flag(name: .customShort("c"), help: "Write initialisers for an array in C, as --to c-array.")
    var isForC = false

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("The form to write: \(ClassicForm.nameList). (default: xt-bpf)", valueName: "form"))
    var formName: String?

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Write to a file; - is standard output.", valueName: "file"))
    var output: String?

    func validate() throws {
        if isForC, formName != nil { throw ValidationError("-c and --to exclude each other.") }
        _ = try form
    }

    private var form: ClassicForm {
        get throws {
            guard let formName else { return isForC ? .cArray : .xtBPF }
            guard let form = ClassicForm(rawValue: formName) else {
                throw ValidationError("'\(formName)' is no value of --to, which takes \(ClassicForm.nameList).")
            }
            return form
        }
    }

    /// Does the work.
    func run(on console: Console) throws {
        let form = try form
        let bytes = try refusing { try form.write(ClassicForm.bpfAsm.read(console.read(input ?? "-")).instructions) }
        try console.write(bytes, in: form, to: output)
    }
}
