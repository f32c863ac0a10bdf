/// A map that a loader makes before it loads the program.
public struct MapDeclaration: Hashable, Sendable {
    /// How a map keeps and finds its values. The raw value is the kernel's number (`BPF_MAP_TYPE_…`).
    ///
    /// Source: `enum bpf_map_type` of `<linux/bpf.h>`.
    public enum Kind: UInt32, Hashable, Sendable, CaseIterable {
        /// Values by any key.
        case hash = 1
        /// Values by a number below the map's size; the key has 4 bytes.
        case array = 2
        /// As ``hash``, a value for each CPU.
        case perCPUHash = 5
        /// As ``array``, a value for each CPU.
        case perCPUArray = 6
        /// As ``hash``; when full, what was not used for long goes.
        case lruHash = 9
        /// Values by the longest prefix; the key is its length in bits, 4 bytes in host order, and then the data.
        case longestPrefixMatch = 11
        /// Records for a reader; no keys, no values, `maxEntries` is its size in bytes: a power of two, whole pages.
        case ringBuffer = 27
    }

    /// What is special about a map. Source: `BPF_F_…` of `BPF_MAP_CREATE` in `<linux/bpf.h>`.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The flags' bits.
        public let rawValue: UInt32

        /// Makes a set of its bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Entries get their memory when they are added (`BPF_F_NO_PREALLOC`); ``Kind/longestPrefixMatch`` needs it.
        public static let noPreallocation = Flags(rawValue: 1)
        /// Programs may only read (`BPF_F_RDONLY_PROG`).
        public static let readOnlyForPrograms = Flags(rawValue: 1 << 7)
        /// Processes can have the values in their memory (`BPF_F_MMAPABLE`, Linux 5.5); for ``Kind/array``.
        public static let shareable = Flags(rawValue: 1 << 10)
    }

    /// The name, a C identifier, of which the kernel keeps 15 bytes.
    public var name: String
    /// How values are kept.
    public var kind: Kind
    /// The bytes of a key; 0 for a ring buffer.
    public var keySize: UInt32
    /// The bytes of a value; 0 for a ring buffer.
    public var valueSize: UInt32
    /// The most entries, or the bytes of a ring buffer.
    public var maxEntries: UInt32
    /// What is special about the map.
    public var flags: Flags

    /// Makes a declaration. For ``Kind/longestPrefixMatch`` the flag it needs is added.
    public init(
        name: String, kind: Kind, keySize: UInt32 = 0, valueSize: UInt32 = 0, maxEntries: UInt32, flags: Flags = []
    ) {
        self.name = name
        self.kind = kind
        self.keySize = keySize
        self.valueSize = valueSize
        self.maxEntries = maxEntries
        self.flags = kind == .longestPrefixMatch ? flags.union(.noPreallocation) : flags
    }
}
