import ArgumentParser
import PacketFilter

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

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
        let rest = Array(arguments.dropFirst())
        switch arguments.first {
        case RequiresCommand.name: return run(RequiresCommand.self, rest, on: console) { try $0.run(on: console) }
        case RunCommand.name: return run(RunCommand.self, rest, on: console) { try $0.run(on: console) }
        case SocketsCommand.name: return run(SocketsCommand.self, rest, on: console) { try $0.run(on: console) }
        case ConvertCommand.name: return run(ConvertCommand.self, rest, on: console) { try $0.run(on: console) }
        case AssembleCommand.name: return run(AssembleCommand.self, rest, on: console) { try $0.run(on: console) }
        case DisassembleCommand.name: return run(DisassembleCommand.self, rest, on: console) { try $0.run(on: console) }
        case CheckCommand.name: return run(CheckCommand.self, rest, on: console) { try $0.run(on: console) }
        case LoadCommand.name: return run(LoadCommand.self, rest, on: console) { try $0.run(on: console) }
        case AttachCommand.name: return run(AttachCommand.self, rest, on: console) { try $0.run(on: console) }
        case AttachedCommand.name: return run(AttachedCommand.self, rest, on: console) { try $0.run(on: console) }
        case CountCommand.name: return run(CountCommand.self, rest, on: console) { try $0.run(on: console) }
        case DetachCommand.name: return run(DetachCommand.self, rest, on: console) { try $0.run(on: console) }
        default: break
        }
        return run(CompileCommand.self, arguments, on: console) { try $0.run(on: console) }
    }

    private static func run<Command: ParsableCommand>(
        _: Command.Type, _ arguments: [String], on console: Console, _ work: (Command) throws -> Void
    ) -> Int32 {
        do {
            guard let command = try Command.parseAsRoot(arguments) as? Command else {
                // The parser's own commands, such as the one that prints a completion script.
                throw CleanExit.helpRequest(Command.self)
            }
            try work(command)
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
