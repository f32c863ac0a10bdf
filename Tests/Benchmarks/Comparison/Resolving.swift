#if os(Linux)
    import BPFKernel
    import BPFObject
    import ExtendedBPF

    extension ExtendedBPF.Program {
        /// The program with the running kernel's numbers for the types, functions and members it refers to.
        func resolved() throws -> ExtendedBPF.Program {
            var program = self
            guard functions.contains(where: { !$0.references.isEmpty }) else { return program }
            let types = try BTFReader(RunningKernel.typeInformation())
            for index in functions.indices {
                for (place, reference) in functions[index].references {
                    guard let number = try types.number(for: reference) else { continue }
                    program.functions[index].references[place] = nil
                    if functions[index].instructions[place].opcode.instructionClass == .ldx {
                        program.functions[index].instructions[place].offset = Int16(number)
                    } else {
                        program.functions[index].instructions[place].imm = Int32(number)
                    }
                }
            }
            return program
        }
    }

    extension BTFReader {
        fileprivate func number(for reference: Reference) throws -> Int? {
            switch reference {
            case .kernelFunction(let name): Int(try typeID(of: .function, named: name).rawValue)
            case .kernelType(let name): Int(try typeID(of: .structure, named: name).rawValue)
            case .kernelField(let structure, let member): try byteOffset(of: member, in: structure)
            case .function, .map, .data, .kernelSymbol: nil
            }
        }
    }
#endif
