import ClassicBPF

/// The forms that classic programs come in, by the names of the files in `Grammar/` that define them.
public enum ClassicForm: String, CaseIterable, Sendable {
    /// What `tcpdump -d` prints.
    case tcpdumpD = "tcpdump-d"
    /// What `tcpdump -dd` prints.
    case tcpdumpDD = "tcpdump-dd"
    /// What `tcpdump -ddd` prints.
    case tcpdumpDDD = "tcpdump-ddd"
    /// The line that iptables' bpf match and `tc … bpf bytecode` take.
    case xtBPF = "xt-bpf"
    /// What the kernel's bpf_asm reads.
    case bpfAsm = "bpf-asm"
    /// Initialisers of `struct sock_filter` in C.
    case cArray = "c-array"
    /// `struct sock_filter[]`, in the byte order of the host.
    case sockFilter = "sock-filter"
    /// The file format of libpcap's draft for saving filters.
    case savefile = "cbpf-savefile"

    /// Whether a person can read it.
    public var isText: Bool { self != .sockFilter && self != .savefile }
}

/// A classic program that was read from a text or file. It has not been validated.
public struct ClassicSource: Hashable, Sendable {
    /// The instructions, in order.
    public var instructions: [Instruction]
    /// By instruction, the line it stands in, counted from 1; empty for binary forms.
    public var lines: [Int]

    /// Makes place for `count` instructions: arrays that grow need it three times over for a moment.
    mutating func reserve(_ count: Int) {
        instructions.reserveCapacity(count)
        lines.reserveCapacity(count)
    }
}

extension ClassicForm {
    /// Reads a program in this form. It is not validated; what else than the instructions is in it is left out.
    ///
    /// Text may begin with a byte order mark, and lines may end with carriage return and line feed.
    /// Fields that an instruction does not use are 0 where the form shows instructions by name.
    ///
    /// - Throws: ``AssemblyErrors`` with the places of all that does not fit; behind an error reading goes on where the
    ///   next instruction begins.
    /// - Complexity: O(*n*) in the number of bytes, in time and in memory.
    public func read(_ bytes: [UInt8]) throws(AssemblyErrors) -> ClassicSource {
        switch self {
        case .tcpdumpD: try ListingReader.read(bytes)
        case .tcpdumpDD: try BraceForm.read(bytes)
        case .tcpdumpDDD: try DecimalForm.read(bytes)
        case .xtBPF: try CommaForm.read(bytes)
        case .bpfAsm: try BPFAsmReader.read(bytes)
        case .cArray: try CArrayReader.read(bytes)
        case .sockFilter: try SockFilterForm.read(bytes)
        case .savefile: ClassicSource(instructions: try Savefile(bytes).instructions, lines: [])
        }
    }

    /// Writes a program in this form; it need not be valid.
    ///
    /// ``tcpdumpD`` and ``bpfAsm`` show instructions by name. They leave out the fields that an instruction does not use,
    /// which are 0 when the text is read again; the other forms have all fields as they are. A savefile says that it is
    /// for Linux and Ethernet; ``Savefile`` can say something else.
    ///
    /// - Throws: ``WritingError`` at an instruction that the form cannot show: one that has no name or, in ``bpfAsm``,
    ///   jumps out of the program; and where a savefile cannot count the instructions.
    /// - Complexity: O(*n*) in the number of instructions.
    public func write(_ instructions: [Instruction]) throws(WritingError) -> [UInt8] {
        switch self {
        case .tcpdumpD: try ClassicListing.write(instructions)
        case .tcpdumpDD: BraceForm.write(instructions)
        case .tcpdumpDDD: DecimalForm.write(instructions)
        case .xtBPF: CommaForm.write(instructions)
        case .bpfAsm: try BPFAsmWriter.write(instructions)
        case .cArray: BraceForm.writeColumns(instructions)
        case .sockFilter: SockFilterForm.write(instructions)
        case .savefile: try Savefile(instructions: instructions).bytes()
        }
    }
}
