import ExtendedBPF

/// What tells the kernel the types and source lines of a program that is loaded with bpf(2) and not from a file.
///
/// The records count slots from the start of ``Program/linked()``. Load ``btf`` with `BPF_BTF_LOAD` and pass its
/// descriptor as `prog_btf_fd` to `BPF_PROG_LOAD`, with the two arrays as `func_info` and `line_info`.
public struct DebugInformation: Hashable, Sendable {
    /// The contents of a `.BTF` section.
    public let btf: [UInt8]
    /// `struct bpf_func_info` for each function.
    public let functionInfo: [UInt8]
    /// `struct bpf_line_info` for each source line; empty without a source.
    public let lineInfo: [UInt8]

    /// The bytes of one record of ``functionInfo`` (`func_info_rec_size`).
    public static let functionInfoRecordSize = FunctionRecord.size
    /// The bytes of one record of ``lineInfo`` (`line_info_rec_size`).
    public static let lineInfoRecordSize = LineRecord.size

    /// The number of records in ``functionInfo`` (`func_info_cnt`).
    public var functionInfoCount: Int { functionInfo.count / Self.functionInfoRecordSize }
    /// The number of records in ``lineInfo`` (`line_info_cnt`).
    public var lineInfoCount: Int { lineInfo.count / Self.lineInfoRecordSize }

    /// Describes `program`, whose functions take a `struct contextType *` and return `int`.
    ///
    /// The kernel wants the byte order of the machine it runs on.
    /// - Throws: ``ObjectError`` if a name is no C identifier or a line mark is wrong.
    /// - Complexity: O(number of instructions).
    public init(
        of program: Program, contextType: String, source: SourceText?, byteOrder: ByteOrder = .host
    ) throws(ObjectError) {
        let tables = try DebugTables(program, contextType: contextType, source: source, byteOrder)
        var functions = ByteWriter(byteOrder)
        var lines = ByteWriter(byteOrder)
        var start = 0
        for (index, function) in program.functions.enumerated() {
            tables.functionRecord(index, start: start, unit: 1).append(to: &functions)
            for record in tables.lineRecords(index, start: start, unit: 1) { record.append(to: &lines) }
            start += function.slotCount
        }
        btf = try tables.bytes()
        functionInfo = functions.bytes
        lineInfo = lines.bytes
    }
}
