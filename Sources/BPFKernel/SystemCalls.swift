internal import CLinuxBPF
import ExtendedBPF
import SystemPackage

// One function per command of bpf(2) and per socket option. Sizes come in checked; no other file calls the shim.

/// The arguments of `BPF_PROG_LOAD` besides the log.
struct LoadArguments {
    var type: UInt32
    var expectedAttachType: UInt32
    var attachTypeID: UInt32
    var flags: UInt32
    var kernelVersion: UInt32
    var instructions: [UInt8]
    var license: String
    var name: String
    var btfDescriptor: FileDescriptor?
    var functionRecords: Records
    var lineRecords: Records

    /// Records of one size, one behind the other.
    struct Records {
        var bytes: [UInt8] = []
        var recordSize = 1
    }
}

/// `bpf(BPF_PROG_LOAD)`.
///
/// The verifier gives up with `EAGAIN` when a signal comes; as libbpf does, it gets five chances.
func loadProgram(_ arguments: LoadArguments, log: LogBuffer) throws(Errno) -> FileDescriptor {
    for _ in 0..<4 {
        do throws(Errno) {
            return try loadProgramOnce(arguments, log: log)
        } catch {
            if error != .resourceTemporarilyUnavailable { throw error }
        }
    }
    return try loadProgramOnce(arguments, log: log)
}

private func loadProgramOnce(_ arguments: LoadArguments, log: LogBuffer) throws(Errno) -> FileDescriptor {
    var needed: UInt32 = 0
    let result = arguments.instructions.withUnsafeBytes { instructions in
        arguments.functionRecords.bytes.withUnsafeBytes { functions in
            arguments.lineRecords.bytes.withUnsafeBytes { lines in
                arguments.license.withCString { license in
                    arguments.name.withCString { name in
                        var load = linux_bpf_load()
                        load.type = arguments.type
                        load.expected_attach_type = arguments.expectedAttachType
                        load.attach_btf_id = arguments.attachTypeID
                        load.flags = arguments.flags
                        load.kernel_version = arguments.kernelVersion
                        load.instructions = instructions.baseAddress
                        load.instruction_count = UInt32(instructions.count / 8)
                        load.license = license
                        load.name = name
                        load.log_level = log.level
                        load.log = log.start
                        load.log_size = log.size
                        load.btf_descriptor = UInt32(arguments.btfDescriptor?.rawValue ?? 0)
                        load.function_records = functions.baseAddress
                        load.function_record_count = UInt32(functions.count / arguments.functionRecords.recordSize)
                        load.function_record_size = UInt32(arguments.functionRecords.recordSize)
                        load.line_records = lines.baseAddress
                        load.line_record_count = UInt32(lines.count / arguments.lineRecords.recordSize)
                        load.line_record_size = UInt32(arguments.lineRecords.recordSize)
                        return linux_bpf_program_load(&load, &needed)
                    }
                }
            }
        }
    }
    log.needed = needed
    return FileDescriptor(rawValue: try number(result))
}

/// `bpf(BPF_BTF_LOAD)`.
func loadTypeInformation(_ bytes: [UInt8], log: LogBuffer) throws(Errno) -> FileDescriptor {
    var needed: UInt32 = 0
    let result = bytes.withUnsafeBytes {
        linux_bpf_btf_load($0.baseAddress, UInt32($0.count), log.level, log.start, log.size, &needed)
    }
    log.needed = needed
    return FileDescriptor(rawValue: try number(result))
}

/// What one `bpf(BPF_PROG_TEST_RUN)` gave.
struct TestRun {
    var returnValue: UInt32
    var duration: UInt32
    var packet: [UInt8]
    var context: [UInt8]
}

/// `bpf(BPF_PROG_TEST_RUN)`, again where a signal interrupts it.
func testRun(
    _ program: FileDescriptor, packet: [UInt8], packetRoom: Int, context: [UInt8], repeat count: UInt32
) throws(Errno) -> TestRun {
    var packetOut = [UInt8](repeating: 0, count: packetRoom)
    var contextOut = context
    var result: CInt
    var run = linux_bpf_test_run()
    repeat {
        result = packet.withUnsafeBytes { packet in
            context.withUnsafeBytes { context in
                packetOut.withUnsafeMutableBytes { packetOut in
                    contextOut.withUnsafeMutableBytes { contextOut in
                        run.data_in = packet.baseAddress
                        run.data_in_size = UInt32(packet.count)
                        run.data_out = packetOut.baseAddress
                        run.data_out_size = UInt32(packetOut.count)
                        run.context_in = context.isEmpty ? nil : context.baseAddress
                        run.context_in_size = UInt32(context.count)
                        run.context_out = contextOut.isEmpty ? nil : contextOut.baseAddress
                        run.context_out_size = UInt32(contextOut.count)
                        run.repeat = count
                        return linux_bpf_program_test_run(program.rawValue, &run)
                    }
                }
            }
        }
    } while result == -Errno.interrupted.rawValue
    try number(result)
    return TestRun(
        returnValue: run.return_value, duration: run.duration,
        packet: Array(packetOut.prefix(Int(run.data_out_size))),
        context: Array(contextOut.prefix(Int(run.context_out_size))))
}

