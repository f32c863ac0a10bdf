#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import BPFObject
    import ExtendedBPF

    /// Where the running kernel keeps the members of its structures and its functions.
    struct KernelLayout: Sendable {
        private let types: BTFReader
        private let callDistances: [String: Int32]

        /// The layout of the running kernel, read once.
        static func running() throws -> KernelLayout { try read.get() }

        private static let read = Result {
            KernelLayout(
                types: try BTFReader(RunningKernel.typeInformation()),
                callDistances: try RunningKernel.callDistances(of: Translator.kernelSymbols))
        }

        /// `program` as one function, every reference into the kernel replaced by this kernel's number.
        func resolve(_ program: ExtendedProgram) throws -> Function {
            var function = program.linked()
            for (index, reference) in function.references {
                switch reference {
                case .kernelField(let structure, let member):
                    let distance = try types.byteOffset(of: member, in: structure)
                    guard let offset = Int16(exactly: distance) else {
                        throw Defect("\(structure).\(member) is \(distance) bytes from the start, too far for a load")
                    }
                    function.instructions[index].offset = offset
                case .kernelSymbol(let name):
                    guard let distance = callDistances[name] else { throw Defect("\(name) was not looked up") }
                    function.instructions[index].imm = distance
                case .function, .map, .data, .kernelFunction, .kernelType:
                    throw Defect("the kernel's own form has a reference to \(reference)")
                }
            }
            function.references = [:]
            return function
        }
    }
#endif
