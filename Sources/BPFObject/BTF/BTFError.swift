/// Why bytes are no BTF, do not hold what was looked for, or cannot be made, and where.
public struct BTFError: Error, Hashable, Sendable {
    /// What is wrong, with the offending value and the limit.
    public enum Reason: Hashable, Sendable {
        /// A field, a type or a section reaches past the end of what holds it.
        case truncated(needed: Int, available: Int)
        /// The first two bytes are not BTF's, in either byte order.
        case notBTF(magic: UInt16)
        /// There is only version 1.
        case unknownVersion(UInt8)
        /// The header says it is shorter than its fields.
        case shortHeader(bytes: Int, least: Int)
        /// No type has this kind.
        case unknownKind(UInt8)
        /// The strings do not start and end with a NUL.
        case unterminatedStrings
        /// A name's offset is outside the strings.
        case stringOutOfRange(offset: Int, size: Int)
        /// A type refers to one that is not there.
        case typeOutOfRange(id: UInt32, count: Int)
        /// A `typedef` or qualifier leads back to itself.
        case circularType(id: UInt32)
        /// There is no type of that kind and name.
        case noSuchType(BTFKind, name: String)
        /// No `struct` or `union` of that name has such a member.
        case noSuchMember(String, structure: String)
        /// The member does not fill whole bytes.
        case bitField(String, structure: String)
        /// A map is described in a way that is not known here.
        case unloadableMap(String, String)
        /// There are more types than the kernel takes.
        case tooManyTypes(count: Int, limit: Int)
        /// There are more bytes than the kernel takes.
        case tooLong(bytes: Int, limit: Int)
    }

    /// What is wrong.
    public var reason: Reason

    /// The distance in bytes from the start of the BTF, or nil if the BTF as a whole is meant.
    public var offset: Int?

    /// Makes an error.
    public init(_ reason: Reason, at offset: Int? = nil) {
        self.reason = reason
        self.offset = offset
    }
}

extension BTFError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        guard let offset else { return reason.description }
        return "byte \(offset): \(reason)"
    }
}

extension BTFError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .truncated(let needed, let available):
            "\(needed) bytes are needed, \(available) are left"
        case .notBTF(let magic):
            "0x\(String(magic, radix: 16)) is no BTF, that starts with 0xeb9f"
        case .unknownVersion(let version):
            "version \(version) is unknown, the only one is 1"
        case .shortHeader(let bytes, let least):
            "the header has \(bytes) bytes, it needs at least \(least)"
        case .unknownKind(let kind):
            "kind \(kind) is unknown, the last is \(BTFKind.allCases.count)"
        case .unterminatedStrings:
            "the strings must start and end with a NUL"
        case .stringOutOfRange(let offset, let size):
            "there is no string at \(offset), the strings have \(size) bytes"
        case .typeOutOfRange(let id, let count):
            "there is no type \(id), the last is \(count)"
        case .unloadableMap(let name, let reason): "map \(name.debugDescription) cannot be made: \(reason)"
        case .circularType(let id):
            "type \(id) stands for itself, it must end at another kind of type"
        case .noSuchType(let kind, let name):
            "there is no \(kind) named \(name.debugDescription)"
        case .noSuchMember(let member, let structure):
            "structure \(structure.debugDescription) has no member \(member.debugDescription)"
        case .bitField(let member, let structure):
            "member \(member.debugDescription) of structure \(structure.debugDescription) is a bit field, "
                + "it has no offset in bytes"
        case .tooManyTypes(let count, let limit):
            "there are \(count) types, at most \(limit) are allowed"
        case .tooLong(let bytes, let limit):
            "the BTF has \(bytes) bytes, at most \(limit) are allowed"
        }
    }
}
