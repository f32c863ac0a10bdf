import ArgumentParser
import PacketFilter

/// The tool's main command: a filter in, an eBPF program out.
///
/// The tool is to start in less than twice tcpdump's time, and most of that is the argument parser's. So options stand
/// here and not in groups, and are of few types: each group and each further type costs a twentieth. What is done with
/// them is in the extensions beside this file.
struct CompileCommand: ConsoleCommand, FilterArguments {
    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf",
        abstract: "Turn a tcpdump expression, or classic BPF bytecode, into an eBPF program.",
        usage: "cbpf2ebpf [<options>] [<expression> ...]",
        discussion: """
            Without options, a loadable object for a socket filter goes to standard output:

              cbpf2ebpf 'icmp or udp' > prog.o

            Other commands, by the first word, each with --help:

              requires  from which kernel on a program can be loaded, and why
              load      into the running kernel
              attach    to a hook of the running kernel; attached lists, detach takes away
              count     the packets that match filters, in the running kernel
              capture   packets that match into a pcapng file, from any hook
              run       a capture file through a filter
              bench     what a filter costs a packet on this machine
              convert   classic programs from one form to another
              check     whether a classic program is valid, and for whom
              sockets   the filters of the packet sockets there are
              asm       as bpf_asm; eBPF text to an object
              disasm    an object's programs as text

            Exit codes: 0 done, 1 the input was refused, 64 wrong usage, 70 a defect of this tool.
            """,
        version: "cbpf2ebpf \(PacketFilter.version) (\(PacketFilter.libpcapVersion))")

    // MARK: Where the filter comes from

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
        help: ArgumentHelp(
            "The form it is in: \(ClassicForm.nameList). (default: guessed)", valueName: "form"))
    var inputFormName: String?

    @Option(
        name: [.customShort("y", allowingJoined: true), .long],
        help: ArgumentHelp(
            "What the packets begin with, by libpcap's name or number of the link type. (default: EN10MB, on hooks "
                + "that see IP packets RAW)",
            valueName: "name"))
    var linkType: String?

    // "Unconditional" takes a negative number for a value, not for an option.
    @Option(
        name: [.customShort("s", allowingJoined: true), .long], parsing: .unconditional,
        help: ArgumentHelp(
            "How many bytes of a packet a match keeps on a socket; 0 stands for the default. (default: 262144)",
            valueName: "bytes"))
    var snapshotLength: String?

    @Option(help: ArgumentHelp("The IPv4 netmask, for 'ip broadcast'.", valueName: "a.b.c.d"))
    var netmask: String?

    @Flag(name: .customLong("no-pcap-optimizer"), help: "Take libpcap's code as it generates it.")
    var withoutPcapOptimizer = false

    // MARK: What the program is for

    @Option(
        name: .customLong("hook"),
        help: ArgumentHelp(
            "The kernel's hook the program is for: \(Hook.nameList). (default: socket)",
            valueName: "hook"))
    var hookName: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What a packet that matches gets, by the hook's name for it (tc shot, xdp drop, cgroup-ingress deny …; "
                + "leave it out to see them all) or as a number.", valueName: "verdict"))
    var match: String?

    @Option(
        name: .customLong("no-match"), parsing: .unconditional,
        help: ArgumentHelp(
            "What other packets get. (default: they pass, on a socket they are dropped)", valueName: "verdict"))
    var noMatch: String?

    @Option(
        name: .customLong("vlan"),
        help: ArgumentHelp(
            "The packet that the filter is shown: bytes, as the hook has it; wire, with the outer VLAN tag back in its "
                + "place; stripped, without that tag. (default: wire for an expression with the word vlan, where the "
                + "kernel keeps the tag beside the packet; else bytes)",
            valueName: "view"))
    var vlanName: String?

    @Flag(
        name: .customLong("O0", withSingleDash: true),
        help: "Translate instruction by instruction, as the kernel's own converter does.")
    var withoutOptimization = false

    @Flag(
        name: [.customLong("O1", withSingleDash: true), .customShort("O")],
        help: "Optimise. (default)")
    var withOptimization = false

    @Flag(
        help: ArgumentHelp(
            "Show what this kernel's own converter makes of the filter, as a listing or, with --emit raw, its exact "
                + "bytes, which needs root."))
    var kernelForm = false

    @Option(
        name: .customLong("cpu"),
        help: ArgumentHelp(
            "The eBPF instruction set, as of clang -mcpu: v1, v2, v3 or v4. (default: v3)", valueName: "version"))
    var cpuName: String?

    @Option(
        name: .customLong("kernel"),
        help: ArgumentHelp(
            "The oldest kernel that is to take the program, as 6.17, or native for the running one. (default: "
                + "\(KernelVersion.usual), or the first that has the hook)", valueName: "version"))
    var kernelName: String?

    @Option(
        name: .customLong("skb-argument"),
        help: ArgumentHelp(
            "Which argument of the tracepoint or function is the packet, counted from 1. (default: known for the "
                + "usual ones, else what the running kernel tells of it)",
            valueName: "number"))
    var skbArgument: String?

    @Option(
        name: .customLong("arch"),
        help: ArgumentHelp(
            "The processor of the machine that is to run a kprobe program: x86_64, arm64 or riscv64. (default: this "
                + "one's)", valueName: "name"))
    var archName: String?

    // MARK: What is written

    @Option(
        name: .customLong("emit"),
        help: ArgumentHelp(
            "What to write: object, asm, raw, json, classic, ir, c or, of a function, its C header. (default: object)",
            valueName: "form"))
    var formName: String?

    @Option(
        help: ArgumentHelp(
            "The optimiser's passes to run, with commas between. (default: all)", valueName: "names"))
    var passes: String?

    @Flag(help: "Say on standard error what each pass of the optimiser did.")
    var explainPasses = false

    @Flag(
        name: [.customShort("v"), .customLong("verbose")],
        help: "Say on standard error which form --input is read as, and what an expression hardly means as it stands.")
    var isVerbose = false

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Write to a file; - is standard output.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The program's name, a C identifier. (default: filter)", valueName: "name"))
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
        try validateFilter()
        try validateOutput()
        try validatePasses()
        _ = try options
        _ = try hook
        if try !kernelForm && form != .classic && (form != .ir || hookName != nil) { _ = try target() }
    }

    /// The value of an option that `text` names, or `fallback` where the option is not given.
    func choice<Value: CaseIterable & RawRepresentable<String>>(
        _ text: String?, of option: String, or fallback: Value
    ) throws -> Value { try choice(text, of: option) ?? fallback }

    /// Does the work.
    func run(on console: Console) throws {
        try checkTerminal(console)
        let result = try refusing { try bytes(of: filter(on: console), on: console) }
        try write(result, on: console)
    }
}
