import ExtendedBPF

extension Program {
    /// The kernel functions it calls, each once, in the order of the first calls.
    var kernelFunctions: [String] {
        var names: [String] = []
        var known: Set<String> = []
        for (reference, _) in placedReferences {
            if case .kernelFunction(let name) = reference, known.insert(name).inserted { names.append(name) }
        }
        return names
    }

    /// All references in the order of the instructions, each with how to say that it is wrong.
    var placedReferences: [(reference: Reference, error: (ObjectError.Reason) -> ObjectError)] {
        functions.flatMap { function in
            function.references.sorted { $0.key < $1.key }.map { place, reference in
                (reference, { ObjectError($0, function: function.name, instruction: place) })
            }
        }
    }
}

extension DebugTables {
    /// Describes the kernel functions that `program` calls as what is to be found in the kernel: section `.ksyms`.
    mutating func addKernelFunctions(
        of program: Program, _ declarations: KernelDeclarations?
    ) throws(ObjectError) {
        for (reference, error) in program.placedReferences {
            if case .kernelFunction(let name) = reference, (declarations ?? .known).functions[name] == nil {
                throw error(.undeclaredKernelFunction(name))
            }
        }
        var places: [BTFType.Place] = []
        for name in program.kernelFunctions {
            guard let declaration = (declarations ?? .known).functions[name] else { continue }
            // The kernel's own types are whole structures, and kinds are compared.
            let result = btf.id(of: declaration.result, opaque: .empty)
            let parameters = declaration.parameters.map {
                BTFType.Parameter(name: $0.name, type: btf.id(of: $0.type, opaque: .empty))
            }
            let prototype = btf.add(.functionPrototype(result: result, parameters: parameters))
            let function = btf.add(.function(name: name, prototype: prototype, linkage: .extern))
            places.append(BTFType.Place(variable: function, offset: 0, size: 0))
        }
        if !places.isEmpty { _ = btf.add(.dataSection(name: ".ksyms", bytes: 0, variables: places)) }
    }
}
