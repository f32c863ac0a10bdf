import ExtendedBPF

/// The types that objects are described with. What they name and point to is added before them.
enum BTFType: Hashable {
    case integer(name: String, bytes: UInt32, encoding: Encoding)
    case pointer(to: BTFTypeID)
    /// `struct name;`
    case forwardStructure(name: String)
    /// `struct name { … };`, unnamed if the name is empty.
    case structure(name: String, bytes: UInt32, members: [Member])
    case functionPrototype(result: BTFTypeID, parameters: [Parameter])
    case function(name: String, prototype: BTFTypeID, linkage: Linkage)
    case array(of: BTFTypeID, index: BTFTypeID, count: UInt32)
    /// A variable of the file, other files can name it or not.
    case variable(name: String, type: BTFTypeID, linkage: Linkage)
    /// The variables, or functions to be found elsewhere, of the section `name`, by ascending place.
    case dataSection(name: String, bytes: UInt32, variables: [Place])

    /// How a number is written (`BTF_INT_…`).
    enum Encoding: UInt32 {
        case unsigned = 0
        case signed = 1
        case bool = 4
    }

    /// A member of a structure.
    struct Member: Hashable {
        var name: String
        var type: BTFTypeID
        /// The distance from the structure's start.
        var byteOffset: UInt32
    }

    /// Where a variable is in its section.
    struct Place: Hashable {
        var variable: BTFTypeID
        var offset, size: UInt32
    }

    /// A parameter of a function.
    struct Parameter: Hashable {
        var name: String
        var type: BTFTypeID
    }

    /// Who can call a function or use a variable (`BTF_FUNC_…`, `BTF_VAR_…`).
    enum Linkage: UInt16 {
        case `static` = 0
        case global = 1
        /// It is somewhere else.
        case extern = 2
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
    /// Types that are wanted more than once, and their numbers; they are few.
    private var shared: [(type: BTFType, id: BTFTypeID)] = []
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

    /// The number of `type`, which is appended if it is not there yet.
    mutating func share(_ type: BTFType) -> BTFTypeID {
        if let known = shared.first(where: { $0.type == type }) { return known.id }
        let id = add(type)
        shared.append((type, id))
        return id
    }

    /// Appends `type` and returns its number.
    mutating func add(_ type: BTFType) -> BTFTypeID {
        switch type {
        case .integer(let name, let bytes, let encoding):
            appendHead(name, .integer, sizeOrType: bytes)
            types.append(encoding.rawValue << 24 | bytes * 8)
        case .pointer(let target):
            appendHead("", .pointer, sizeOrType: target.rawValue)
        case .forwardStructure(let name):
            appendHead(name, .forward, sizeOrType: 0)
        case .structure(let name, let bytes, let members):
            appendHead(name, .structure, count: UInt16(members.count), sizeOrType: bytes)
            for member in members {
                types.append(offset(of: member.name))
                types.append(member.type.rawValue)
                types.append(member.byteOffset * 8)
            }
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
        case .variable(let name, let type, let linkage):
            appendHead(name, .variable, sizeOrType: type.rawValue)
            types.append(UInt32(linkage.rawValue))
        case .dataSection(let name, let bytes, let variables):
            appendHead(name, .dataSection, count: UInt16(variables.count), sizeOrType: bytes)
            for place in variables {
                for word in [place.variable.rawValue, place.offset, place.size] { types.append(word) }
            }
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
