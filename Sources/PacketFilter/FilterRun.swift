import BPFCompiler

/// A filter, or what was compiled of it, to be run on one packet after another; each way gives the same answers, or this
/// package has a defect.
public final class FilterRun {
    /// A way to run a filter.
    public enum Way: String, CaseIterable, Sendable {
        /// The classic filter in the interpreter.
        case classic
        /// The translation instruction by instruction, in the interpreter.
        case mirror = "-O0"
        /// The optimised program in the interpreter.
        case optimized = "-O1"
        /// The optimised program in the running kernel, by a test run.
        case kernel
    }

    private let filter: PacketFilter
    private let linkType: LinkType
    private let programs: [(way: Way, program: CompiledProgram)]
    /// What a program returns for a match.
    private let match: UInt32?
    #if os(Linux)
        private let loaded: LoadedProgram?
    #endif

    /// Prepares `ways` of running `filter`.
    ///
    /// - Parameters:
    ///   - target: What programs are made for.
    ///   - linkType: What the packets begin with.
    /// - Throws: What compiling and loading throw; ``NoKernel`` for ``Way/kernel`` away from Linux.
    public init(
        _ filter: PacketFilter, for target: Target, _ ways: [Way], linkType: LinkType, options: CompilerOptions
    ) throws {
        self.filter = filter
        self.linkType = linkType
        if case .verdict(let match, _) = target.result { self.match = match.value } else { match = nil }
        programs = try ways.filter { $0 != .classic }.map { way in
            var options = options
            options.level = way == .mirror ? .mirror : .optimized
            return (way, try filter.compile(for: target, options: options))
        }
        #if os(Linux)
            loaded = try Self.loaded(programs)
        #else
            if ways.contains(.kernel) { throw NoKernel() }
        #endif
    }

    #if os(Linux)
        private static func loaded(_ programs: [(way: Way, program: CompiledProgram)]) throws -> LoadedProgram? {
            try programs.first { $0.way == .kernel }?.program.load()
        }
    #endif

    /// There is no kernel to run the program.
    public struct NoKernel: Error, CustomStringConvertible {
        /// What would be right.
        public var description: String { "there is a kernel to run programs on Linux only" }
    }

    /// Whether the packet matches, by each way but ``Way/classic``; nil where the kernel takes no such packet.
    ///
    /// - Throws: `Trap` at the instruction that the interpreter cannot run, ``KernelError``.
    public func answers(for bytes: [UInt8]) throws -> [(way: Way, matches: Bool?)] {
        try programs.map { way, program in
            guard way == .kernel else { return (way, isMatch(try program.run(on: packet(bytes)))) }
            #if os(Linux)
                do {
                    return (way, try runInKernel(bytes).map(isMatch))
                } catch let error as KernelError where error.errno == .invalidArgument {
                    return (way, nil)
                }
            #else
                return (way, nil)
            #endif
        }
    }

    /// Whether the packet matches, by the classic filter.
    ///
    /// - Throws: `Trap` at the instruction that the interpreter cannot run.
    public func matches(_ bytes: [UInt8]) throws -> Bool { try filter.run(on: packet(bytes)) != 0 }

    #if os(Linux)
        private func runInKernel(_ bytes: [UInt8]) throws -> UInt32? { try loaded?.run(on: bytes).returnValue }
    #endif

    private func packet(_ bytes: [UInt8]) -> Packet {
        linkType == .ethernet ? Packet(ethernet: bytes) : Packet(bytes)
    }

    private func isMatch(_ result: UInt32) -> Bool { match.map { $0 == result } ?? (result != 0) }
}
