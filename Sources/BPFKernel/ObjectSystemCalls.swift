internal import CLinuxBPF
import SystemPackage

// One function per call about what is in the kernel already.

/// `bpf(BPF_OBJ_PIN)`.
func pinObject(_ object: FileDescriptor, at path: FilePath) throws(Errno) {
    try answer(path.withPlatformString { linux_bpf_object_pin(object.rawValue, $0) })
}

/// `bpf(BPF_OBJ_GET)`.
func openPinned(_ path: FilePath) throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try answer(path.withPlatformString { linux_bpf_object_get($0) }))
}

/// Whether `folder` is in a BPF file system, by statfs(2).
func isInBPFFileSystem(_ folder: FilePath) throws(Errno) -> Bool {
    try answer(folder.withPlatformString { linux_bpf_is_file_system($0) }) == 1
}

/// `bpf(BPF_LINK_GET_NEXT_ID)`; nil behind the last one.
func nextLink(after identifier: UInt32) throws(Errno) -> UInt32? {
    var next: UInt32 = 0
    do throws(Errno) {
        try answer(linux_bpf_link_next(identifier, &next))
    } catch {
        if error == .noSuchFileOrDirectory { return nil }
        throw error
    }
    return next
}

/// `bpf(BPF_LINK_GET_FD_BY_ID)`.
func openLink(_ identifier: UInt32) throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try answer(linux_bpf_link_open(identifier)))
}

/// `bpf(BPF_PROG_GET_FD_BY_ID)`.
func openProgram(_ identifier: UInt32) throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try answer(linux_bpf_program_open(identifier)))
}

/// `bpf(BPF_LINK_DETACH)`.
func detachLink(_ link: FileDescriptor) throws(Errno) {
    try answer(linux_bpf_link_detach(link.rawValue))
}

/// `bpf(BPF_ENABLE_STATS)`.
func enableStatistics() throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try answer(linux_bpf_enable_statistics()))
}

/// `bpf(BPF_OBJ_GET_INFO_BY_FD)` for a link.
func linkInformation(_ link: FileDescriptor) throws(Errno) -> LinkInformation {
    var info = linux_bpf_link_information()
    try answer(linux_bpf_link_get_information(link.rawValue, &info))
    let tracepoint = withUnsafeBytes(of: info.tracepoint) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return LinkInformation(
        identifier: info.id, programIdentifier: info.program,
        place: LinkInformation.Place(info, tracepoint: tracepoint))
}

extension LinkInformation.Place {
    /// Reads what the kernel tells; the numbers of kinds are `BPF_LINK_TYPE_…` of `<linux/bpf.h>`.
    fileprivate init(_ info: linux_bpf_link_information, tracepoint: String) {
        let type = AttachType(rawValue: info.attach_type)
        switch (info.type, type) {
        case (1, _): self = .rawTracepoint(tracepoint)
        case (2, let type?): self = .tracing(type)
        case (3, let type?): self = .cgroup(info.control_group, type)
        case (6, _): self = .interface(info.interface, .xdp)
        case (10, _):
            if let family = NetfilterPlace.Family(rawValue: info.netfilter_family),
                let hook = NetfilterPlace.Hook(rawValue: info.netfilter_hook)
            {
                self = .netfilter(NetfilterPlace(family, hook, priority: info.netfilter_priority))
            } else {
                self = .other(info.type)
            }
        case (11, let type?), (13, let type?): self = .interface(info.interface, type)
        default: self = .other(info.type)
        }
    }
}

/// `bpf(BPF_OBJ_GET_INFO_BY_FD)` for a program: how often it ran and for how many nanoseconds.
func programRuns(_ program: FileDescriptor) throws(Errno) -> (count: UInt64, nanoseconds: UInt64) {
    var (count, nanoseconds): (UInt64, UInt64) = (0, 0)
    try answer(linux_bpf_program_get_runs(program.rawValue, &count, &nanoseconds))
    return (count, nanoseconds)
}

/// A line record as the kernel has it: where its texts are among the strings of type information.
struct LineRecord {
    var types, fileName, text, line: UInt32
}

/// `bpf(BPF_OBJ_GET_INFO_BY_FD)` for a program: the first of its line records, or nil where it has none.
func lineRecord(of program: FileDescriptor) throws(Errno) -> LineRecord? {
    var record = LineRecord(types: 0, fileName: 0, text: 0, line: 0)
    try answer(
        linux_bpf_program_get_first_line(
            program.rawValue, &record.types, &record.fileName, &record.text, &record.line))
    return record.types == 0 || record.line == 0 ? nil : record
}

/// `bpf(BPF_BTF_GET_FD_BY_ID)` and `bpf(BPF_OBJ_GET_INFO_BY_FD)`: a whole BTF blob.
func readTypeInformation(_ identifier: UInt32) throws(Errno) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
        let room = bytes.count
        let size = try answer(
            bytes.withUnsafeMutableBytes { linux_bpf_types_read(identifier, $0.baseAddress, UInt32(room)) })
        if Int(size) <= room { return bytes }
        bytes = [UInt8](repeating: 0, count: Int(size))
    }
}

/// Opens the control group of that number, by open_by_handle_at(2), which needs CAP_DAC_READ_SEARCH.
func openControlGroup(_ number: UInt64, below root: FileDescriptor) throws(Errno) -> FileDescriptor {
    FileDescriptor(rawValue: try answer(linux_control_group_open(root.rawValue, number)))
}
