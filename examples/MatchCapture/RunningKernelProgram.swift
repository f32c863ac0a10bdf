import PacketFilter

/// A program in the running kernel, or the reason why it is not there.
struct RunningKernelProgram: ~Copyable {
    /// What became of it.
    let summary: String

    #if os(Linux)
        private let program: LoadedProgram?

        init(_ compiled: CompiledProgram) throws {
            do {
                let program = try compiled.load()
                summary = "loaded as program \(try program.information().identifier), the same answers"
                self.program = consume program
            } catch let error as KernelError where error.errno == .notPermitted {
                summary = "not asked, \(error)"
                program = nil
            }
        }

        /// What the kernel's program returns for the frame, or nil if it is not loaded.
        func run(on frame: [UInt8]) throws -> UInt32? {
            try program?.run(on: frame).returnValue
        }
    #else
        init(_ compiled: CompiledProgram) throws {
            summary = "not asked, this is no Linux"
        }

        func run(on frame: [UInt8]) throws -> UInt32? { nil }
    #endif
}
