import ArgumentParser
import PacketFilter

/// `cbpf2ebpf check`: whether the kernel and libpcap take a classic program, and all that keeps them from it.
struct CheckCommand: Subcommand {
    /// The first word that asks for it.
    static let name = "check"

    static let configuration = CommandConfiguration(
        commandName: "cbpf2ebpf \(name)",
        abstract: "Check a classic program by the rules of the kernel and of libpcap.",
        discussion: """
            Each finding is a line with its place and whose rules it is against. Behind them stands who accepts the
            program, and then, line by line, which users of classic programs do, from which Linux on and why, or why not.

            Exit codes: 0 all accept it, 1 something was found, 64 wrong usage.
            """)

    @Argument(help: "The file to check, in any form; - is standard input. (default: -)")
    var input: String?

    @Option(
        name: .customLong("input-form"),
        help: ArgumentHelp("The form it is in: \(ClassicForm.nameList). (default: guessed)", valueName: "form"))
    var inputFormName: String?

    @Flag(help: "Write the findings as JSON.")
    var json = false

    @Option(
        name: .customShort("o", allowingJoined: true),
        help: ArgumentHelp("Write to a file; - is standard output.", valueName: "file"))
    var output: String?

    func validate() throws { _ = try form }

    private var form: ClassicForm? {
        get throws {
            guard let inputFormName else { return nil }
            guard let form = ClassicForm(rawValue: inputFormName) else {
                throw ValidationError(
                    "'\(inputFormName)' is no value of --input-form, which takes \(ClassicForm.nameList).")
            }
            return form
        }
    }

    /// Does the work.
    func run(on console: Console) throws {
        let path = input ?? "-"
        let document = ClassicForm.check(try console.read(path), form: try form)
        let text = json ? try document.json() : document.text(named: path == "-" ? "standard input" : path)
        try console.write(Array(text.utf8), to: output)
        if !document.findings.isEmpty { throw ExitCode(1) }
    }
}

extension CheckDocument {
    /// A line for each finding, as compilers write them, and one for the verdict.
    fileprivate func text(named file: String) -> String {
        let lines = findings.map { finding in
            let place = [finding.line, finding.column].compactMap { $0.map { ":\($0)" } }.joined()
            let instruction = finding.instruction.map { " instruction \($0):" } ?? ""
            let rules = finding.rules.isEmpty ? "" : " (\(finding.rules.map(\.rawValue).joined(separator: ", ")))"
            return ToolError("\(file)\(place):\(instruction) \(finding.message)\(rules)").description
        }
        return (lines + [verdict] + dialects.map(\.line)).joined(separator: "\n") + "\n"
    }

    private var verdict: String {
        guard let instructions else { return "no program could be read" + (form.map { " as \($0)" } ?? "") }
        let accepting = acceptedBy.map(\.rawValue)
        let size = "\(instructions) instruction\(instructions == 1 ? "" : "s") as \(form ?? "")"
        return size + ", accepted by " + (accepting.isEmpty ? "none" : accepting.joined(separator: " and "))
    }
}

extension CheckDocument.DialectEntry {
    /// `tc       Linux 4.1 and later: the extension vlan_tpid (instruction 0)`, `xt-bpf   no: …` or `libpcap  yes`.
    fileprivate var line: String {
        let verdict = accepts ? linux.map { "Linux \($0) and later" } ?? "yes" : "no"
        let place = instruction.map { " (instruction \($0))" } ?? ""
        let column = name + String(repeating: " ", count: max(1, 9 - name.utf8.count))
        return column + verdict + (reason.map { ": \($0)\(place)" } ?? "")
    }
}
