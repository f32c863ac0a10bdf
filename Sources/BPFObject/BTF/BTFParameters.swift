// The parameters of the kernel's functions and tracepoints.

/// A parameter of a function.
public struct BTFParameter: Hashable, Sendable {
    /// The name; empty where the types do not tell.
    public var name: String
    /// The type as C writes it, without the name: `struct sk_buff *`.
    public var type: String
    /// The structure that the parameter is a pointer to, nil where it is none.
    public var pointee: String?
}

extension BTFReader {
    /// The parameters of a function.
    ///
    /// - Throws: ``BTFError`` if there is no such function.
    /// - Complexity: O(number of types).
    public func parameters(ofFunction name: String) throws(BTFError) -> [BTFParameter] {
        let function = try typeID(of: .function, named: name)
        return try parameters(ofPrototype: word(at: offset(ofType: function.rawValue) + 8))
    }

    /// The arguments that programs at a tracepoint are given.
    ///
    /// The kernel describes them by a type `btf_trace_NAME`, a pointer to a function whose first parameter is none of
    /// them. Source: the kernel's Documentation/bpf (raw tracepoints with BTF).
    /// - Throws: ``BTFError`` if there is no such tracepoint.
    /// - Complexity: O(number of types).
    public func parameters(ofTracepoint name: String) throws(BTFError) -> [BTFParameter] {
        let alias = try typeID(of: .alias, named: "btf_trace_\(name)")
        let pointer = try offset(ofType: word(at: offset(ofType: alias.rawValue) + 8))
        return Array(try parameters(ofPrototype: word(at: pointer + 8)).dropFirst())
    }

    private func parameters(ofPrototype id: UInt32) throws(BTFError) -> [BTFParameter] {
        let start = try offset(ofType: id)
        var parameters: [BTFParameter] = []
        for index in 0..<(try head(at: start).count) {
            let place = start + Self.headSize + 8 * index
            let type = word(at: place + 4)
            parameters.append(
                BTFParameter(
                    name: try string(at: word(at: place)), type: try text(ofType: type), pointee: try pointee(type)))
        }
        return parameters
    }

    /// The name of the structure that a pointer leads to.
    private func pointee(_ id: UInt32) throws(BTFError) -> String? {
        guard let pointer = try underlying(id), try head(at: pointer).kind == .pointer,
            let target = try underlying(word(at: pointer + 8)), try head(at: target).kind == .structure
        else { return nil }
        return try string(at: word(at: target))
    }

    /// Where the type is that `id` is another name of, or a qualified form; nil for `void`.
    func underlying(_ id: UInt32) throws(BTFError) -> Int? {
        var id = id
        for _ in 0...typeCount {
            if id == 0 { return nil }
            let start = try offset(ofType: id)
            guard try head(at: start).kind.isTransparent else { return start }
            id = word(at: start + 8)
        }
        throw BTFError(.circularType(id: id))
    }

    /// A type as C writes it, near enough to be recognised.
    private func text(ofType id: UInt32, depth: Int = 0) throws(BTFError) -> String {
        if id == 0 { return "void" }
        // Deeper types are not written by people.
        guard depth < 16 else { return "…" }
        let start = try offset(ofType: id)
        let (kind, name, other) = (try head(at: start).kind, try string(at: word(at: start)), word(at: start + 8))
        switch kind {
        case .structure: return "struct \(name)"
        case .union: return "union \(name)"
        case .enumeration, .enumeration64: return "enum \(name)"
        case .forward: return (try head(at: start).kindFlag ? "union " : "struct ") + name
        case .const: return "const " + (try text(ofType: other, depth: depth + 1))
        case .volatile: return "volatile " + (try text(ofType: other, depth: depth + 1))
        case .restrict, .typeTag: return try text(ofType: other, depth: depth + 1)
        case .pointer:
            let target = try text(ofType: other, depth: depth + 1)
            return target.hasSuffix("*") ? target + "*" : target + " *"
        case .array: return try text(ofType: word(at: start + Self.headSize), depth: depth + 1) + " []"
        case .functionPrototype: return "function"
        case .integer, .float, .alias, .function, .variable, .dataSection, .declarationTag: return name
        }
    }
}