/// `bpf(BPF_OBJ_GET_INFO_BY_FD)` for a program.
func programInformation(_ program: FileDescriptor) throws(Errno) -> ProgramInformation {
    var info = linux_bpf_program_information()
    try number(linux_bpf_program_get_information(program.rawValue, &info))
    return ProgramInformation(
        identifier: info.id,
        tag: withUnsafeBytes(of: info.tag) { Array($0) },
        name: withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) },
        type: ProgramType(rawValue: info.type),
        translatedSize: Int(info.translated_size),
        jitedSize: Int(info.jited_size),
        verifiedInstructions: Int(info.verified_instructions))
}

/// `bpf(BPF_RAW_TRACEPOINT_OPEN)`; without a name at what the program was loaded for.
func openRawTracepoint(_ name: String?, for program: FileDescriptor) throws(Errno) -> FileDescriptor {
    let result =
        if let name {
            name.withCString { linux_bpf_raw_tracepoint_open($0, program.rawValue) }
        } else {
            linux_bpf_raw_tracepoint_open(nil, program.rawValue)
        }
    return FileDescriptor(rawValue: try number(result))
}

/// The arguments of `BPF_LINK_CREATE` besides the program.
struct LinkArguments {
    /// A descriptor or the index of an interface.
    var target: UInt32 = 0
    var attachType: UInt32
    var flags: UInt32 = 0
    var netfilter: NetfilterPlace?
}

/// `bpf(BPF_LINK_CREATE)`.
func createLink(of program: FileDescriptor, _ arguments: LinkArguments) throws(Errno) -> FileDescriptor {
    var link = linux_bpf_link()
    link.program = program.rawValue
    link.target = arguments.target
    link.attach_type = arguments.attachType
    link.flags = arguments.flags
    if let netfilter = arguments.netfilter {
        link.netfilter_family = netfilter.family.rawValue
        link.netfilter_hook = netfilter.hook.rawValue
        link.netfilter_priority = netfilter.priority
        link.netfilter_flags = netfilter.defragments ? NetfilterPlace.defragmentFlag : 0
    }
    return FileDescriptor(rawValue: try number(linux_bpf_link_create(&link)))
}

/// `bpf(BPF_MAP_CREATE)`.
func createMap(_ declaration: MapDeclaration) throws(Errno) -> FileDescriptor {
    let result = declaration.name.withCString { name in
        var map = linux_bpf_map()
        map.type = declaration.kind.rawValue
        map.key_size = declaration.keySize
        map.value_size = declaration.valueSize
        map.max_entries = declaration.maxEntries
        map.flags = declaration.flags.rawValue
        map.name = name
        return linux_bpf_map_create(&map)
    }
    return FileDescriptor(rawValue: try number(result))
}

/// `bpf(BPF_MAP_LOOKUP_ELEM)`; `room` is what the map keeps under a key, in bytes.
func lookUp(_ key: [UInt8], in map: FileDescriptor, room: Int) throws(Errno) -> [UInt8] {
    var value = [UInt8](repeating: 0, count: room)
    let result = key.withUnsafeBytes { key in
        value.withUnsafeMutableBytes { linux_bpf_map_lookup(map.rawValue, key.baseAddress, $0.baseAddress) }
    }
    try number(result)
    return value
}

/// `bpf(BPF_MAP_UPDATE_ELEM)`, whether there is a value under the key or not.
func update(_ key: [UInt8], to value: [UInt8], in map: FileDescriptor) throws(Errno) {
    let result = key.withUnsafeBytes { key in
        value.withUnsafeBytes { linux_bpf_map_update(map.rawValue, key.baseAddress, $0.baseAddress, 0) }
    }
    try number(result)
}

/// `setsockopt(SO_ATTACH_BPF)`.
func attachProgram(_ program: FileDescriptor, to socket: FileDescriptor) throws(Errno) {
    try number(linux_bpf_socket_attach_program(socket.rawValue, program.rawValue))
}

/// `setsockopt(SO_ATTACH_FILTER)`.
func attachClassic(_ instructions: [UInt8], count: UInt16, to socket: FileDescriptor) throws(Errno) {
    try number(
        instructions.withUnsafeBytes { linux_bpf_socket_attach_classic(socket.rawValue, $0.baseAddress, count) })
}

/// `setsockopt(SO_DETACH_FILTER)`.
func detachFilter(from socket: FileDescriptor) throws(Errno) {
    try number(linux_bpf_socket_detach(socket.rawValue))
}

/// The result of a call of the shim, which gives negative error numbers.
@discardableResult
private func number(_ result: CInt) throws(Errno) -> CInt {
    if result < 0 { throw Errno(rawValue: -result) }
    return result
}
