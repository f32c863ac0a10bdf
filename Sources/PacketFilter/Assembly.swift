import BPFAssembly
import BPFObject
import ExtendedBPF

/// Why a text is no program, all that is wrong with it.
public typealias ProgramTextErrors = BPFAssembly.AssemblyErrors

/// An eBPF program that was written as text.
public struct AssembledProgram: Hashable, Sendable {
    /// The program; the first function is where the kernel enters.
    public var program: ExtendedProgram
    /// The text's lines, which line marks count.
    public let lines: [String]

    /// Whether `text` begins as eBPF does, and not as a classic program.
    public static func isText(_ text: [UInt8]) -> Bool { ExtendedText.isLikely(text) }

    /// Reads a text; `Grammar/ebpf-asm.abnf` defines the language.
    ///
    /// - Parameter name: The entry's name, a C identifier; nil for its label or, without one, `filter`.
    /// - Throws: ``ProgramTextErrors``.
    public init(_ text: [UInt8], named name: String? = nil) throws {
        let program = try ExtendedText.read(text).program()
        self.program = name.map(program.renamed) ?? program
        lines = String(decoding: text, as: UTF8.self).split(
            omittingEmptySubsequences: false, whereSeparator: \.isNewline
        ).map(String.init)
    }

    /// A relocatable object that loaders take; its line information names the lines of the text.
    ///
    /// - Parameters:
    ///   - section: The section, by which loaders know what the program is for.
    ///   - license: What the object states in its `license` section.
    ///   - byteOrder: The order of the machine it is for.
    ///   - fileName: What the text is called.
    /// - Throws: `ObjectError` if the object cannot hold the program, as one that refers to a map it does not declare.
    public func object(
        section: String, license: String = PacketFilter.defaultLicense, byteOrder: ByteOrder = .host,
        fileName: String = "filter.ebpf"
    ) throws -> ProgramObject {
        ProgramObject(
            bytes: try Object(
                program: program.withTablesNamedAsInC, kind: .program(section: section), license: license,
                source: SourceText(fileName: fileName, lines: lines),
                contextType: Hook(section: section)?.contextType ?? "void", byteOrder: byteOrder
            ).bytes())
    }

    /// The bytes of `struct bpf_insn[]`, all functions one behind the other; what loaders fill in is 0.
    public func bytes(_ order: ByteOrder = .host) -> [UInt8] {
        program.linked().instructions.flatMap { $0.bytes(order) }
    }

    /// The program as the kernel lists it, or as LLVM's assembler reads it.
    public func listing(_ syntax: ListingSyntax = .kernel) -> String {
        DeclarationListing.text(program.maps, program.data, definesMacros: syntax == .llvm)
            + (syntax == .kernel ? ExtendedListing.text(program) : LLVMListing.text(program))
    }
}

extension ExtendedProgram {
    /// The program with underscores for what C has not in names, as in `.rodata`, a table that is a whole section.
    fileprivate var withTablesNamedAsInC: ExtendedProgram {
        func named(_ name: String) -> String {
            String(name.map { $0 == "." || $0 == "$" ? "_" : $0 })
        }
        var copy = self
        for index in data.indices { copy.data[index].name = named(data[index].name) }
        for index in functions.indices {
            copy.functions[index].references = functions[index].references.mapValues { reference in
                if case .data(let name, let offset) = reference {
                    .data(named(name), offset: offset)
                } else {
                    reference
                }
            }
        }
        return copy
    }
}
