import ArgumentParser
import PacketFilter

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A command that reads and writes where a console says.
protocol ConsoleCommand: ParsableCommand {
    /// Does the work.
    func run(on console: Console) throws
}

/// A command that is asked for by the first word.
protocol Subcommand: ConsoleCommand {
    /// The word.
    static var name: String { get }
}

/// The command line tool `cbpf2ebpf`.
public enum CommandLineTool {
    /// Runs the tool with the arguments and streams of the process, and ends it.
    public static func main() -> Never {
        ignoreSignalsOfWrites()
        exit(run(Array(CommandLine.arguments.dropFirst()), on: .standard))
    }

    /// Runs the tool with `arguments`, the program's name not among them.
    ///
    /// - Returns: The exit code: 0 done, 1 the input was refused, 64 wrong usage, 70 a defect of the tool.
    public static func run(_ arguments: [String], on console: Console) -> Int32 {
        if let word = arguments.first, let command = subcommands.first(where: { $0.name == word }) {
            return run(command, Array(arguments.dropFirst()), on: console)
        }
        return run(CompileCommand.self, arguments, on: console)
    }

    /// What a first word asks for. They are none of the main command's subcommands, of which the parser would make a tree
    /// at each start.
    static let subcommands: [any Subcommand.Type] = [
        RunCommand.self, SocketsCommand.self, RequiresCommand.self, ConvertCommand.self, AssembleCommand.self,
        DisassembleCommand.self, CheckCommand.self, LoadCommand.self, AttachCommand.self, AttachedCommand.self,
        DetachCommand.self, CountCommand.self, CaptureCommand.self, BenchCommand.self,
    ]

    private static func run<Command: ConsoleCommand>(
        _: Command.Type, _ arguments: [String], on console: Console
    ) -> Int32 {
        do {
            guard let command = try Command.parseAsRoot(arguments) as? Command else {
                // The parser's own commands, such as the one that prints a completion script.
                throw CleanExit.helpRequest(Command.self)
            }
            try command.run(on: console)
            return 0
        } catch let error as ToolError {
            console.report("cbpf2ebpf: \(error)\n")
            return 1
        } catch let error as Defect {
            return finish(with: error, on: console)
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            return finish(with: error, of: Command.self, on: console)
        }
    }

    /// A defect of the tool is one the user cannot do anything about but report.
    static func finish(with defect: Defect, on console: Console) -> Int32 {
        console.report("cbpf2ebpf: \(ToolError("\(defect)")); this is a defect of cbpf2ebpf, please report it\n")
        return 70
    }

    /// Help and version go to standard output, wrong usage to standard error with a hint at the help.
    private static func finish(
        with error: any Error, of command: any ParsableCommand.Type, on console: Console
    ) -> Int32 {
        let code = command.exitCode(for: error).rawValue
        let message = command.fullMessage(for: error)
        guard code == 0 else {
            console.report("\(message)\n")
            return code
        }
        do {
            try console.write(Array("\(message)\n".utf8))
            return 0
        } catch {
            console.report("cbpf2ebpf: \(error)\n")
            return 1
        }
    }
}
