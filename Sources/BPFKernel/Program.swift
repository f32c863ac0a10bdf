import ExtendedBPF
import SystemPackage

/// An eBPF program in the kernel. It stays there as long as this value lives or something it is attached to does.
public struct Program: ~Copyable {
    /// The descriptor of the program, closed when this value ends.
    public let descriptor: FileDescriptor

    /// What the verifier wrote about the accepted program; empty where ``LoadRequest/log`` asked for nothing.
    public let log: String

    /// Loads a program.
    ///
    /// Where it is refused, it is offered once more to get the verifier's log, whatever the request says.
    ///
    /// - Throws: ``KernelError`` with the error number and the whole log, or at the first instruction that still
    ///   stands for something unknown.
    public init(loading request: LoadRequest) throws(KernelError) {
        if let debug = request.debugInformation {
            (descriptor, log) = try load(request, types: TypeInformation(loading: debug.types))
        } else {
            (descriptor, log) = try load(LoadArguments(request), log: request.log)
        }
    }

    deinit { try? descriptor.close() }

    /// What the kernel knows of the program.
    public func information() throws(KernelError) -> ProgramInformation {
        try asking(.getInformation) { () throws(Errno) in try programInformation(descriptor) }
    }
}

/// What the kernel knows of a loaded program. Source: `struct bpf_prog_info` of `<linux/bpf.h>`.
public struct ProgramInformation: Hashable, Sendable {
    /// The number by which `bpftool prog show id` finds it.
    public var identifier: UInt32
    /// Eight bytes that tell programs apart: a hash of the instructions.
    public var tag: [UInt8]
    /// The name, at most 15 bytes.
    public var name: String
    /// The type, or nil for one that filters no packets.
    public var type: ProgramType?
    /// The size in bytes of the instructions after the verifier rewrote them.
    public var translatedSize: Int
    /// The size in bytes of the machine code, 0 where there is none.
    public var jitedSize: Int
    /// How many instructions the verifier looked at, paths counted separately (5.16 and later, before 0).
    public var verifiedInstructions: Int
}

/// Type information (BTF) in the kernel.
public struct TypeInformation: ~Copyable {
    /// The descriptor, closed when this value ends.
    public let descriptor: FileDescriptor

    /// Loads a whole BTF blob, header included, its numbers in the byte order of the machine.
    ///
    /// - Throws: ``KernelError`` with the error number and the kernel's log.
    public init(loading bytes: [UInt8]) throws(KernelError) {
        guard UInt32(exactly: bytes.count) != nil else {
            throw KernelError(.tooLarge(bytes.count, limit: Int(UInt32.max)), in: .loadTypeInformation)
        }
        descriptor = try loadWithLog(.loadTypeInformation, level: []) { (log) throws(Errno) in
            try loadTypeInformation(bytes, log: log)
        }.descriptor
    }

    deinit { try? descriptor.close() }
}

extension LoadArguments {
    fileprivate init(_ request: LoadRequest, types: FileDescriptor? = nil) throws(KernelError) {
        self.init(
            type: request.type.rawValue, expectedAttachType: request.expectedAttachType?.rawValue ?? 0,
            attachTypeID: request.attachTypeID, flags: request.flags.rawValue, kernelVersion: request.kernelVersion,
            instructions: try request.encoded(), license: request.license,
            name: request.name ?? request.program.entry.name, btfDescriptor: types,
            functionRecords: try records(
                request.debugInformation?.functionRecords ?? [], of: request.debugInformation?.functionRecordSize ?? 1),
            lineRecords: try records(
                request.debugInformation?.lineRecords ?? [], of: request.debugInformation?.lineRecordSize ?? 1))
    }
}

/// Loads a program whose records refer to `types`, which it holds on to from then on.
private func load(
    _ request: LoadRequest, types: borrowing TypeInformation
) throws(KernelError) -> (FileDescriptor, String) {
    try load(LoadArguments(request, types: types.descriptor), log: request.log)
}

private func load(_ arguments: LoadArguments, log: LogLevel) throws(KernelError) -> (FileDescriptor, String) {
    try loadWithLog(.loadProgram, level: log) { (log) throws(Errno) in try loadProgram(arguments, log: log) }
}

/// Loads without a log if none is asked for, and once more with one where that is refused.
private func loadWithLog(
    _ call: KernelError.Call, level: LogLevel, _ attempt: (LogBuffer) throws(Errno) -> FileDescriptor
) throws(KernelError) -> (descriptor: FileDescriptor, log: String) {
    var refusal: Errno?
    if level.isEmpty {
        do throws(Errno) {
            return (try attempt(LogBuffer()), "")
        } catch {
            refusal = error
        }
    }
    let logged = LogBuffer.collect(level: (level.isEmpty ? .instructions : level).rawValue, attempt)
    switch logged.result {
    case .success(let descriptor): return (descriptor, logged.log)
    // Without a log, no error number is about the log.
    case .failure(let error): throw KernelError(.refused(refusal ?? error), in: call, log: logged.log)
    }
}

/// Calls `body` and says of its error what was asked.
func asking<Value: ~Copyable>(
    _ call: KernelError.Call, _ body: () throws(Errno) -> Value
) throws(KernelError) -> Value {
    do throws(Errno) {
        return try body()
    } catch {
        throw KernelError(.refused(error), in: call)
    }
}
