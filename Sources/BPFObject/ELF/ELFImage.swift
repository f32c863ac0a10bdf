/// A relocatable ELF file before it is bytes: sections, symbols, and relocations that tie them together.
///
/// It knows nothing of BPF but the machine's number. Source: the System V gABI, chapters 4 and 5 ("Sections",
/// "Symbol Table", "Relocation").
struct ELFImage {
    /// `EM_BPF`, or another machine's number.
    var machine: UInt16

    private(set) var sections: [Section] = []
    private(set) var symbols: [Symbol] = []

    /// The section's number in the file; 0 is the unused one that every file starts with.
    struct SectionNumber: Hashable {
        let rawValue: Int
        /// Where symbols are that another file has to define (`SHN_UNDEF`).
        static let undefined = SectionNumber(rawValue: 0)
    }

    /// The place of a symbol in the order of adding. In the file the local ones come first.
    struct SymbolHandle: Hashable {
        let rawValue: Int
    }

    /// Named bytes.
    struct Section {
        var name: String
        var flags: Flags = []
        /// A power of two.
        var alignment: Int
        var content: [UInt8]
        var relocations: [Relocation] = []
    }

    /// What a section's bytes are for (`SHF_…`).
    struct Flags: OptionSet {
        let rawValue: UInt64
        static let write = Flags(rawValue: 0x1)
        static let allocate = Flags(rawValue: 0x2)
        static let execute = Flags(rawValue: 0x4)
        /// `sh_info` is a section's number.
        static let infoLink = Flags(rawValue: 0x40)
    }

    /// A named place in a section.
    struct Symbol {
        /// Empty for the symbol of a section itself.
        var name: String
        var kind: Kind
        var binding: Binding
        var section: SectionNumber
        /// The distance in bytes from the section's start.
        var value: Int = 0
        /// In bytes.
        var size: Int = 0
        var visibility: Visibility = .default

        /// `STT_…`.
        enum Kind: UInt8 {
            /// Nothing is said, as for undefined ones.
            case none = 0
            case object = 1
            case function = 2
            case section = 3
        }

        /// `STB_…`.
        enum Binding: UInt8 {
            case local = 0
            case global = 1
        }

        /// `STV_…`.
        enum Visibility: UInt8 {
            case `default` = 0
            /// Files that are linked into one can name it, others cannot.
            case hidden = 2
        }
    }

    /// A place whose value depends on a symbol; the addend stands in the place itself (`SHT_REL`).
    struct Relocation {
        /// The distance in bytes from the start of the section.
        var offset: Int
        var symbol: SymbolHandle
        /// The machine's number for the kind.
        var type: UInt32
    }

    init(machine: UInt16) {
        self.machine = machine
    }

    /// Appends `section` and returns its number.
    mutating func add(_ section: Section) -> SectionNumber {
        sections.append(section)
        return SectionNumber(rawValue: sections.count)
    }

    /// Appends `symbol`.
    @discardableResult
    mutating func add(_ symbol: Symbol) -> SymbolHandle {
        symbols.append(symbol)
        return SymbolHandle(rawValue: symbols.count - 1)
    }

    /// Gives `section` one more relocation.
    mutating func relocate(_ section: SectionNumber, _ relocation: Relocation) {
        sections[section.rawValue - 1].relocations.append(relocation)
    }
}
