import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Writes `bytes` to the file at `path`, which is made or overwritten.
///
/// Where that fails halfway, no regular file is left behind; devices and pipes are written as they are.
func writeFile(_ bytes: [UInt8], to path: String) throws(ToolError) {
    do {
        let file = try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
        do {
            try file.closeAfter { _ = try file.writeAll(bytes) }
        } catch {
            removeRegularFile(path)
            throw error
        }
    } catch {
        throw ToolError("cannot write \(path): \(error)")
    }
}

/// Removes the file that `path` leads to if it is a regular one; links on the way stay.
private func removeRegularFile(_ path: String) {
    guard let target = realpath(path, nil) else { return }
    defer { free(target) }
    var status = stat()
    if lstat(target, &status) == 0, status.st_mode & S_IFMT == S_IFREG { unlink(target) }
}

/// Whether `descriptor` is a person's terminal.
func isTerminal(_ descriptor: FileDescriptor) -> Bool {
    isatty(descriptor.rawValue) == 1
}

/// Makes a closed pipe and a file that may not grow errors of the write instead of the end of the process.
func ignoreSignalsOfWrites() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
}
