import ClassicBPF

/// A file of libpcap's format for saving filters: the instructions, and what they were compiled from.
///
/// Source: cbpf-savefile(5), revisions 6 and 8 of the draft; format version 1.0 and 1.1.
public struct Savefile: Hashable, Sendable {
    /// The minor version of the format: 0 for revision 6, 1 for revision 8. Later ones are read too, and kept.
    public var minorVersion: UInt8 = 1
    /// What the dialect of BPF allows that the filter is for; bits without a meaning are kept.
    public var flags: Flags = [.modulo, .xor]
    /// How many bytes of a packet the filter was compiled to keep.
    public var snapshotLength: UInt32 = 262_144
    /// What packets begin with, by the number of the link type; 1 is Ethernet.
    public var linkType: UInt16 = 1
    /// The instructions, 1 … 65,535 of them. They are not validated.
    public var instructions: [Instruction]
    /// What else is said, in the order of the file, each type once; what is not known is kept as it is.
    public var attributes: [Attribute] = []
    /// Whether the file says that it ends where it does.
    public var isTerminated = true

    /// Makes a file of instructions for Linux and Ethernet that says nothing else.
    public init(instructions: [Instruction]) { self.instructions = instructions }

    /// The instructions of a dialect that not all have.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The 16 bits as they stand in the file.
        public let rawValue: UInt16

        /// Makes flags of their bits.
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        /// `BPF_MOD`.
        public static let modulo = Flags(rawValue: 1)
        /// `BPF_XOR`.
        public static let xor = Flags(rawValue: 2)
        /// NetBSD's `BPF_COP`.
        public static let coprocessor = Flags(rawValue: 4)
        /// NetBSD's `BPF_COPX`.
        public static let coprocessorByIndex = Flags(rawValue: 8)
        /// OpenBSD's `BPF_RND`, from revision 8 on.
        public static let random = Flags(rawValue: 16)
    }

    /// One type, length and value from behind the instructions.
    public struct Attribute: Hashable, Sendable {
        /// What the value is about.
        public var type: UInt16
        /// The value, at most 65,535 bytes.
        public var value: [UInt8]

        /// Makes an attribute.
        public init(type: UInt16, value: [UInt8]) {
            self.type = type
            self.value = value
        }
    }
}

extension Savefile {
    /// The types of attributes that have a meaning. 0 is none: it marks the end.
    enum KnownAttribute: UInt16 {
        case linkTypeName = 1
        case filter = 2
        case isOptimizationRequested = 3
        case netmask = 4
        case comment = 5
        case timestamp = 6
    }

    /// The name of the link type that was asked for, in ASCII.
    public var linkTypeName: String? {
        get { text(.linkTypeName) }
        set { set(.linkTypeName, newValue.map { Array($0.utf8) }) }
    }

    /// The expression that the instructions were compiled from, in ASCII.
    public var filter: String? {
        get { text(.filter) }
        set { set(.filter, newValue.map { Array($0.utf8) }) }
    }

    /// Whether the instructions were to be optimised.
    public var isOptimizationRequested: Bool? {
        get { number(.isOptimizationRequested).map { $0 != 0 } }
        set { set(.isOptimizationRequested, newValue.map { [$0 ? 1 : 0] }) }
    }

    /// The IPv4 netmask, its first part in the most significant byte.
    public var netmask: UInt32? {
        get { number(.netmask).map { UInt32(truncatingIfNeeded: $0) } }
        set { set(.netmask, newValue.map { bytes($0) }) }
    }

    /// A text about the file.
    public var comment: String? {
        get { text(.comment) }
        set { set(.comment, newValue.map { Array($0.utf8) }) }
    }

    /// When the instructions were compiled, in seconds since the start of 1970 UTC.
    public var timestamp: UInt64? {
        get { number(.timestamp) }
        set { set(.timestamp, newValue.map { bytes($0) }) }
    }

    private func value(_ type: KnownAttribute) -> [UInt8]? { attributes.first { $0.type == type.rawValue }?.value }

    private func text(_ type: KnownAttribute) -> String? { value(type).map { String(decoding: $0, as: UTF8.self) } }

    private func number(_ type: KnownAttribute) -> UInt64? { value(type).map { $0.reduce(0) { $0 << 8 | UInt64($1) } } }

    private func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(number, .big)
        return bytes
    }

    private mutating func set(_ type: KnownAttribute, _ value: [UInt8]?) {
        let index = attributes.firstIndex { $0.type == type.rawValue }
        switch (index, value) {
        case (let index?, let value?): attributes[index].value = value
        case (let index?, nil): attributes.remove(at: index)
        case (nil, let value?): attributes.append(Attribute(type: type.rawValue, value: value))
        case (nil, nil): break
        }
    }
}
