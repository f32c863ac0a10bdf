import ArgumentParser
import PacketFilter
import SystemPackage

/// `cbpf2ebpf run`: a capture file through a filter.
struct RunCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "run"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Run a filter on the packets of a capture file.",
        usage: "cbpf2ebpf \(name) -r <file> [<options>] [<expression> ...]",
        discussion: """
            For each packet that matches a line tells its number, its time in seconds since 1970, its length and what it
            is; or -w writes it to a capture file. The expression is compiled for what the capture's packets begin with.
            The exit code is 1 where --compare finds a difference.
            """)

    @Option(
        name: .customShort("r", allowingJoined: true),
        help: ArgumentHelp("The capture file, pcap or pcapng; - is standard input.", valueName: "file"))
    var capture: String

    @Option(
        name: .customShort("w", allowingJoined: true),
        help: ArgumentHelp("Write the packets that match to a pcap file; - is standard output.", valueName: "file"))
    var written: String?

    @Option(
        name: .customShort("c", allowingJoined: true),
        help: ArgumentHelp("Stop behind so many packets that match.", valueName: "count"))
    var count: Int?

    @Option(
        name: .customLong("in"),
        help: ArgumentHelp(
            "What decides: interpreter, the classic filter; or kernel, the optimised program in the running kernel. "
                + "(default: interpreter)", valueName: "machine"))
    var machineName: String?

    @Flag(help: "Run the classic filter, the translation and the optimised program, and report where they differ.")
    var compare = false

    @OptionGroup var compile: CompileCommand

    /// The machines by the names of the command line.
    private enum Machine: String, CaseIterable {
        case interpreter
        case kernel
    }

    private var machine: Machine {
        get throws { try compile.choice(machineName, of: "--in", or: .interpreter) }
    }

    func validate() throws {
        _ = try machine
        if let count, count < 1 { throw ValidationError("-c takes a number from 1 on.") }
    }

    /// Does the work.
    func run(on console: Console) throws {
        do {
            try runFilter(on: console)
        } catch let error as Defect {
            throw error
        } catch let error as ValidationError {
            throw error
        } catch let errors as AssemblyErrors {
            throw ToolError(errors)
        } catch {
            throw (error as? ToolError) ?? ToolError("\(error)")
        }
    }

    private func runFilter(on console: Console) throws {
        var file = try CaptureFile(path: capture == "-" ? "/dev/stdin" : capture)
        let run = try filterRun(on: file.linkType, console)
        let writer = try written.map {
            try CaptureWriter(path: $0, linkType: file.linkType, snapshotLength: file.snapshotLength)
        }
        var report = RunReport(of: capture, on: console)
        while let packet = try file.next() {
            report.count(packet)
            var matches = try run.matches(packet.bytes)
            let answers = try run.answers(for: packet.bytes)
            if compare { report.compare(matches, with: answers) } else { matches = answers.first?.matches ?? matches }
            guard matches else { continue }
            report.matches += 1
            if written != nil {
                writer?.write(packet)
            } else {
                try console.write(Array((report.line(packet, file.linkType) + "\n").utf8))
            }
            if report.matches == count { break }
        }
        try writer?.flush()
        report.finish()
        if report.differences > 0 {
            throw ToolError("the ways of running the filter differ on \(report.differences) packets")
        }
    }

    /// The filter in all the ways that are asked for.
    private func filterRun(on linkType: LinkType, _ console: Console) throws -> FilterRun {
        var compile = compile
        if compile.linkType == nil, compile.input == nil { compile.linkType = "\(linkType.name)" }
        let filter = try compile.filter(on: console)
        // There is no translation for hooks without the kernel's own packet loads.
        var ways: [FilterRun.Way] =
            !compare ? [] : try compile.hook.hasPacketLoads ? [.mirror, .optimized] : [.optimized]
        if try machine == .kernel { ways.append(.kernel) }
        // A test run shows a socket filter no Ethernet header.
        let target = try compile.hookName == nil ? Target.tc(match: .shot) : compile.target()
        return try FilterRun(filter, for: target, ways, linkType: linkType, options: compile.options)
    }
}
