import ExtendedBPF
import SystemPackage

/// A program to load and all that the kernel wants to know about it.
public struct LoadRequest: Hashable, Sendable {
    /// The program.
    public var program: ExtendedBPF.Program
    /// What the program will be used for.
    public var type: ProgramType
    /// Where it is going to be attached; nil for the types that do not ask, and for the type's first.
    public var expectedAttachType: AttachType?
    /// The number, among the running kernel's own types, of what a program of type ``ProgramType/tracing`` is for: the
    /// function, or the type `btf_trace_NAME` of a tracepoint (`attach_btf_id`). 0 for the other types.
    public var attachTypeID: UInt32 = 0
    /// What is special about it.
    public var flags: LoadFlags = []
    /// The licence, as in `MODULE_LICENSE`: helpers marked so are there for "GPL" and compatible ones only.
    public var license = "GPL"
    /// The name listings show, a C identifier; nil takes the entry function's. The kernel keeps its first 15 bytes
    /// (`BPF_OBJ_NAME_LEN`), what is longer is cut as libbpf cuts it.
    public var name: String?
    /// The version of the kernel the program is for, ``RunningKernel/versionCode``; kernels before 5.0 check it for
    /// probes.
    public var kernelVersion: UInt32 = 0
    /// The types of the functions and the source lines of the instructions.
    public var debugInformation: DebugInformation?
    /// The maps that instructions name, by the descriptor of each; the kernel holds those of a loaded program.
    public var maps: [String: FileDescriptor] = [:]
    /// Where the data is that instructions name: in the first value of an array.
    public var data: [String: DataPlace] = [:]
    /// What the verifier writes where the program is accepted. Where it is refused, it is asked for a log anyway.
    public var log: LogLevel = []

    /// Makes a request.
    public init(_ program: ExtendedBPF.Program, type: ProgramType) {
        self.program = program
        self.type = type
    }

    /// The bytes of all instructions in the byte order of this machine.
    func encoded() throws(KernelError) -> [UInt8] {
        let names = Set(program.functions.map(\.name))
        for function in program.functions {
            for case (_, .function(let callee)) in function.references where !names.contains(callee) {
                throw unresolved(in: function) { $0 == .function(callee) }
            }
        }
        var linked = program.linked()
        for case (let index, .map(let name)) in linked.references {
            guard let map = maps[name] else { continue }
            // BPF_PSEUDO_MAP_FD, which compilers leave to the loader.
            linked.instructions[index].srcReg = .r1
            linked.instructions[index].imm = map.rawValue
            linked.references[index] = nil
        }
        for case (let index, .data(let name, let offset)) in linked.references {
            guard let place = data[name], let sum = Int32(exactly: place.offset + offset) else { continue }
            // BPF_PSEUDO_MAP_VALUE
            linked.instructions[index].srcReg = .r2
            linked.instructions[index].imm = place.map.rawValue
            linked.instructions[index].nextImm = sum
            linked.references[index] = nil
        }
        if !linked.references.isEmpty { throw unresolved(in: linked) { _ in true } }
        return linked.instructions.flatMap { $0.bytes(.host) }
    }

    private func unresolved(in function: Function, where matches: (Reference) -> Bool) -> KernelError {
        let first = function.references.filter { matches($0.value) }.min { $0.key < $1.key }!
        return KernelError(.unresolvedReference(first.value, instruction: first.key), in: .loadProgram)
    }
}

/// A byte of the first value of an array.
public struct DataPlace: Hashable, Sendable {
    /// The descriptor of the array.
    public var map: FileDescriptor
    /// How many bytes are before it.
    public var offset: Int

    /// Makes a place.
    public init(map: FileDescriptor, offset: Int) {
        self.map = map
        self.offset = offset
    }
}

/// What the kernel is told of a program besides its instructions, in BTF and the records that refer to it.
///
/// Source: the kernel's Documentation/bpf/btf. Every number is in the byte order of the machine.
public struct DebugInformation: Hashable, Sendable {
    /// The types, a whole BTF blob with its header.
    public var types: [UInt8]
    /// One `struct bpf_func_info` per function: the slot of its first instruction and the type.
    public var functionRecords: [UInt8]
    /// The size of one function record in bytes.
    public var functionRecordSize: Int
    /// One `struct bpf_line_info` per source line: the slot, the file's name, the line's text, the place.
    public var lineRecords: [UInt8]
    /// The size of one line record in bytes.
    public var lineRecordSize: Int

    /// Makes debug information of its parts; the sizes are those of Linux 5.0 and later.
    public init(
        types: [UInt8], functionRecords: [UInt8] = [], functionRecordSize: Int = 8, lineRecords: [UInt8] = [],
        lineRecordSize: Int = 16
    ) {
        self.types = types
        self.functionRecords = functionRecords
        self.functionRecordSize = functionRecordSize
        self.lineRecords = lineRecords
        self.lineRecordSize = lineRecordSize
    }
}

/// The bytes of records, checked to be whole ones.
func records(_ bytes: [UInt8], of size: Int) throws(KernelError) -> LoadArguments.Records {
    guard size > 0, bytes.count.isMultiple(of: size) else {
        throw KernelError(.partialRecord(bytes: bytes.count, recordSize: size), in: .loadProgram)
    }
    return LoadArguments.Records(bytes: bytes, recordSize: size)
}
