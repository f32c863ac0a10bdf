import BPFCompiler
import BPFObject
import ExtendedBPF

/// From which version of Linux on a program can be loaded, and what of it asks for that.
public typealias Requirements = BPFCompiler.Requirements
/// Why bytes are no object that can be read.
public typealias ELFError = BPFObject.ELFError

extension CompiledProgram {
    /// From which version of Linux on the program can be loaded, and why.
    public var requirements: ProgramRequirements {
        ProgramRequirements(program: program, hook: target.hook)
    }
}

extension ProgramObject {
    /// Whether `bytes` begin as an object does.
    public static func isObject(_ bytes: some Sequence<UInt8>) -> Bool { ObjectReader.isObject(bytes) }

    /// From which version of Linux on each program of the object can be loaded, and why.
    ///
    /// The object may be from any compiler. What an object of functions is for cannot be read from it.
    /// - Parameter hook: What the programs are for; nil for what their sections say.
    /// - Throws: `ELFError` for bytes that are no object, ``UnknownSection``.
    public static func requirements(of bytes: [UInt8], on hook: Hook? = nil) throws -> [ProgramRequirements] {
        try ObjectReader(bytes).entries.map { entry in
            guard let hook = hook ?? Hook(section: entry.section) else { throw UnknownSection(name: entry.section) }
            return ProgramRequirements(program: entry.program, hook: hook)
        }
    }
}

/// What a program asks of the kernel.
public struct ProgramRequirements: Hashable, Sendable {
    /// The program's name.
    public let name: String
    /// What it uses.
    public let requirements: Requirements
    private let functions: [String]

    init(program: ExtendedProgram, hook: Hook) {
        name = program.entry.name
        requirements = Requirements(of: program, on: hook)
        functions = program.functions.map(\.name)
    }

    /// A table, a line for each thing: the version, the thing, the first instruction that is it; the last line says
    /// from which version on the program can be loaded.
    public var text: String {
        let rows = requirements.items.map { item in
            (item.kernel?.description ?? "?", item.feature, item.place.map(text) ?? "")
        }
        let width = rows.map(\.1.count).max() ?? 0
        var lines = rows.map { version, feature, place in
            let line = Self.padded(version, to: 6) + Self.padded(feature, to: width + 2) + place
            return String(line.reversed().drop(while: { $0 == " " }).reversed())
        }
        let unknown = requirements.unknown.isEmpty ? "" : ", if it has what is marked ?"
        lines.append("\(name): Linux \(requirements.kernel) and later\(unknown)")
        return lines.map { $0 + "\n" }.joined()
    }

    /// Instructions are counted as the listing does, from 0; functions but the first have their name in front.
    private func text(_ place: Requirements.Place) -> String {
        (place.function == 0 ? "" : functions[place.function] + " ") + "instruction \(place.instruction)"
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// Nothing is known about programs in the section.
public struct UnknownSection: Error, Hashable, Sendable, CustomStringConvertible {
    /// The section.
    public var name: String

    /// What was found, what would be right.
    public var description: String {
        name == ".text"
            ? "the object has functions only, for what they are must be said (function:HOOK)"
            : "'\(name)' is the section of no hook known here, the hook must be said"
    }
}
