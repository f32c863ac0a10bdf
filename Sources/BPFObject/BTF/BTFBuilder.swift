import ExtendedBPF

/// The types that objects are described with. What they name and point to is added before them.
enum BTFType: Hashable {
    /// `signed` decides between `int` and `unsigned int` of that many bytes.
    case integer(name: String, bytes: UInt32, signed: Bool)
    case pointer(to: BTFTypeID)
    /// `struct name;`
    case forwardStructure(name: String)
    case functionPrototype(result: BTFTypeID, parameters: [Parameter])
    case function(name: String, prototype: BTFTypeID, linkage: Linkage)
    case array(of: BTFTypeID, index: BTFTypeID, count: UInt32)
    /// A global variable.
    case variable(name: String, type: BTFTypeID)
    /// The one variable that fills the section `name`.
    case dataSection(name: String, variable: BTFTypeID, bytes: UInt32)

    /// A parameter of a function.
    struct Parameter: Hashable {
        var name: String
        var type: BTFTypeID
    }

    /// Who can call a function (`BTF_FUNC_…`).
    enum Linkage: UInt16 {
        case `static` = 0
        case global = 1
    }
}

/// Collects types and strings and makes a `.BTF` section of them.
///
/// Source: the kernel's documentation of the BPF Type Format, "BTF Type and String Encoding".
struct BTFBuilder {
    /// The number that both BTF sections start with.
    static let magic: UInt16 = 0xeb9f
    /// The only version there is.
    static let version: UInt8 = 1
    /// The bytes of the header.
    static let headerSize = 24
    /// The most types the kernel takes (`BTF_MAX_TYPE`).
    static let typeLimit = 0xfffff
    /// The most bytes the kernel takes (`BTF_MAX_SIZE`); offsets of strings have 24 bits.
    static let sizeLimit = 16 << 20

    private var types: ByteWriter
    private var typeCount: UInt32 = 0
    private var strings = StringTable()

    init(_ order: ByteOrder) {
        types = ByteWriter(order)
    }

    /// How long the section would be now.
    var size: Int { Self.headerSize + types.bytes.count + strings.bytes.count }

    /// The offset of `string`, which is added if it is not there yet.
    mutating func offset(of string: String) -> UInt32 {
        strings.offset(of: string)
    }

    /// Appends `type` and returns its number.
    mutating func add(_ type: BTFType) -> BTFTypeID {
        switch type {
        case .integer(let name, let bytes, let signed):
            appendHead(name, .integer, sizeOrType: bytes)
            types.append((signed ? 1 : 0) << 24 | bytes * 8)
        case .pointer(let target):
            appendHead("", .pointer, sizeOrType: target.rawValue)
        case .forwardStructure(let name):
            appendHead(name, .forward, sizeOrType: 0)
        case .functionPrototype(let result, let parameters):
            appendHead("", .functionPrototype, count: UInt16(parameters.count), sizeOrType: result.rawValue)
            for parameter in parameters {
                types.append(offset(of: parameter.name))
                types.append(parameter.type.rawValue)
            }
        case .function(let name, let prototype, let linkage):
            // The field that counts elsewhere holds the linkage here.
            appendHead(name, .function, count: linkage.rawValue, sizeOrType: prototype.rawValue)
        case .array(let element, let index, let count):
            appendHead("", .array, sizeOrType: 0)
            for word in [element.rawValue, index.rawValue, count] { types.append(word) }
        case .variable(let name, let type):
            appendHead(name, .variable, sizeOrType: type.rawValue)
            types.append(UInt32(1))  // BTF_VAR_GLOBAL_ALLOCATED
        case .dataSection(let name, let variable, let bytes):
            appendHead(name, .dataSection, count: 1, sizeOrType: bytes)
            for word in [variable.rawValue, 0, bytes] { types.append(word) }
        }
        typeCount += 1
        return BTFTypeID(rawValue: typeCount)
    }

    private mutating func appendHead(_ name: String, _ kind: BTFKind, count: UInt16 = 0, sizeOrType: UInt32) {
        types.append(offset(of: name))
        types.append(UInt32(kind.rawValue) << 24 | UInt32(count))
        types.append(sizeOrType)
    }

    /// The section.
    ///
    /// - Throws: ``BTFError`` if there are more types or bytes than the kernel takes.
    func bytes() throws(BTFError) -> [UInt8] {
        if typeCount > Self.typeLimit {
            throw BTFError(.tooManyTypes(count: Int(typeCount), limit: Self.typeLimit))
        }
        if size > Self.sizeLimit { throw BTFError(.tooLong(bytes: size, limit: Self.sizeLimit)) }
        var section = ByteWriter(types.order)
        section.append(Self.magic)
        section.append(Self.version)
        section.append(UInt8(0))
        section.append(UInt32(Self.headerSize))
        section.append(UInt32(0))
        section.append(UInt32(types.bytes.count))
        section.append(UInt32(types.bytes.count))
        section.append(UInt32(strings.bytes.count))
        section.append(contentsOf: types.bytes)
        section.append(contentsOf: strings.bytes)
        return section.bytes
    }
}
