import ArgumentParser
import PacketFilter

/// `cbpf2ebpf convert`: a classic program from one form to another.
struct ConvertCommand: Subcommand, SourceCommand {
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

    @OptionGroup var source: SourceArguments

    @Option(
        name: .customLong("from-iptables"),
        help: ArgumentHelp(
            "Read the filter of a rule that iptables -S or iptables-save has printed, or tc filter show; - is standard "
                + "input.", valueName: "file"))
    var rules: String?

    @Option(
        name: .customLong("from-socket"),
        help: ArgumentHelp(
            "Take the filter of a running process's socket: the process's number and the socket's in it.",
            valueName: "pid:fd"))
    var socket: String?

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

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Write to a file; - is standard output.", valueName: "file"))
    var output: String?

    /// Expressions are about packets as a socket sees them.
    var hook: Hook { .socket }

    func validate() throws {
        try validateFilter()
        let sources = [!expression.isEmpty || expressionFile != nil || input != nil, rules != nil, socket != nil]
        if sources.count(where: { $0 }) > 1 {
            throw ValidationError(
                "The filter comes from one of expression, -F, --input, --from-iptables, --from-socket.")
        }
        if let socket { _ = try place(of: socket) }
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
        if let rules { return try form.write(ClassicForm.xtBPF.read(bytecode(in: rules, on: console)).instructions) }
        if let socket { return try filter(of: socket).written(as: form) }
        guard let (bytes, inputForm) = try program(on: console) else {
            return try filter(on: console).written(as: form)
        }
        // A savefile says more than its instructions.
        if inputForm == .savefile, form == .savefile { return try Savefile(bytes).bytes() }
        return try form.write(inputForm.read(bytes).instructions)
    }

    /// The bytecode of the one rule that has some.
    private func bytecode(in file: String, on console: Console) throws -> [UInt8] {
        let found = RuleBytecode.find(in: try console.read(file))
        let name = file == "-" ? "standard input" : file
        guard let first = found.first else {
            throw ToolError("\(name) has no rule with a filter, which is written: bytecode \"4,48 0 0 9,…\"")
        }
        guard found.count == 1 else {
            let lines = found.prefix(10).map { "\($0.line)" }.joined(separator: ", ")
            throw ToolError("\(name) has \(found.count) rules with filters, in lines \(lines); give one of them")
        }
        return first.bytes
    }

    /// The two numbers of `PID:FD`.
    private func place(of socket: String) throws -> (process: Int32, descriptor: Int32) {
        let parts = socket.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let process = Int32(parts[0]), let descriptor = Int32(parts[1]), process > 0,
            descriptor >= 0
        else {
            throw ValidationError(
                "'\(socket)' is no socket of a process: write 4711:3 for descriptor 3 of process 4711.")
        }
        return (process, descriptor)
    }

    private func filter(of socket: String) throws -> PacketFilter {
        #if os(Linux)
            let (process, descriptor) = try place(of: socket)
            guard let filter = try PacketFilter(attachedTo: descriptor, ofProcess: process) else {
                throw ToolError("descriptor \(descriptor) of process \(process) has no filter")
            }
            return filter
        #else
            throw ToolError("there are sockets with filters on Linux only")
        #endif
    }
}
