import ArgumentParser
import PacketFilter

/// `cbpf2ebpf convert`: a classic program from one form to another.
struct ConvertCommand: Subcommand, FilterArguments {
    /// The first word that asks for it.
    static let name = "convert"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Write a classic program in another form.",
        usage: "cbpf2ebpf \(name) --to <form> [<options>] [<expression> ...]",
        discussion: """
            The program is what libpcap makes of the expression or, with --input, one that is there. It is written as it
            is, whether a kernel takes it or not; 'cbpf2ebpf \(CheckCommand.name)' tells that.
            """)

    @Option(
        name: .customLong("to"),
        help: ArgumentHelp("The form to write: \(ClassicForm.nameList).", valueName: "form"))
    var formName: String

    @Argument(help: "A tcpdump filter expression; several words are joined. None matches every packet.")
    var expression: [String] = []

    @Option(
        name: .customShort("F", allowingJoined: true),
        help: ArgumentHelp(
            "Read the expression from a file, # begins a comment; - is standard input.", valueName: "file"))
    var expressionFile: String?

    @Option(
        help: ArgumentHelp(
            "Read a classic program instead of an expression, in any form; - is standard input.", valueName: "file"))
    var input: String?

    @Option(
        name: .customLong("input-form"),
        help: ArgumentHelp("The form it is in, by the names of --to. (default: guessed)", valueName: "form"))
    var inputFormName: String?

    @Option(
        name: [.customShort("y", allowingJoined: true), .long],
        help: ArgumentHelp(
            "What the packets begin with, by libpcap's name or number of the link type. (default: EN10MB)",
            valueName: "name"))
    var linkType: String?

    @Option(
        name: [.customShort("s", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp(
            "How many bytes of a packet a match keeps; 0 stands for the default. (default: 262144)", valueName: "bytes")
    )
    var snapshotLength: String?

    @Option(help: ArgumentHelp("The IPv4 netmask, for 'ip broadcast'.", valueName: "a.b.c.d"))
    var netmask: String?

    @Flag(name: .customLong("no-pcap-optimizer"), help: "Take libpcap's code as it generates it.")
    var withoutPcapOptimizer = false

    @Flag(
        name: [.customShort("v"), .customLong("verbose")], help: "Say on standard error which form --input is read as.")
    var isVerbose = false

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Write to a file; - is standard output.", valueName: "file"))
    var output: String?

    /// Expressions are about packets as a socket sees them.
    var hook: Hook { .socket }

    func validate() throws {
        try validateFilter()
        _ = try form
    }

    private var form: ClassicForm {
        get throws { try choice(formName, of: "--to")! }
    }

    /// Does the work.
    func run(on console: Console) throws {
        let form = try form
        try console.write(refusing { try bytes(as: form, on: console) }, in: form, to: output)
    }

    private func bytes(as form: ClassicForm, on console: Console) throws -> [UInt8] {
        guard let (bytes, inputForm) = try program(on: console) else {
            return try filter(on: console).written(as: form)
        }
        // A savefile says more than its instructions.
        if inputForm == .savefile, form == .savefile { return try Savefile(bytes).bytes() }
        return try form.write(inputForm.read(bytes).instructions)
    }
}
