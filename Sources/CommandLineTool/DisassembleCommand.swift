import ArgumentParser
import PacketFilter

/// `cbpf2ebpf disasm`: the programs of an object as text.
struct DisassembleCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "disasm"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Show the eBPF programs of an object as text.",
        discussion: """
            The object may be by any compiler. Instructions refer to maps, tables, kernel functions and members of kernel
            structures by name; source lines and what else a loader looks up are comments. 'cbpf2ebpf asm' reads the text.
            """)

    @Argument(help: "The object; - is standard input.")
    var input: String

    @Option(
        name: .customLong("syntax"),
        help: ArgumentHelp(
            "The spelling: kernel, as the verifier and bpftool print it, or llvm, as LLVM's assembler reads it. "
                + "(default: kernel)", valueName: "name"))
    var syntaxName: String?

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Write to a file; - is standard output.", valueName: "file"))
    var output: String?

    func validate() throws { _ = try syntax }

    private var syntax: ListingSyntax {
        get throws {
            guard let syntaxName else { return .kernel }
            guard let syntax = ListingSyntax(rawValue: syntaxName) else {
                throw ValidationError("'\(syntaxName)' is no value of --syntax, which takes kernel, llvm.")
            }
            return syntax
        }
    }

    /// Does the work.
    func run(on console: Console) throws {
        let syntax = try syntax
        let bytes = try refusing { try Array(ProgramObject.listing(of: console.read(input), syntax: syntax).utf8) }
        try console.write(bytes, to: output)
    }
}
