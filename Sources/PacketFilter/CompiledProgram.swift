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
    /// The order of bytes of the machines that it is for, or nil if it is right on all; an optimised program compares
    /// with constants in the order of the packet's bytes.
    public internal(set) var byteOrder: ByteOrder?
    /// How many rounds its loops get, nil if it has none or no packet can need more: one that does, does not match.
    public let loopRounds: Int?
    /// Whether the program reads whatever packets have, or what lies in the linear part of the kernel's buffer only: a
    /// packet of which the filter asks for more does not match.
    public let reachesWholePackets: Bool

    init(
        filter: PacketFilter, target: Target, program: ExtendedProgram, byteOrder: ByteOrder? = nil,
        loopRounds: Int? = nil, reachesWholePackets: Bool = true
    ) {
        self.filter = filter
        self.target = target
        self.program = program
        self.byteOrder = byteOrder
        self.loopRounds = loopRounds
        self.reachesWholePackets = reachesWholePackets
    }

    /// A relocatable object that loaders take, the entry in the section of its hook.
    ///
    /// Its line information names the classic instruction each eBPF instruction came from.
    ///
    /// - Parameters:
    ///   - name: The program's name, a C identifier; nil keeps the one it was compiled with.
    ///   - license: What the object states in its `license` section; one with a function states none.
    ///   - byteOrder: The order of the machine it is for; nil stands for ``byteOrder``, or this machine's.
    /// - Throws: `ObjectError` if the object cannot hold the program, ``WrongByteOrder``.
    public func object(
        named name: String? = nil, license: String = PacketFilter.defaultLicense, byteOrder: ByteOrder? = nil
    ) throws -> ProgramObject {
        ProgramObject(
            bytes: try object(named: name, license: license, checked(byteOrder)).bytes())
    }

    /// The C header that declares a function to those who link with its object; nil for a program.
    ///
    /// - Parameter name: The function's name, as for ``object(named:license:byteOrder:)``.
    /// - Throws: `ObjectError` if the object cannot hold the function.
    public func header(named name: String? = nil) throws -> String? {
        try object(named: name, license: PacketFilter.defaultLicense, checked(nil)).header()
    }

    /// The bytes of `struct bpf_insn[]`, all functions one behind the other.
    ///
    /// - Parameter order: As for ``object(named:license:byteOrder:)``.
    /// - Throws: ``WrongByteOrder``, ``TablesLeftOut`` for a program that reads tables (``CompilerOptions/allowsTables``).
    public func bytes(_ order: ByteOrder? = nil) throws -> [UInt8] {
        let order = try checked(order)
        if !program.data.isEmpty { throw TablesLeftOut(count: program.data.count) }
        return program.linked().instructions.flatMap { $0.bytes(order) }
    }

    private func object(named name: String?, license: String, _ order: ByteOrder) -> Object {
        Object(
            program: name.map(program.renamed) ?? program,
            kind: target.hook.isFunction ? .function(result: .bool) : .program(section: target.hook.section),
            license: license, source: source, contextType: target.hook.contextType, byteOrder: order)
    }

    /// The order to write in: `order` or, where that is nil, the one there is.
    func checked(_ order: ByteOrder?) throws(WrongByteOrder) -> ByteOrder {
        guard let byteOrder else { return order ?? .host }
        guard order == nil || order == byteOrder else { throw WrongByteOrder(compiledFor: byteOrder) }
        return byteOrder
    }

    /// The program as the kernel lists it, classic instructions as comments.
    public var listing: String {
        DeclarationListing.text([], program.data) + ExtendedListing.text(program, source: sourceLines)
    }

    /// The filter and the program as JSON; `Grammar/program.schema.json` describes it.
    public func json() throws -> String {
        try ProgramDocument(
            filter: filter.classic, program: program, expression: filter.expression, linkType: filter.linkType?.name,
            hook: target.hook.description, vlan: target.vlan == .bytes ? nil : target.vlan?.rawValue
        ).text()
    }

    /// The program itself.
    ///
    /// - Throws: ``Defect`` where an instruction is none of RFC 9669's.
    func validated() throws(Defect) -> CompiledProgram {
        for (index, instruction) in program.linked().instructions.enumerated() {
            do {
                try instruction.validate()
            } catch {
                throw Defect("instruction \(index) of the program is not valid: \(error)")
            }
        }
        return self
    }

    /// The text that line information counts lines of.
    var source: SourceText { SourceText(fileName: Self.sourceFileName, lines: sourceLines) }

    /// The name by which line information calls that text.
    static let sourceFileName = "filter.cbpf"

    /// The lines of the source, the first of which states where a packet does not match that the filter would.
    var sourceLines: [String] {
        var lines = filter.sourceLines
        if let loopRounds { lines[0] += " (no match beyond \(loopRounds) rounds of a loop)" }
        if !reachesWholePackets { lines[0] += " (no match beyond a packet's linear part)" }
        return lines
    }
}

/// A program is asked for in another order of bytes than the one it was compiled for.
public struct WrongByteOrder: Error, Hashable, Sendable, CustomStringConvertible {
    /// What it was compiled for (``CompilerOptions/byteOrder``).
    public var compiledFor: ByteOrder

    /// What was found, what would be right.
    public var description: String {
        let (right, wrong) = compiledFor == .little ? ("little", "big") : ("big", "little")
        return "the program was compiled for \(right)-endian machines: compile the filter for \(wrong)-endian ones"
    }
}

/// The instructions alone are asked for of a program that reads tables of constants.
public struct TablesLeftOut: Error, Hashable, Sendable, CustomStringConvertible {
    /// How many tables the program has.
    public var count: Int

    /// What was found, what would be right.
    public var description: String {
        "the program reads \(count == 1 ? "a table" : "\(count) tables"), for which bytes of instructions have no place: "
            + "compile the filter without tables"
    }
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
