import BPFAssembly
import BPFCompiler
import BPFObject
import ExtendedBPF
import SystemPackage

/// A filter compiled for a hook.
public struct CompiledProgram: Hashable, Sendable {
    /// The filter it came from.
    public let filter: PacketFilter
    /// What it was compiled for.
    public let target: Target
    /// The eBPF program.
    public let program: ExtendedProgram

    /// A relocatable object that loaders take, the entry in the section of its hook.
    ///
    /// Its line information names the classic instruction each eBPF instruction came from.
    ///
    /// - Parameters:
    ///   - name: The program's name, a C identifier; nil keeps the one it was compiled with.
    ///   - license: What the object states in its `license` section.
    /// - Throws: `ObjectError` if the object cannot hold the program.
    public func object(
        named name: String? = nil, license: String = PacketFilter.defaultLicense, byteOrder: ByteOrder = .host
    ) throws -> ProgramObject {
        let object = Object(
            program: name.map(program.renamed) ?? program, section: target.hook.section, license: license,
            source: source, contextType: target.hook.contextType, byteOrder: byteOrder)
        return ProgramObject(bytes: try object.bytes())
    }

    /// The bytes of `struct bpf_insn[]`, all functions one behind the other.
    public func bytes(_ order: ByteOrder = .host) -> [UInt8] {
        program.linked().instructions.flatMap { $0.bytes(order) }
    }

    /// The program as the kernel lists it, classic instructions as comments.
    public var listing: String { ExtendedListing.text(program, source: filter.sourceLines) }

    /// The filter and the program as JSON; `Grammar/program.schema.json` describes it.
    public func json() throws -> String {
        try ProgramDocument(
            filter: filter.classic, program: program, expression: filter.expression, linkType: filter.linkType?.name,
            hook: target.hook.description, vlan: target.vlan == .bytes ? nil : target.vlan?.rawValue
        ).text()
    }

    /// The text that line information counts lines of.
    var source: SourceText { SourceText(fileName: "filter.cbpf", lines: filter.sourceLines) }
}

/// The bytes of an ELF object.
public struct ProgramObject: Hashable, Sendable {
    /// The bytes of the file.
    public let bytes: [UInt8]

    /// Writes the object to the file at `path`, which is made or overwritten.
    ///
    /// Where that fails halfway, no regular file is left behind.
    /// - Throws: ``FileError`` with the path.
    public func write(to path: FilePath) throws {
        try writeFile(bytes, to: path)
    }
}
