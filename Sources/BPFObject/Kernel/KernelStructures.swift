import ExtendedBPF

/// The kernel's structures as a file describes them: with no members but those the program names, one behind the other.
///
/// A loader looks for the same names in the kernel's BTF and puts the distances there in the place of these
/// (compile once, run everywhere). Source: the kernel's documentation of the BPF Type Format and "BPF CO-RE".
struct KernelStructures {
    /// A structure or a member of it, as this file has it.
    struct Place {
        var type: BTFTypeID
        /// The offset of the string that says which member, as `0:2:1`.
        var access: UInt32
        /// The distance in bytes of the member; the number of the type where it alone is meant.
        var value: UInt32
        var kind: KernelRecord.Kind
    }

    /// By reference.
    private(set) var places: [Reference: Place] = [:]

    /// Describes what `program` names.
    ///
    /// - Throws: ``ObjectError`` for a member without a declaration.
    init(
        _ program: Program, _ declarations: KernelDeclarations?, in btf: inout BTFBuilder
    ) throws(ObjectError) {
        var names: [String] = []
        var members: [String: [Member]] = [:]
        for (reference, error) in program.placedReferences {
            switch reference {
            case .kernelType(let structure):
                if members[structure] == nil { names.append(structure) }
                members[structure, default: []] += []
            case .kernelField(let structure, let member):
                guard let type = (declarations ?? .known).members[structure]?[member] else {
                    throw error(.undeclaredMember(member, structure: structure))
                }
                if members[structure] == nil { names.append(structure) }
                let path = member.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
                guard members[structure, default: []].add(path[...], type) else {
                    throw error(.contradictoryMember(member, structure: structure))
                }
            default: break
            }
        }
        for name in names {
            let layout = Layout(of: members[name] ?? [], named: name, in: &btf)
            places[.kernelType(name)] = Place(
                type: layout.type, access: btf.offset(of: "0"), value: layout.type.rawValue, kind: .targetTypeID)
            for (path, member) in layout.members {
                let access = ([0] + member.indices).map(String.init).joined(separator: ":")
                places[.kernelField(structure: name, member: path)] = Place(
                    type: layout.type, access: btf.offset(of: access), value: member.distance, kind: .fieldByteOffset)
            }
        }
    }
}

/// A member of a structure before it has a place: a value, or a structure of its own.
private struct Member {
    enum Content {
        case value(CType)
        case structure([Member])
    }

    var name: String
    var content: Content
}

extension [Member] {
    /// Adds the member at the end of `path` with the structures it is in; false if one of them is there as a value, or
    /// the member as something else.
    mutating func add(_ path: ArraySlice<String>, _ type: CType) -> Bool {
        let name = path.first ?? ""
        let isLast = path.count <= 1
        guard let index = firstIndex(where: { $0.name == name }) else {
            var inner: [Member] = []
            guard isLast || inner.add(path.dropFirst(), type) else { return false }
            append(Member(name: name, content: isLast ? .value(type) : .structure(inner)))
            return true
        }
        switch self[index].content {
        case .value(let known): return isLast && known == type
        case .structure(var inner):
            guard !isLast, inner.add(path.dropFirst(), type) else { return false }
            self[index].content = .structure(inner)
            return true
        }
    }
}

/// Where members are in a structure of this file.
private struct Layout {
    var type: BTFTypeID
    var size: UInt32 = 0
    var alignment: UInt32 = 1
    /// By path, in the order of the structure: which member of which, and the distance from the start.
    var members: [(path: String, member: (indices: [Int], distance: UInt32))] = []

    /// Lays `members` out as C does and adds the structure.
    init(of members: [Member], named name: String, in btf: inout BTFBuilder) {
        type = BTFTypeID(rawValue: 0)
        var types: [BTFType.Member] = []
        for (index, member) in members.enumerated() {
            let memberType: BTFTypeID
            let memberSize: UInt32
            switch member.content {
            case .value(let value):
                memberType = btf.id(of: value)
                memberSize = value.size
                align(to: value.alignment)
                self.members.append((member.name, ([index], size)))
            case .structure(let inner):
                let layout = Layout(of: inner, named: "", in: &btf)
                memberType = layout.type
                memberSize = layout.size
                align(to: layout.alignment)
                for (path, place) in layout.members {
                    self.members.append((member.name + "." + path, ([index] + place.indices, size + place.distance)))
                }
            }
            types.append(BTFType.Member(name: member.name, type: memberType, byteOffset: size))
            size += memberSize
        }
        align(to: alignment)
        type = btf.share(.structure(name: name, bytes: size, members: types))
    }

    /// Moves the end up to a multiple of `unit`, and has the structure start at one.
    private mutating func align(to unit: UInt32) {
        alignment = max(alignment, unit)
        size = (size + unit - 1) / unit * unit
    }
}
