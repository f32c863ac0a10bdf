import ArgumentParser
import PacketFilter

/// `cbpf2ebpf bench`: what a packet costs.
struct BenchCommand: Subcommand, SourceCommand {
    /// The first word that asks for it.
    static let name = "bench"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Measure what a packet costs by the programs of a filter on this machine, in nanoseconds.",
        usage: "cbpf2ebpf \(name) [<options>] [<expression> ...]",
        discussion: """
            Measured are, in turns: on a socket the classic filter as the kernel itself converts it; the translation \
            instruction by instruction (-O0); the optimised program (-O1); and an empty one, which shows what is not the \
            filter's. On a socket each is there many times in one program, and the time is the slope over the number of \
            copies. Elsewhere the kernel runs the program on a packet many times, by test runs.

            Without -r the packets are the tool's own, changed to what the filter asks for. No interface is touched. It \
            needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON; the classic filter needs nothing.

            Exit codes: 0 done, 1 something could not be measured for want of privileges, or nothing at all; 64 wrong \
            usage.
            """)

    @OptionGroup var source: SourceArguments

    @Option(
        name: .customLong("hook"),
        help: ArgumentHelp(
            "A hook, or several with commas; may be repeated. All but those for tracing. (default: socket,tc,xdp)",
            valueName: "hook"))
    var hookNames: [String] = []

    @Option(
        name: .customShort("r", allowingJoined: true),
        help: ArgumentHelp(
            "Take the first packet that matches, and the first that does not, from a capture file.", valueName: "file"))
    var capture: String?

    @Option(help: ArgumentHelp("How many samples to take of each time. (default: 15)", valueName: "count"))
    var rounds: Int?

    @Flag(help: "Write an object of JSON instead of a table.")
    var json = false

    /// What packets begin with is the hooks' to say, and so is how many bytes a match keeps, no part of any time.
    var linkType: String? { nil }
    var snapshotLength: String? { nil }
    var hook: Hook { get throws { try hooks[0] } }

    func validate() throws {
        try validateFilter()
        if let rounds, !(1...10_000).contains(rounds) { throw ValidationError("--rounds takes 1 to 10000.") }
        #if os(Linux)
            _ = try hooks
        #endif
    }

    /// The hooks the arguments ask for, each once.
    private var hooks: [Hook] {
        get throws {
            #if os(Linux)
                let names = hookNames.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
                if names.isEmpty { return FilterBenchmark.usualHooks }
                var hooks: [Hook] = []
                for name in names {
                    let hook = try hook(named: String(name))
                    if !hooks.contains(hook) { hooks.append(hook) }
                }
                return hooks
            #else
                return [.socket]
            #endif
        }
    }

    #if os(Linux)
        private func hook(named name: String) throws -> Hook {
            let hook: Hook
            do {
                hook = try Hook(named: name)
            } catch {
                throw ValidationError("--hook: \(error).")
            }
            guard FilterBenchmark.canMeasure(at: hook) else {
                throw ValidationError("--hook: the kernel has no test runs for programs of \(hook).")
            }
            return hook
        }
    #endif

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            try runRefusing {
                let packets = capture.map { BenchmarkPackets.capture(path: $0) } ?? .samples
                let benchmark = FilterBenchmark(try filter(on: console), at: try hooks, packets: packets)
                let report = try benchmark.measure(rounds: rounds ?? FilterBenchmark.usualRounds)
                try console.write(Array((json ? report.json() : BenchText(report).text).utf8))
                if let refusal = BenchText(report).refusal { throw ToolError(refusal) }
            }
        #else
            throw ToolError("programs are timed in the kernel of Linux only")
        #endif
    }
}
