import ExtendedBPF
import PacketFilter
import TestSupport

#if os(Linux)
    import BPFKernel

    /// How many instructions the running kernel's verifier looks at, paths counted separately.
    func verifiedInstructions(_ program: CompiledProgram) throws -> Int? {
        try program.load().information().verifiedInstructions
    }

    /// The same of a program that did not come from this package's compiler.
    func verifiedInstructions(_ program: ExtendedBPF.Program, at hook: ReferenceFilter.Hook) throws -> Int? {
        let request = LoadRequest(program, type: hook == .xdp ? .xdp : .schedCls)
        return try LoadedProgram(loading: request).information().verifiedInstructions
    }
#else
    func verifiedInstructions(_ program: CompiledProgram) throws -> Int? { nil }
    func verifiedInstructions(_ program: ExtendedBPF.Program, at hook: ReferenceFilter.Hook) throws -> Int? { nil }
#endif
