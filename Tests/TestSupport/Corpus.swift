import ClassicBPF
import Foundation

/// An expression of the corpus.
public struct CorpusExpression: Hashable, Sendable, CustomStringConvertible {
    /// What it is called, once in the corpus.
    public var name: String
    /// libpcap's name of the link type it is for.
    public var linkType: String
    /// The expression itself.
    public var text: String

    /// The name.
    public var description: String { name }
}

/// The filters that many tests share, read from `Tests/Corpus`.
public enum Corpus {
    /// The folder that holds the files.
    public static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpus")

    /// Expressions that compile to programs which Linux takes, in the order of the file.
    public static let expressions = readExpressions("expressions.txt")

    /// Expressions that compile to programs with backward jumps, in the order of the file.
    public static let loops = readExpressions("expressions-loops.txt")

    /// Hand-written programs that Linux takes, in the order of their names.
    ///
    /// Together they contain every code and every extension there is.
    public static let programs: [(name: String, program: ClassicBPF.Program)] = readPrograms("programs")

    /// Programs on which the compiler has failed before, in the order of their names.
    public static let crashers: [(name: String, program: ClassicBPF.Program)] = readPrograms("crashers")

    /// Programs with backward jumps on which it has failed, in the order of their names.
    public static let loopCrashers: [(name: String, program: ClassicBPF.Program)] = readPrograms(
        "crashers/loops", satisfying: .libpcap)

    /// The names of ``programs``, as arguments of tests.
    public static var programNames: [String] { programs.map(\.name) }

    private static func readExpressions(_ name: String) -> [CorpusExpression] {
        let text = try! String(contentsOf: folder.appending(path: name), encoding: .utf8)
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let fields = line.split(separator: "|", maxSplits: 2, omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            precondition(fields.count == 3, "\(name) has a line with fewer than three fields: \(line)")
            return CorpusExpression(name: fields[0], linkType: fields[1], text: fields[2])
        }
    }

    private static func readPrograms(
        _ name: String, satisfying rules: RuleSet = .kernel
    ) -> [(name: String, program: ClassicBPF.Program)] {
        let programs = folder.appending(path: name)
        let files = try! FileManager.default.contentsOfDirectory(at: programs, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "ddd" }
        return files.map { file in
            let text = try! String(contentsOf: file, encoding: .utf8)
            let program = try! ClassicBPF.Program(tcpdumpInstructions(text), satisfying: rules)
            return (file.deletingPathExtension().lastPathComponent, program)
        }.sorted { $0.0 < $1.0 }
    }
}

/// Reads what `tcpdump -ddd` prints: the count, then a line of code, jt, jf and k for each instruction, in decimal.
///
/// A reader for the tests' own use, apart from the one they test; it traps on anything else.
public func tcpdumpInstructions(_ text: String) -> [Instruction] {
    let lines = text.split(separator: "\n")
    let instructions = lines.dropFirst().map { line in
        let fields = line.split(separator: " ")
        precondition(fields.count == 4, "not four numbers: \(line)")
        return Instruction(
            code: UInt16(fields[0])!, jt: UInt8(fields[1])!, jf: UInt8(fields[2])!, k: UInt32(fields[3])!)
    }
    precondition(lines.first.flatMap { Int($0) } == instructions.count, "the first line is not the count")
    return instructions
}
