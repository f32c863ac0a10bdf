import ArgumentParser
import PacketFilter

/// Where a filter comes from, for the commands beside the main one; that has options of its own, for groups of them cost
/// time at each start.
struct SourceArguments: ParsableArguments {
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
        help: ArgumentHelp("The form it is in: \(ClassicForm.nameList). (default: guessed)", valueName: "form"))
    var inputFormName: String?

    @Option(help: ArgumentHelp("The IPv4 netmask, for 'ip broadcast'.", valueName: "a.b.c.d"))
    var netmask: String?

    @Flag(name: .customLong("no-pcap-optimizer"), help: "Take libpcap's code as it generates it.")
    var withoutPcapOptimizer = false

    @Flag(
        name: [.customShort("v"), .customLong("verbose")],
        help: "Say on standard error which form --input is read as, and what is odd about the expression.")
    var isVerbose = false
}

/// A command with those options as a group.
protocol SourceCommand: FilterArguments {
    var source: SourceArguments { get }
}

extension SourceCommand {
    var expression: [String] { source.expression }
    var expressionFile: String? { source.expressionFile }
    var input: String? { source.input }
    var inputFormName: String? { source.inputFormName }
    var netmask: String? { source.netmask }
    var withoutPcapOptimizer: Bool { source.withoutPcapOptimizer }
    var isVerbose: Bool { source.isVerbose }
}
