import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A process that has a socket open, and by which number. Source: proc(5).
public struct SocketOwner: Hashable, Sendable {
    /// The process's identifier.
    public var process: CInt
    /// The lowest number under which the process has the socket.
    public var descriptor: CInt
    /// The words the process was started with; empty for what has none.
    public var arguments: [String]

    /// By inode, who has the sockets of the machine open, as far as the caller may see.
    ///
    /// - Complexity: O(*n*) in the number of open descriptors of all processes.
    public static func all() -> [UInt32: [SocketOwner]] {
        var owners: [UInt32: [SocketOwner]] = [:]
        for process in entries(of: "/proc").compactMap(CInt.init).sorted() {
            var seen: Set<UInt32> = []
            for descriptor in entries(of: "/proc/\(process)/fd").compactMap(CInt.init).sorted() {
                guard let inode = socketInode("/proc/\(process)/fd/\(descriptor)"), seen.insert(inode).inserted else {
                    continue
                }
                owners[inode, default: []].append(
                    SocketOwner(process: process, descriptor: descriptor, arguments: arguments(of: process)))
            }
        }
        return owners
    }

    private static func entries(of directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                        String(cString: $0)
                    }
                })
        }
        return names
    }

    /// The inode of the socket that the link `path` stands for: its target is `socket:[inode]`.
    private static func socketInode(_ path: String) -> UInt32? {
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink(path, &target, target.count)
        guard count > 0 else { return nil }
        let text = String(decoding: target[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix("socket:["), text.hasSuffix("]") else { return nil }
        return UInt32(text.dropFirst("socket:[".count).dropLast())
    }

    /// `/proc/PID/cmdline`: each word with a NUL behind it.
    private static func arguments(of process: CInt) -> [String] {
        guard let file = try? FileDescriptor.open("/proc/\(process)/cmdline", .readOnly) else { return [] }
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 else { return [] }
        let words = bytes[..<count].split(separator: 0, omittingEmptySubsequences: false)
        return words.dropLast(bytes[count - 1] == 0 ? 1 : 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
