#if os(Linux)
    import BPFKernel
    import BPFObject
    import ExtendedBPF

    /// Where the running kernel keeps the members of its structures and its functions.
    struct KernelLayout {
        private let types: BTFReader

        /// The layout of the running kernel.
        static func running() throws -> KernelLayout {
            KernelLayout(types: try BTFReader(RunningKernel.typeInformation()))
        }

        /// `program` as one function, every reference into the kernel replaced by this kernel's number.
        func resolve(_ program: ExtendedProgram) throws -> Function {
            var function = program.linked()
            let distances = try RunningKernel.callDistances(of: symbols(in: function))
            for (index, reference) in function.references {
                switch reference {
                case .kernelField(let structure, let member):
                    let distance = try types.byteOffset(of: member, in: structure)
                    guard let offset = Int16(exactly: distance) else {
                        throw Defect("\(structure).\(member) is \(distance) bytes from the start, too far for a load")
                    }
                    function.instructions[index].offset = offset
                case .kernelSymbol(let name):
                    function.instructions[index].imm = distances[name]!
                case .function, .map, .kernelFunction:
                    throw Defect("the kernel's own form has a reference to \(reference)")
                }
            }
            function.references = [:]
            return function
        }

        private func symbols(in function: Function) -> [String] {
            Set(
                function.references.values.compactMap { reference in
                    if case .kernelSymbol(let name) = reference { name } else { nil }
                }
            ).sorted()
        }
    }
#endif
