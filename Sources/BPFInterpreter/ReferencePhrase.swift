import ExtendedBPF

extension Reference {
    /// What the reference names, for use in a sentence.
    var phrase: String {
        switch self {
        case .function(let name): "function \(name)"
        case .map(let name): "map \(name)"
        case .data(let name, let offset): "byte \(offset) of table \(name)"
        case .kernelFunction(let name): "kernel function \(name)"
        case .kernelSymbol(let name): "kernel symbol \(name)"
        case .kernelField(let structure, let member): "kernel field \(structure).\(member)"
        case .kernelType(let name): "kernel type \(name)"
        }
    }
}
