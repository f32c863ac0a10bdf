import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whether `descriptor` is a person's terminal.
func isTerminal(_ descriptor: FileDescriptor) -> Bool {
    isatty(descriptor.rawValue) == 1
}

/// Whether the process may do all that anyone may.
var isRoot: Bool { geteuid() == 0 }

/// Makes a closed pipe and a file that may not grow errors of the write instead of the end of the process.
func ignoreSignalsOfWrites() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
}
