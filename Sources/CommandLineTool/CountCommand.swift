import ArgumentParser
import PacketFilter

/// `cbpf2ebpf count`: how many packets match each of several filters, and their bytes.
struct CountCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "count"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Count the packets that match filters, and their bytes.",
        usage: "cbpf2ebpf \(name) -i <interface> [<options>] [[<name>=]<expression> ...]",
        discussion: """
            Each argument is a filter, so an expression of several words stands in quotes; without any, every packet is
            counted. All run in the kernel, in one program, and leave the packets alone. Ctrl-C ends it.

              cbpf2ebpf count -i lo tcp udp icmp
              cbpf2ebpf count -i eth0 web='tcp port 80 or 443' 'host 192.0.2.1' --json --for 1m

            Why does nothing match? --by clause counts the parts of one expression:

              cbpf2ebpf count -i eth0 --by clause 'ip and udp and port 53'

            Without --hook a packet socket at the interface sees what comes in and goes out; at lo, where that is the
            same, once.
            """)

    @Argument(help: "A filter: a tcpdump expression, with NAME= in front if it is to be called so.")
    var filters: [String] = []

    @OptionGroup var placeArguments: PlaceArguments

    @Flag(help: "Write one JSON object a line each second, and a last one at the end, with the totals since the start.")
    var json = false

    @Option(
        name: .customLong("histogram"),
        help: ArgumentHelp(
            "Draw a histogram for each filter at the end: of the packets' length, or of the time between them, "
                + "interarrival.", valueName: "quantity"))
    var histogramName: String?

    @Option(
        name: .customLong("by"),
        help: ArgumentHelp(
            "Count by the clauses of one expression: for each the packets for which it holds alone, and those for which "
                + "the expression does up to there. The one value is clause.", valueName: "part"))
    var partName: String?

    @Option(
        name: .customLong("input"),
        help: ArgumentHelp(
            "Count a classic program too, in any of its forms, with NAME= in front if it is to be called so; as often as "
                + "there are programs.", valueName: "file"))
    var inputs: [String] = []

    @Option(help: ArgumentHelp("The IPv4 netmask, for 'ip broadcast'.", valueName: "a.b.c.d"))
    var netmask: String?

    func validate() throws {
        let histogram = try histogram
        try validateParts()
        if let netmask, ipv4Address(netmask) == nil {
            throw ValidationError("The netmask '\(netmask)' is not of the form 255.255.255.0.")
        }
        if json, histogram != nil {
            throw ValidationError("--histogram is for people, --json for scripts: one of them.")
        }
        let names = (filters + inputs).map { CountedText($0).name }
        if let twice = names.first(where: { name in names.count { $0 == name } > 1 }) {
            throw ValidationError("Two filters have the name '\(twice)'; give them others with NAME=EXPRESSION.")
        }
    }

    /// Whether clauses are counted.
    var isByClause: Bool { partName != nil }

    private enum Part: String, CaseIterable { case clause }

    private func validateParts() throws {
        guard let partName else { return }
        _ = try choice(Part.self, partName, of: "--by")
        guard filters.count == 1, inputs.isEmpty else {
            throw ValidationError("--by clause takes one expression; one of several words stands in quotes.")
        }
        if histogramName != nil {
            throw ValidationError("--histogram is of whole filters, --by clause of their parts.")
        }
    }

    var histogram: Histogram? {
        get throws { try histogramName.map { try choice(Histogram.self, $0, of: "--histogram") } }
    }

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            do {
                try count(on: console)
            } catch let error as Defect {
                throw error
            } catch {
                throw (error as? ToolError) ?? ToolError("\(error)")
            }
        #else
            throw ToolError("packets are counted in the kernel of Linux only")
        #endif
    }
}

/// An argument that names a filter.
struct CountedText: Hashable {
    var name: String
    var expression: String

    /// The name is what stands in front of the first `=`, where that can be one and no `=` follows; `len=60` is an
    /// expression.
    init(_ argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, Self.isName(parts[0]), !parts[1].hasPrefix("=") {
            name = parts[0]
            expression = parts[1]
        } else {
            name = argument
            expression = argument
        }
    }

    private static func isName(_ text: String) -> Bool {
        guard let first = text.first, first.isLetter || first == "_", text != "len" else { return false }
        return text.allSatisfy { $0.isLetter || $0.isNumber || "_-.".contains($0) }
    }
}

extension Duration {
    /// Reads a number with ms, s, m or h behind it; alone it is of seconds.
    init?(text: String) {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number <= 1e9 else { return nil }
        switch text.dropFirst(digits.count) {
        case "ms": self = .milliseconds(number)
        case "", "s": self = .seconds(number)
        case "m": self = .seconds(60 * number)
        case "h": self = .seconds(3600 * number)
        default: return nil
        }
    }
}
