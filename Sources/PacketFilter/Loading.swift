#if os(Linux)
    import BPFKernel
    import BPFObject

    /// An eBPF program in the kernel, which stays there as long as this value lives.
    public typealias LoadedProgram = BPFKernel.Program
    /// Why the kernel refused something, with the verifier's log.
    public typealias KernelError = BPFKernel.KernelError

    extension KernelVersion {
        /// The version of the running kernel.
        public static var running: KernelVersion? {
            let code = RunningKernel.versionCode
            return KernelVersion(Int(code >> 16), Int(code >> 8 & 0xff))
        }
    }

    extension CompiledProgram {
        /// Loads the program into the running kernel, without an object file in between.
        ///
        /// - Parameters:
        ///   - name: The program's name, a C identifier of which the kernel keeps 15 bytes; nil keeps the one it was
        ///     compiled with.
        ///   - license: What the kernel is told the program's license is.
        ///   - log: What the verifier is to write of an accepted program.
        /// - Throws: ``KernelError`` with the verifier's whole log; `BTFError` where this kernel has no such tracepoint,
        ///   function or member of a structure; ``NotLoadable`` for a function; ``WrongByteOrder`` for a program for
        ///   other machines.
        public func load(
            named name: String? = nil, license: String = PacketFilter.defaultLicense, log: LogLevel = []
        ) throws -> LoadedProgram {
            _ = try checked(.host)
            return try LoadableProgram(
                name.map(program.renamed) ?? program, for: target.hook, license: license, source: source
            ).load(log: log)
        }
    }
#else
    extension KernelVersion {
        /// The version of the running kernel, which is none of Linux here.
        public static var running: KernelVersion? { nil }
    }
#endif
