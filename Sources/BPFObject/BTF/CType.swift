/// A C type, as far as descriptions of what kernels have need them. Pointers have 8 bytes.
public indirect enum CType: Hashable, Sendable {
    /// `void`, behind a pointer or as a result.
    case void
    /// `_Bool`.
    case bool
    /// A number of 1, 2, 4 or 8 bytes.
    case integer(bytes: UInt32, signed: Bool)
    /// A pointer.
    case pointer(to: CType)
    /// A structure of which only the name is known, behind a pointer.
    case structure(String)
    /// An array.
    case array(of: CType, count: UInt32)

    /// `unsigned char`, `unsigned short`, `unsigned int` or `unsigned long long`, by the number of bytes.
    public static func unsigned(_ bytes: UInt32) -> CType { .integer(bytes: bytes, signed: false) }
    /// `int`.
    public static let int = CType.integer(bytes: 4, signed: true)

    /// The number of bytes; 0 for what is only pointed to.
    var size: UInt32 {
        switch self {
        case .void, .structure: 0
        case .bool: 1
        case .integer(let bytes, _): bytes
        case .pointer: 8
        case .array(let element, let count): element.size * count
        }
    }

    /// What the type's place must be a multiple of.
    var alignment: UInt32 {
        if case .array(let element, _) = self { element.alignment } else { max(1, size) }
    }
}

extension BTFBuilder {
    /// What becomes of a structure of which only the name is known.
    enum OpaqueStructure {
        /// `struct name;`
        case forward
        /// `struct name {};`: what compares kinds of types, or looks for a context, takes no announcement.
        case empty
    }

    /// The number of `type`, which is appended if it is not there yet.
    mutating func id(of type: CType, opaque: OpaqueStructure = .forward) -> BTFTypeID {
        switch type {
        case .void: return BTFTypeID(rawValue: 0)
        case .bool: return share(.integer(name: "_Bool", bytes: 1, encoding: .bool))
        case .integer(let bytes, let signed):
            return share(
                .integer(name: name(bytes: bytes, signed: signed), bytes: bytes, encoding: signed ? .signed : .unsigned)
            )
        case .pointer(let target): return share(.pointer(to: id(of: target, opaque: opaque)))
        case .structure(let name):
            return switch opaque {
            case .forward: share(.forwardStructure(name: name))
            case .empty: share(.structure(name: name, bytes: 0, members: []))
            }
        case .array(let element, let count):
            let element = id(of: element, opaque: opaque)
            return share(.array(of: element, index: id(of: .int), count: count))
        }
    }

    private func name(bytes: UInt32, signed: Bool) -> String {
        switch (bytes, signed) {
        case (1, true): "signed char"
        case (1, false): "unsigned char"
        case (2, true): "short"
        case (2, false): "unsigned short"
        case (4, true): "int"
        case (4, false): "unsigned int"
        case (_, true): "long long"
        case (_, false): "unsigned long long"
        }
    }
}
