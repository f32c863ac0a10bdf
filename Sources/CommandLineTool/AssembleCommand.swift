import ArgumentParser
import PacketFilter

/// `cbpf2ebpf asm`: what bpf_asm does.
struct AssembleCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "asm"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Assemble a classic program in the language of the kernel's bpf_asm, or an eBPF program.",
        discussion: """
            Without options, of a classic program the line goes to standard output that iptables' bpf match and tc take.
            It is not checked that a kernel takes the program; 'cbpf2ebpf \(CheckCommand.name)' does.
            An eBPF program in the pseudo-C of the kernel, bpftool and LLVM becomes a loadable object.
            """)

    @Argument(help: "The file to read; - is standard input. (default: -)")
    var input: String?

    @Flag(name: .customShort("c"), help: "Write initialisers for an array in C, as --to c-array.")
    var isForC = false

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp(
            "The form to write: \(ClassicForm.nameList), of eBPF \(AssembleOptions.Form.nameList). (default: xt-bpf, of "
                + "eBPF object)", valueName: "form"))
    var formName: String?

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Write to a file; - is standard output.", valueName: "file"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "What the text is: bpf-asm or ebpf-asm. (default: by how it begins)", valueName: "form"))
    var inputForm: String?

    @OptionGroup(title: "eBPF programs") var extended: AssembleOptions

    func validate() throws {
        if let inputForm, !["bpf-asm", "ebpf-asm"].contains(inputForm) {
            throw ValidationError("'\(inputForm)' is no value of --input-form, which takes bpf-asm, ebpf-asm.")
        }
        if inputForm == "ebpf-asm", isForC { throw ValidationError("-c is for classic programs.") }
        if isForC, formName != nil { throw ValidationError("-c and --to exclude each other.") }
        _ = try form
    }

    private var form: ClassicForm {
        get throws {
            // What eBPF programs can be written as is no classic form; which they are the text says.
            if inputForm != "bpf-asm", formName.map({ AssembleOptions.Form(rawValue: $0) != nil }) ?? false {
                return .xtBPF
            }
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
        let text = try console.read(input ?? "-")
        if inputForm == "ebpf-asm" || inputForm == nil && AssembledProgram.isText(text) {
            return try extended.write(text, named: input, as: formName, to: output, on: console)
        }
        if let formName, ClassicForm(rawValue: formName) == nil {
            throw ValidationError("Classic programs are written as \(ClassicForm.nameList), not as \(formName).")
        }
        if extended.isGiven { throw ValidationError("The text is a classic program, which no option of eBPF is for.") }
        let bytes = try refusing { try form.write(ClassicForm.bpfAsm.read(text).instructions) }
        try console.write(bytes, in: form, to: output)
    }
}
