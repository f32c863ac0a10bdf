import ArgumentParser
import PacketFilter
import SystemPackage

/// `cbpf2ebpf attach`: a program at its place in the running kernel, for a while.
struct AttachCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "attach"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Attach a program in the running kernel, until Ctrl-C or for some time.",
        usage: "cbpf2ebpf \(name) --hook <hook> [<options>] [<expression> ...]",
        discussion: """
            The program is what the same words without 'attach' make, for the running kernel unless --kernel says
            otherwise. It is taken away when the command ends, whatever ends it; with --pin it stays, the command ends
            at once, and 'cbpf2ebpf detach' takes it away.
            """)

    @Option(
        name: .customShort("i", allowingJoined: true),
        help: ArgumentHelp("The interface, for xdp, xdp-frags, tc, tcx-… and netkit-….", valueName: "interface"))
    var interface: String?

    @Option(help: ArgumentHelp("Which packets, for tc: ingress or egress.", valueName: "name"))
    var direction: String?

    @Flag(
        help: ArgumentHelp(
            "Attach for tc at clsact, not by a link, which is how kernels before 6.6 do; made and removed where it is not "
                + "there. A killed process leaves it behind."))
    var clsact = false

    @Option(
        name: .customLong("cgroup"),
        help: ArgumentHelp("The folder of the control group, for cgroup-….", valueName: "path"))
    var controlGroup: String?

    @Option(help: ArgumentHelp("The packets, for netfilter: ipv4 or ipv6.", valueName: "name"))
    var family: String?

    @Option(
        help: ArgumentHelp(
            "The place on their way, for netfilter: prerouting, input, forward, output or postrouting.",
            valueName: "name"))
    var hookPoint: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The order among others there, for netfilter and --clsact, the lowest first. (default: 0, at clsact before all "
                + "that are there)"))
    var priority: String?

    @Option(
        name: .customLong("xdp-mode"),
        help: ArgumentHelp(
            "Who runs an XDP program: native, the interface's driver; or generic, the kernel when it has a packet "
                + "already, slower but on any interface. (default: native)", valueName: "mode"))
    var modeName: String?

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("How long: 500ms, 10s, 2m, 1h. (default: until Ctrl-C)", valueName: "time"))
    var time: String?

    @Option(
        name: .customLong("pin"),
        help: ArgumentHelp("Keep it attached, under a name in a BPF file system.", valueName: "path"))
    var pinPath: String?

    @Flag(
        help: ArgumentHelp(
            "Have the kernel count runs and their time meanwhile, which costs all programs a little."))
    var statistics = false

    @OptionGroup var compile: CompileCommand

    func validate() throws {
        try compile.validateForKernel(in: Self.name)
        if compile.hookName == nil {
            throw ValidationError("'\(Self.name)' needs --hook, where the program is to run.")
        }
        _ = try duration
        if pinPath != nil, time != nil || statistics {
            throw ValidationError(
                "What --pin keeps is attached until it is detached: leave out --for and --statistics.")
        }
        if clsact, pinPath != nil {
            throw ValidationError(
                "A program at clsact has no link for --pin; 'tc filter add … bpf da pinned' keeps one.")
        }
        #if os(Linux)
            try validateOwner()
        #endif
    }

    /// How long to stay, nil for no end.
    private var duration: Duration? {
        get throws {
            guard let time else { return nil }
            let digits = time.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int32(digits), number > 0 else { throw wrongTime(time) }
            switch time.dropFirst(digits.count) {
            case "ms": return .milliseconds(number)
            case "s", "": return .seconds(number)
            case "m": return .seconds(60 * Int64(number))
            case "h": return .seconds(3600 * Int64(number))
            default: throw wrongTime(time)
            }
        }
    }

    private func wrongTime(_ text: String) -> ValidationError {
        ValidationError("'\(text)' is no time for --for, which takes 500ms, 10s, 2m or 1h.")
    }

    /// Does the work.
    func run(on console: Console) throws {
        #if os(Linux)
            try runRefusing {
                try compile.hook.checkIsAttachable()
                let compiled = try compile.compiledForKernel(on: console)
                // From here on a signal waits until everything is told and put away.
                try withSignalsHeld(cleansUp: compile.hook == .tc) { signals in
                    try attach(compiled, signals, console)
                }
            }
        #else
            throw ToolError("programs are attached on Linux only")
        #endif
    }

    #if os(Linux)
        private func attach(_ compiled: CompiledProgram, _ signals: HeldSignals, _ console: Console) throws {
            let owner = try owner
            let attachment = try attachment(of: compiled, to: owner, console)
            let holder = try attachment.holder.name
            let program = try attachment.program.information().identifier
            let what = "program \(program) at \(compiled.target.hook)\(owner.text)"
            if let pinPath {
                try attachment.pin(at: FilePath(pinPath))
                try console.write(Array("\(what), \(holder), pinned at \(pinPath)\n".utf8))
            } else {
                let runs = statistics ? try RunStatistics() : nil
                console.report("\(what), \(holder); Ctrl-C detaches\n")
                let start = ContinuousClock.now
                let isGone = try wait(for: attachment, signals)
                let counted = try attachment.program.runs()
                _ = consume runs
                _ = consume attachment
                try console.write(Array(summary(after: .now - start, counted.count, counted.nanoseconds).utf8))
                if isGone { throw ToolError("the program was detached, or what it was attached to is gone") }
            }
        }

        private func attachment(
            of compiled: CompiledProgram, to owner: HookOwner, _ console: Console
        ) throws -> Attachment {
            let license = compile.license ?? PacketFilter.defaultLicense
            do {
                return try compiled.attach(to: owner, license: license)
            } catch let error as KernelError where error.call == .loadProgram {
                throw try compiled.loadable(license: license).explaining(error, on: console)
            } catch let error as KernelError {
                throw ToolError(text(of: error, owner))
            }
        }

        /// How often to look whether the program is still at its place.
        private static let period = Duration.milliseconds(250)

        /// Waits for a signal or the end of the time; true where the program is at its place no longer.
        private func wait(for attachment: borrowing Attachment, _ signals: HeldSignals) throws -> Bool {
            let end = try duration.map { ContinuousClock.now + $0 }
            while true {
                let left = end.map { $0 - .now } ?? Self.period
                if left <= .zero || signals.arrive(within: min(left, Self.period)) { return false }
                if attachment.isGone { return true }
            }
        }

        private func summary(after time: Duration, _ count: UInt64, _ nanoseconds: UInt64) -> String {
            let attached = "detached after \(text(of: time))"
            guard count > 0 || statistics else {
                return attached + "; --statistics would tell how often it ran\n"
            }
            let each = count == 0 ? "" : ", \(nanoseconds / count) ns each"
            return "\(attached), \(count) runs\(each)\n"
        }

        private func text(of time: Duration) -> String {
            let tenths = (time.components.seconds * 10) + time.components.attoseconds / 100_000_000_000_000_000
            return "\(tenths / 10).\(tenths % 10) s"
        }

        private func text(of error: KernelError, _ owner: HookOwner) -> String {
            guard error.call == .createLink else { return "\(error)" }
            switch (owner, error.errno) {
            case (.interface(_, .native), .notSupported): return "\(error): --xdp-mode generic"
            case (.netfilter(let place), .resourceBusy):
                return
                    "\(error) with priority \(place.priority), or a table of iptables, the filter table of which has 0: "
                    + "choose another --priority"
            case (.interface(let name, _), .invalidArgument) where "\((try? compile.hook) ?? .xdp)".hasPrefix("netkit"):
                return "\(error): \(name) is no primary netkit device"
            default: return "\(error)"
            }
        }
    #endif
}
