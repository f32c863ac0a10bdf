import ExtendedBPF

/// A program with all that a loader has to know of it, as an ELF file for bpftool, libbpf, `tc`, `ip` and others.
public struct Object: Hashable, Sendable {
    /// What the first function is for.
    public enum Kind: Hashable, Sendable {
        /// The kernel enters at it. From the section loaders know the program's type: `socket`, `classifier`, `xdp`.
        case program(section: String)
        /// C programs that are linked with the object call it; nothing can be loaded before
        /// (`bpftool gen object both.o program.o function.o`).
        ///
        /// libbpf 1.1 links no two files, from whatever compiler, that call the same kernel function.
        case function(result: Result)

        /// What a function for C programs is declared to return.
        public enum Result: Hashable, Sendable {
            /// `int`.
            case int
            /// `bool`; the function must return 0 or 1.
            case bool
        }
    }

    /// The program, with its tables and maps. The first function is the one that is entered at; the others can be
    /// called by it and each other.
    public var program: Program
    /// What the first function is for.
    public var kind: Kind
    /// The license, which decides whether the kernel allows GPL-only helpers. A ``Kind/function(result:)`` has that of
    /// the program it becomes part of, none is written.
    public var license: String
    /// The version of the kernel the program is for (`LINUX_VERSION_CODE`), or nil to leave it out. Only kernels before
    /// 5.0 ask for it, and only for probes.
    public var kernelVersion: UInt32?
    /// The text the program was made from, or nil to leave source lines out; libbpf then warns that there are none.
    public var source: SourceText?
    /// What the context pointer of every function points to: a C structure (`__sk_buff`, `xdp_md`, `pt_regs`,
    /// `bpf_nf_ctx`), or `unsigned long long` for the raw arguments of `tp_btf`, `raw_tp` and `fentry`, or `void`.
    public var contextType: String
    /// How the kernel declares what the program refers to; nil stands for ``KernelDeclarations/known``.
    public var declarations: KernelDeclarations?
    /// The byte order of the machine that is to run the program.
    public var byteOrder: ByteOrder

    /// Makes an object; what cannot be written is an error of ``bytes()``.
    public init(
        program: Program, kind: Kind, license: String = "GPL", source: SourceText? = nil, contextType: String,
        byteOrder: ByteOrder = .host
    ) {
        self.program = program
        self.kind = kind
        self.license = license
        self.source = source
        self.contextType = contextType
        self.byteOrder = byteOrder
    }

    /// Makes an object of a program that the kernel enters; what cannot be written is an error of ``bytes()``.
    public init(
        program: Program, section: String, license: String = "GPL", source: SourceText? = nil, contextType: String,
        byteOrder: ByteOrder = .host
    ) {
        self.init(
            program: program, kind: .program(section: section), license: license, source: source,
            contextType: contextType, byteOrder: byteOrder)
    }

    /// The bytes of the file, the same for the same object.
    ///
    /// The first function of a program is a global symbol in its section; that of a function a global, hidden one in
    /// `.text`, where all others are as local ones. Calls from another section are relocated as clang does it, so are
    /// calls of kernel functions (section `.ksyms` of the types), maps (`.maps`) and tables (`.rodata`). What depends
    /// on the layout of kernel structures is left to the loader (CO-RE). `.BTF` gives every function the type
    /// `int name(contextType *ctx)`, `.BTF.ext` says where each function and each source line starts; the
    /// lines are shown as ``SourceText/lineSizeLimit`` says, those after the first 4 MiB of text and the numbers
    /// above 4,194,303 not exactly: their text is empty, the number that limit.
    /// - Throws: ``ObjectError`` for a name, a section, a license, a reference, a size or a line mark that cannot be
    ///   written.
    /// - Complexity: O(number of instructions + size of the tables).
    public func bytes() throws(ObjectError) -> [UInt8] {
        try validate()
        var writer = try ObjectWriter(self)
        return try writer.write()
    }

    /// The header by which C programs know a ``Kind/function(result:)``, or nil for a program.
    ///
    /// It needs no other header; whether the context's structure is known before it does not matter.
    /// - Throws: ``ObjectError`` as ``bytes()`` does.
    public func header() throws(ObjectError) -> String? {
        try validate()
        guard case .function(let result) = kind else { return nil }
        let name = program.entry.name
        let isStructure = try context(named: contextType) == .structure(contextType)
        let parameter = isStructure ? "struct \(contextType)" : contextType
        return """
            #ifndef \(name.uppercased())_H
            #define \(name.uppercased())_H

            \(isStructure ? parameter + ";\n" : "")extern \(result == .bool ? "_Bool" : "int") \(name)(\(parameter) *ctx);

            #endif

            """
    }

    /// Names of variables that the file needs itself.
    enum OwnSymbol {
        static let license = "_license"
        static let version = "_version"
    }

    private func validate() throws(ObjectError) {
        try program.validateNames()
        _ = try context(named: contextType)
        try program.validateReferences()
        try program.validateSymbols(taken: [OwnSymbol.license, OwnSymbol.version])
        if license.isEmpty || license.utf8.contains(0) { throw ObjectError(.invalidLicense(license)) }
        guard case .program(let section) = kind else { return }
        // Names with a dot in front are the file's own; loaders take the other two for something else.
        let isTaken = section.hasPrefix(".") || ["license", "version", "maps"].contains(section)
        if section.isEmpty || isTaken || section.utf8.contains(0) { throw ObjectError(.invalidSection(section)) }
    }
}
