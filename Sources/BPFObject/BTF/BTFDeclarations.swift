// How C writes what types of BTF describe.

extension BTFReader {
    /// The declaration of the function of that number, `int name(struct xdp_md *ctx)`; nil if it is none.
    func declaration(ofFunction id: UInt32) throws(BTFError) -> String? {
        let function = try head(at: offset(ofType: id))
        guard function.kind == .function else { return nil }
        let start = try offset(ofType: function.sizeOrType)
        let prototype = try head(at: start)
        guard prototype.kind == .functionPrototype else { return nil }
        var parameters: [String] = []
        for index in 0..<prototype.count {
            let place = start + Self.headSize + 8 * index
            let type = word(at: place + 4)
            // Type 0 without a name stands for further arguments.
            let name = try string(at: word(at: place))
            parameters.append(type == 0 && name.isEmpty ? "..." : try declaration(of: name, type))
        }
        let name = try string(at: function.name)
        return try declaration(
            of: "\(name)(\(parameters.isEmpty ? "void" : parameters.joined(separator: ", ")))", prototype.sizeOrType)
    }

    /// The declaration of a variable, member or parameter; without a name, the type alone.
    func declaration(of name: String, _ type: UInt32) throws(BTFError) -> String {
        // What is around the name is put together from the inside to the outside.
        var (id, text) = (type, name)
        for _ in 0...min(typeCount, 64) {
            if id == 0 { return joined("void", text) }
            let start = try offset(ofType: id)
            let type = try head(at: start)
            let typeName = try string(at: type.name)
            switch type.kind {
            case .pointer:
                text = "*" + text
                id = type.sizeOrType
            case .array:
                text = (text.hasPrefix("*") ? "(\(text))" : text) + "[\(word(at: start + Self.headSize + 8))]"
                id = word(at: start + Self.headSize)
            case .functionPrototype:
                text = "(\(text))()"
                id = type.sizeOrType
            case .const, .volatile, .restrict:
                let word = type.kind == .const ? "const" : type.kind == .volatile ? "volatile" : "restrict"
                text = joined(word, text)
                id = type.sizeOrType
            case .typeTag: id = type.sizeOrType
            case .structure: return joined("struct \(typeName.isEmpty ? "{…}" : typeName)", text)
            case .union: return joined("union \(typeName.isEmpty ? "{…}" : typeName)", text)
            case .enumeration, .enumeration64: return joined("enum \(typeName.isEmpty ? "{…}" : typeName)", text)
            case .forward: return joined("\(type.kindFlag ? "union" : "struct") \(typeName)", text)
            case .integer, .alias, .float, .function, .variable, .dataSection, .declarationTag:
                return joined(typeName, text)
            }
        }
        return joined("…", text)
    }

    private func joined(_ type: String, _ text: String) -> String { text.isEmpty ? type : "\(type) \(text)" }
}
