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
            if isRegularFile(path) { unlink(path) }
            throw error
        }
    } catch {
        throw ToolError("cannot write \(path): \(error)")
    }
}

private func isRegularFile(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
}

/// Whether `descriptor` is a person's terminal.
func isTerminal(_ descriptor: FileDescriptor) -> Bool {
    isatty(descriptor.rawValue) == 1
}

/// Makes a closed pipe an error of the write instead of the end of the process.
func ignoreBrokenPipes() {
    signal(SIGPIPE, SIG_IGN)
}
