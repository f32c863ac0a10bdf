import ArgumentParser
import PacketFilter

/// `cbpf2ebpf requires`: from which version of Linux on an object loads, and why.
///
/// It takes what the main command takes. It is none of that command's subcommands, of which the parser would make a
/// tree at each start: it is asked for by the first word alone.
struct RequiresCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "requires"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Tell from which version of Linux on a program can be loaded, and why.",
        usage: "cbpf2ebpf \(name) [<options>] [<expression> ... | <object>]",
        discussion: """
            The program is what the same words without 'requires' make, or the programs of an object, by whatever
            compiler. Each line has a version, what came with it, and the first instruction that uses it; the last line
            says from which version on all of it is there. Later verifiers can also follow more than earlier ones.
            """)

    @OptionGroup var compile: CompileCommand

    /// Does the work.
    func run(on console: Console) throws {
        try compile.write(
            refusing {
                let programs = try object(on: console) ?? [compile.program(on: console).requirements]
                return Array(programs.map(\.text).joined(separator: "\n").utf8)
            }, on: console)
    }

    /// What the programs of the object ask for that is the only word; nil if that is no object's name.
    private func object(on console: Console) throws -> [ProgramRequirements]? {
        guard let path = compile.expression.first, compile.expression.count == 1,
            let bytes = try? console.read(path), ProgramObject.isObject(bytes)
        else { return nil }
        return try ProgramObject.requirements(of: bytes, on: compile.hookName == nil ? nil : compile.hook)
    }
}
