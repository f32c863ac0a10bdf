/// What a type of BTF is. The raw value is the number in the file.
///
/// Source: the kernel's documentation of the BPF Type Format, "Type Encoding".
public enum BTFKind: UInt8, Hashable, Sendable, CaseIterable {
    /// A number (`BTF_KIND_INT`).
    case integer = 1
    /// A pointer (`BTF_KIND_PTR`).
    case pointer
    /// An array (`BTF_KIND_ARRAY`).
    case array
    /// A `struct` (`BTF_KIND_STRUCT`).
    case structure
    /// A `union` (`BTF_KIND_UNION`).
    case union
    /// An `enum` of up to 32 bits (`BTF_KIND_ENUM`).
    case enumeration
    /// A `struct` or `union` that is only announced (`BTF_KIND_FWD`).
    case forward
    /// A `typedef` (`BTF_KIND_TYPEDEF`).
    case alias
    /// A qualifier (`BTF_KIND_VOLATILE`).
    case volatile
    /// A qualifier (`BTF_KIND_CONST`).
    case const
    /// A qualifier (`BTF_KIND_RESTRICT`).
    case restrict
    /// A function, with a name (`BTF_KIND_FUNC`).
    case function
    /// A function's parameters and result (`BTF_KIND_FUNC_PROTO`).
    case functionPrototype
    /// A variable (`BTF_KIND_VAR`).
    case variable
    /// The variables of a section (`BTF_KIND_DATASEC`).
    case dataSection
    /// A floating-point number (`BTF_KIND_FLOAT`).
    case float
    /// A remark on a declaration (`BTF_KIND_DECL_TAG`).
    case declarationTag
    /// A remark on a type (`BTF_KIND_TYPE_TAG`).
    case typeTag
    /// An `enum` of 64 bits (`BTF_KIND_ENUM64`).
    case enumeration64

    /// The number of bytes behind the common 12, for a type that says it has `count` elements.
    func trailingBytes(count: Int) -> Int {
        switch self {
        case .integer, .variable, .declarationTag: 4
        case .array: 12
        case .structure, .union, .dataSection, .enumeration64: 12 * count
        case .enumeration, .functionPrototype: 8 * count
        case .pointer, .forward, .alias, .volatile, .const, .restrict, .function, .float, .typeTag: 0
        }
    }

    /// Whether a type of this kind stands for another one's layout.
    var isTransparent: Bool {
        switch self {
        case .alias, .volatile, .const, .restrict, .typeTag: true
        default: false
        }
    }
}

/// The number of a type in its BTF, counted from 1; 0 is `void`.
public struct BTFTypeID: RawRepresentable, Hashable, Sendable {
    /// The number.
    public var rawValue: UInt32

    /// Makes an identifier of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}
