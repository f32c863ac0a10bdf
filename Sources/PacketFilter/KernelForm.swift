import BPFAssembly
import BPFObject
import ExtendedBPF

#if os(Linux)
    import BPFKernel
#endif

/// What the kernel's own converter makes of a filter, for reading and comparing. No kernel loads it from outside.
public struct KernelForm: Hashable, Sendable {
    /// The filter.
    public let filter: PacketFilter
    /// The program; members of kernel structures and functions inside the kernel are references.
    public let program: ExtendedProgram

    /// The program as the kernel lists it, members and functions by name, classic instructions as comments.
    public var listing: String { ExtendedListing.text(program, source: filter.sourceLines) }

    /// The filter and the program as JSON; `Grammar/program.schema.json` describes it.
    public func json() throws -> String {
        try ProgramDocument(
            filter: filter.classic, program: program, expression: filter.expression, linkType: filter.linkType?.name
        ).text()
    }

    /// The bytes the running kernel has for the filter, once it is attached.
    ///
    /// - Throws: `KernelError` where the kernel hides its type information or the addresses of its functions (both
    ///   are there for root), `BTFError` if it has no such member; on other systems, that there is no kernel to ask.
    public func bytesOnThisKernel() throws -> [UInt8] {
        #if os(Linux)
            return try KernelLayout.running().resolve(program).instructions.flatMap { $0.bytes(.host) }
        #else
            throw UnsupportedSystem("the exact bytes of the kernel's own form need a running Linux kernel")
        #endif
    }
}

/// Something that only a running Linux kernel can do.
public struct UnsupportedSystem: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was asked for.
    public var description: String

    init(_ description: String) { self.description = description }
}
