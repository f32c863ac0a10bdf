import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Names in a BPF file system, by which programs and links stay in the kernel when the process that made them ends.

extension Program {
    /// Gives the program a name in a BPF file system (`BPF_OBJ_PIN`, 4.4). It stays until the file is removed.
    ///
    /// - Throws: ``KernelError`` with what is in the way, ``KernelError/PinObstacle``.
    public func pin(at path: FilePath) throws(KernelError) { try pinObject(descriptor, as: path) }

    /// Opens the program of that number (`BPF_PROG_GET_FD_BY_ID`, 4.13).
    public init(identifier: UInt32) throws(KernelError) {
        descriptor = try asking(.openProgram) { () throws(Errno) in try openProgram(identifier) }
        log = ""
    }

    /// How often the program has run and for how many nanoseconds in all, while the kernel counted: as long as
    /// `kernel.bpf_stats_enabled` is 1 or there is a ``RunStatistics`` (5.1).
    public func runs() throws(KernelError) -> (count: UInt64, nanoseconds: UInt64) {
        let descriptor = descriptor
        return try asking(.getInformation) { () throws(Errno) in try programRuns(descriptor) }
    }
}

extension Link {
    /// Gives the link a name in a BPF file system (`BPF_OBJ_PIN`, 5.7). The program stays attached until the file is
    /// removed.
    ///
    /// - Throws: ``KernelError`` with what is in the way, ``KernelError/PinObstacle``.
    public func pin(at path: FilePath) throws(KernelError) { try pinObject(descriptor, as: path) }

    /// Opens the link of that name in a BPF file system (`BPF_OBJ_GET`).
    ///
    /// - Throws: ``KernelError``; also where the file is another object's.
    public init(pinnedAt path: FilePath) throws(KernelError) {
        let descriptor = try asking(.openPinned) { () throws(Errno) in try openPinned(path) }
        guard isLink(descriptor) else {
            try? descriptor.close()
            throw KernelError(.noLink(path.string), in: .openPinned)
        }
        self.descriptor = descriptor
    }

    /// Opens the link of that number (`BPF_LINK_GET_FD_BY_ID`, 5.8).
    public init(identifier: UInt32) throws(KernelError) {
        descriptor = try asking(.openLink) { () throws(Errno) in try openLink(identifier) }
    }

    /// Takes the program from its place, whoever else holds the link (`BPF_LINK_DETACH`, 5.9).
    ///
    /// - Throws: ``KernelError`` with `EOPNOTSUPP` for links of tracing programs, which end with their last holder only.
    public func detach() throws(KernelError) {
        let descriptor = descriptor
        try asking(.detachLink) { () throws(Errno) in try detachLink(descriptor) }
    }
}

/// Removes a name in a BPF file system; what had it stays in the kernel only if something else holds it.
public func removePin(at path: FilePath) throws(KernelError) {
    try asking(.removePin) { () throws(Errno) in
        if path.withPlatformString({ unlink($0) }) != 0 { throw Errno(rawValue: errno) }
    }
}

/// The kernel counts the runs of all programs, and their time, as long as this value lives (`BPF_ENABLE_STATS`, 5.8).
///
/// That costs each run of a program some ten nanoseconds.
public struct RunStatistics: ~Copyable {
    private let descriptor: FileDescriptor

    /// Has the kernel count.
    ///
    /// - Throws: ``KernelError`` with `EPERM` without CAP_SYS_ADMIN.
    public init() throws(KernelError) {
        descriptor = try asking(.enableStatistics) { () throws(Errno) in try enableStatistics() }
    }

    deinit { try? descriptor.close() }
}

extension KernelError {
    /// Why something could not get a name in a BPF file system.
    public enum PinObstacle: Hashable, Sendable {
        /// There is something of that name.
        case exists
        /// The folder that the name would be in is not there.
        case noFolder(String)
        /// The folder is in no BPF file system.
        case noFileSystem(String)
        /// The name has a dot, which the kernel keeps for names of its own.
        case dot
        /// The kernel's error number, where it is none of these.
        case refused(Errno)

        /// What was found, what would be right.
        var text: String {
            switch self {
            case .exists: "there is something of that name, remove it or choose another name"
            case .noFolder(let folder): "there is no folder \(folder), make it with mkdir"
            case .noFileSystem(let folder):
                "\(folder) is in no BPF file system, mount one with 'mount -t bpf bpf /sys/fs/bpf' and take a name there"
            case .dot: "names there have no dots"
            case .refused(.notPermitted), .refused(.permissionDenied): "it is not allowed, run it as root"
            case .refused(let errno): "\(errno) (\(errno.rawValue))"
            }
        }
    }
}

private func pinObject(_ object: FileDescriptor, as path: FilePath) throws(KernelError) {
    do throws(Errno) {
        try pinObject(object, at: path)
    } catch {
        throw KernelError(.cannotPin(path.string, obstacle(to: path, error)), in: .pin)
    }
}

/// The kernel says EPERM to a folder of another kind and to a dot alike.
private func obstacle(to path: FilePath, _ error: Errno) -> KernelError.PinObstacle {
    let parent = path.removingLastComponent()
    let folder: FilePath = parent.isEmpty ? "." : parent
    if error == .fileExists { return .exists }
    do throws(Errno) {
        if try !isInBPFFileSystem(folder) { return .noFileSystem(folder.string) }
    } catch {
        return error == .noSuchFileOrDirectory ? .noFolder(folder.string) : .refused(error)
    }
    if error == .notPermitted, path.lastComponent?.string.contains(".") == true { return .dot }
    return .refused(error)
}

/// Whether the descriptor is a link's; the kernel answers the same questions about programs and maps.
func isLink(_ descriptor: FileDescriptor) -> Bool {
    nameOfOpenFile(descriptor)?.contains("link") == true
}
