import ExtendedBPF

/// Which function starts at an instruction (`struct bpf_func_info`).
struct FunctionRecord {
    /// The bytes of a record.
    static let size = 8

    /// The unit is the reader's: bytes from the section's start in a file, slots from the program's in the kernel.
    var place: UInt32
    var type: BTFTypeID

    func append(to writer: inout ByteWriter) {
        writer.append(place)
        writer.append(type.rawValue)
    }
}

/// Which source line starts at an instruction (`struct bpf_line_info`).
struct LineRecord {
    /// The bytes of a record.
    static let size = 16
    /// The highest line number: 22 bits, the column has the other 10.
    static let lineLimit = 0x3fffff

    /// As in ``FunctionRecord``.
    var place: UInt32
    /// Offsets of strings.
    var fileName, text: UInt32
    var line: UInt32

    func append(to writer: inout ByteWriter) {
        writer.append(place)
        writer.append(fileName)
        writer.append(text)
        writer.append(line << 10)
    }
}

/// What a loader has to find out about the kernel and put into an instruction (`struct bpf_core_relo`).
struct KernelRecord {
    /// The bytes of a record.
    static let size = 16

    /// What is wanted (`BPF_CORE_…`).
    enum Kind: UInt32 {
        /// The distance of a member from its structure's start.
        case fieldByteOffset = 0
        /// The number of a type in the kernel's BTF.
        case targetTypeID = 7
    }

    /// As in ``FunctionRecord``.
    var place: UInt32
    /// The structure, as this file has it.
    var type: BTFTypeID
    /// The offset of a string: places of members, outermost first, as `0:2:1`.
    var access: UInt32
    var kind: Kind

    func append(to writer: inout ByteWriter) {
        writer.append(place)
        writer.append(type.rawValue)
        writer.append(access)
        writer.append(kind.rawValue)
    }
}

/// The records of one section of the file, as `.BTF.ext` groups them.
struct SectionRecords {
    /// The offset of the section's name in the strings of `.BTF`.
    var sectionName: UInt32
    var functions: [FunctionRecord]
    var lines: [LineRecord]
    var kernel: [KernelRecord]
}

/// The `.BTF.ext` section: for each section of code its functions, source lines and CO-RE relocations.
///
/// A part without records is left out, because readers refuse an empty one; the header, as clang's, has room for all.
/// Source: the kernel's documentation of the BPF Type Format, ".BTF.ext section".
func btfExtension(_ sections: [SectionRecords], _ order: ByteOrder) -> [UInt8] {
    let functions = part(sections, order, recordSize: FunctionRecord.size, \.functions) { $0.append(to: &$1) }
    let lines = part(sections, order, recordSize: LineRecord.size, \.lines) { $0.append(to: &$1) }
    let kernel = part(sections, order, recordSize: KernelRecord.size, \.kernel) { $0.append(to: &$1) }
    var section = ByteWriter(order)
    section.append(BTFBuilder.magic)
    section.append(BTFBuilder.version)
    section.append(UInt8(0))
    section.append(UInt32(32))
    section.append(UInt32(0))
    section.append(UInt32(functions.count))
    section.append(UInt32(functions.count))
    section.append(UInt32(lines.count))
    section.append(UInt32(functions.count + lines.count))
    section.append(UInt32(kernel.count))
    section.append(contentsOf: functions)
    section.append(contentsOf: lines)
    section.append(contentsOf: kernel)
    return section.bytes
}

private func part<Record>(
    _ sections: [SectionRecords], _ order: ByteOrder, recordSize: Int, _ records: (SectionRecords) -> [Record],
    append: (Record, inout ByteWriter) -> Void
) -> [UInt8] {
    let filled = sections.filter { !records($0).isEmpty }
    if filled.isEmpty { return [] }
    var part = ByteWriter(order)
    part.append(UInt32(recordSize))
    for section in filled {
        part.append(section.sectionName)
        part.append(UInt32(records(section).count))
        for record in records(section) { append(record, &part) }
    }
    return part.bytes
}
