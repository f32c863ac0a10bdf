import ExtendedBPF
import Foundation

/// A filter written by hand in C, in `Tests/Benchmarks/Reference`: what programs for its expression are measured
/// against.
public struct ReferenceFilter: Hashable, Sendable, CustomStringConvertible {
    /// Where the C is compiled for.
    public enum Hook: String, Hashable, Sendable, CaseIterable {
        case xdp
        case tc

        fileprivate var macro: String { "HOOK_\(rawValue.uppercased())" }
        fileprivate var section: String { self == .xdp ? "xdp" : "classifier" }
    }

    /// The name of the file, without `.c`.
    public var name: String
    /// The expression the C is for.
    public var expression: String
    private var source: [UInt8]

    /// The C.
    public var text: String { String(decoding: source, as: UTF8.self) }

    /// The name.
    public var description: String { name }

    /// The filters that are files, in the order of their names.
    public static let files: [ReferenceFilter] = {
        let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        return names.filter { $0.hasSuffix(".c") }.sorted().map { file in
            let source = try! [UInt8](Data(contentsOf: folder.appending(path: file)))
            // The first line is a comment with the expression.
            let first = String(decoding: source.prefix { $0 != 0x0a }, as: UTF8.self)
            precondition(first.hasPrefix("/* ") && first.hasSuffix(" */"), "\(file) names no expression")
            return ReferenceFilter(
                name: String(file.dropLast(2)), expression: String(first.dropFirst(3).dropLast(3)), source: source)
        }
    }()

    /// The filter for a list of `count` hosts, which a script writes.
    public static func hosts(_ count: Int) throws -> ReferenceFilter {
        let script = folder.appending(path: "lists.py").path(percentEncoded: false)
        let expression = try output(of: "python3", [script, "--expression", "\(count)"])
        return ReferenceFilter(
            name: "\(count)-hosts",
            expression: String(decoding: expression, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines),
            source: try output(of: "python3", [script, "\(count)"]))
    }

    /// What clang makes of the filter; warnings are errors.
    public func program(for hook: Hook) throws -> ExtendedBPF.Program {
        let scratch = try TemporaryFolder()
        try scratch.file("filter.c", containing: source)
        let (object, code) = (scratch.path("filter.o"), scratch.path("filter.bin"))
        _ = try output(
            of: llvm("clang"),
            [
                "-O2", "-target", "bpf", "-mcpu=v3", "-Wall", "-Wextra", "-Werror", "-D\(hook.macro)",
                "-I", Self.folder.path(percentEncoded: false), "-c", scratch.path("filter.c"), "-o", object,
            ])
        _ = try output(
            of: llvm("llvm-objcopy"), ["-O", "binary", "--only-section=\(hook.section)", object, code])
        // A relocation would leave a hole in the bytes.
        let relocations = try output(of: llvm("llvm-readobj"), ["--relocations", object])
        guard !String(decoding: relocations, as: UTF8.self).contains("R_BPF") else {
            throw ReferenceFilterError(description: "\(name) has relocations")
        }
        let instructions = try Instruction.decode([UInt8](Data(contentsOf: URL(filePath: code))), .little)
        return ExtendedBPF.Program(functions: [Function(name: "filter", instructions: instructions)])
    }

    /// The folder of the files, for those that include others.
    public static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Benchmarks/Reference")
}

/// Why a reference filter did not become a program.
public struct ReferenceFilterError: Error, CustomStringConvertible {
    /// What went wrong.
    public var description: String
}

private func output(of tool: String, _ arguments: [String]) throws -> [UInt8] {
    let result = try run(tool, arguments)
    guard result.status == 0 else {
        throw ReferenceFilterError(description: "\(tool) \(arguments): status \(result.status), \(result.errors)")
    }
    return result.output
}
