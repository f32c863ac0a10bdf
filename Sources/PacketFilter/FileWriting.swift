import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file could not be written.
public struct FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public var path: FilePath
    /// Why.
    public var errno: Errno

    /// One line: the file and the reason.
    public var description: String { "cannot write \(path): \(errno)" }
}

/// Writes `bytes` to the file at `path`, which is made or overwritten.
///
/// Where that fails halfway, no regular file is left behind; devices and pipes are written as they are.
package func writeFile(_ bytes: [UInt8], to path: FilePath) throws(FileError) {
    do {
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
        do {
            try file.closeAfter { _ = try file.writeAll(bytes) }
        } catch {
            removeRegularFile(path)
            throw error
        }
    } catch {
        // FileDescriptor throws nothing else.
        throw FileError(path: path, errno: error as? Errno ?? .ioError)
    }
}

/// Removes the file that `path` leads to if it is a regular one; links on the way stay.
private func removeRegularFile(_ path: FilePath) {
    guard let target = realpath(path.string, nil) else { return }
    defer { free(target) }
    var status = stat()
    if lstat(target, &status) == 0, status.st_mode & S_IFMT == S_IFREG { unlink(target) }
}
