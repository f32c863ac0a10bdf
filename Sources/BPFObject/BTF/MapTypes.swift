import ExtendedBPF

extension BTFBuilder {
    /// Adds the structure that tells loaders of a map, and returns its number and size.
    ///
    /// Its members are pointers, never followed: what they point to is a type, or an array as long as a number.
    /// Source: libbpf's "BTF-defined maps".
    mutating func addMap(_ map: MapDeclaration) -> (type: BTFTypeID, bytes: UInt32) {
        var members: [BTFType.Member] = []
        func member(_ name: String, _ target: BTFTypeID, _ btf: inout BTFBuilder) {
            let pointer = btf.share(.pointer(to: target))
            members.append(BTFType.Member(name: name, type: pointer, byteOffset: UInt32(members.count) * 8))
        }
        member("type", number(map.kind.rawValue), &self)
        if map.keySize > 0 { member("key", keyType(of: map), &self) }
        if map.valueSize > 0 { member("value", id(of: .number(bytes: map.valueSize)), &self) }
        member("max_entries", number(map.maxEntries), &self)
        if !map.flags.isEmpty { member("map_flags", number(map.flags.rawValue), &self) }
        let bytes = UInt32(members.count) * 8
        return (add(.structure(name: "", bytes: bytes, members: members)), bytes)
    }

    private mutating func number(_ value: UInt32) -> BTFTypeID {
        id(of: .array(of: .int, count: value))
    }

    /// The kernel wants the key of a trie to be a structure, that of an array a number.
    private mutating func keyType(of map: MapDeclaration) -> BTFTypeID {
        guard map.kind == .longestPrefixMatch, map.keySize > 4 else { return id(of: .number(bytes: map.keySize)) }
        let members = [
            BTFType.Member(name: "prefixlen", type: id(of: .unsigned(4)), byteOffset: 0),
            BTFType.Member(
                name: "data", type: id(of: .array(of: .unsigned(1), count: map.keySize - 4)), byteOffset: 4),
        ]
        return share(.structure(name: "", bytes: map.keySize, members: members))
    }
}

extension CType {
    /// A number of that many bytes, or an array of bytes where there is none.
    fileprivate static func number(bytes: UInt32) -> CType {
        [1, 2, 4, 8].contains(bytes) ? .unsigned(bytes) : .array(of: .unsigned(1), count: bytes)
    }
}
