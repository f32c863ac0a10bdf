// What numbers in other sections stand for.

extension BTFReader {
    /// The name of the structure or other type of that number; empty for one without a name.
    func name(ofType id: UInt32) throws(BTFError) -> String { try string(at: word(at: offset(ofType: id))) }

    /// The path of members that an access string of CO-RE names, `"0:2:1"` as `"__sk_common.skc_family"`.
    ///
    /// The first number is an index of the pointer. Unnamed members are left out, and what is behind an array's index.
    func memberPath(_ access: String, inType id: UInt32) throws(BTFError) -> String {
        var names: [String] = []
        var type = id
        for part in access.split(separator: ":").dropFirst() {
            guard let start = try structure(type), let index = Int(part), index < (try head(at: start).count) else {
                break
            }
            let member = start + Self.headSize + 12 * index
            names.append(try string(at: word(at: member)))
            type = word(at: member + 4)
        }
        return names.filter { !$0.isEmpty }.joined(separator: ".")
    }

    /// The string at that place of the strings.
    func string(at position: UInt32) throws(BTFError) -> String {
        guard position < strings.count else {
            throw BTFError(.stringOutOfRange(offset: Int(position), size: strings.count))
        }
        // The last of the strings ends with a NUL.
        let text = bytes[(strings.lowerBound + Int(position))..<strings.upperBound].prefix { $0 != 0 }
        return String(decoding: text, as: UTF8.self)
    }

    func offset(ofType id: UInt32) throws(BTFError) -> Int {
        guard 1...max(1, typeCount) ~= Int(id), typeCount > 0 else {
            throw BTFError(.typeOutOfRange(id: id, count: typeCount))
        }
        return typeOffsets[Int(id) - 1]
    }

    /// Where the structure or union starts that type `id` is or stands for, or nil.
    private func structure(_ id: UInt32) throws(BTFError) -> Int? {
        var id = id
        for _ in 0...typeCount {
            if id == 0 { return nil }
            let start = try offset(ofType: id)
            let type = try head(at: start)
            if type.kind == .structure || type.kind == .union { return start }
            guard type.kind.isTransparent else { return nil }
            id = type.sizeOrType
        }
        throw BTFError(.circularType(id: id))
    }
}
