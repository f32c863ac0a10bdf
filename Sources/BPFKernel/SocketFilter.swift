import SystemPackage

/// The filter of a socket, classic or eBPF: the one attached last counts.
public enum SocketFilter {
    /// Attaches a classic filter (`SO_ATTACH_FILTER`).
    ///
    /// - Parameters:
    ///   - instructions: The bytes of `struct sock_filter[]` in the byte order of the machine.
    ///   - socket: The socket.
    /// - Throws: ``KernelError`` with `EINVAL` where the filter breaks a rule and `ENOMEM` where its conversion is
    ///   over `net.core.optmem_max`.
    public static func attach(classic instructions: [UInt8], to socket: FileDescriptor) throws(KernelError) {
        let size = 8
        guard instructions.count.isMultiple(of: size) else {
            throw KernelError(.partialRecord(bytes: instructions.count, recordSize: size), in: .attachClassic)
        }
        guard let count = UInt16(exactly: instructions.count / size) else {
            throw KernelError(
                .tooLarge(instructions.count / size, limit: Int(UInt16.max)), in: .attachClassic)
        }
        try asking(.attachClassic) { () throws(Errno) in
            try attachClassic(instructions, count: count, to: socket)
        }
    }

    /// Attaches a loaded program of type ``ProgramType/socketFilter`` (`SO_ATTACH_BPF`).
    ///
    /// The socket keeps the program in the kernel, `program` may end.
    /// - Throws: ``KernelError`` with `EINVAL` for a program of another type.
    public static func attach(_ program: borrowing Program, to socket: FileDescriptor) throws(KernelError) {
        let descriptor = program.descriptor
        try asking(.attachProgram) { () throws(Errno) in try attachProgram(descriptor, to: socket) }
    }

    /// Detaches whichever filter the socket has (`SO_DETACH_FILTER`).
    ///
    /// - Throws: ``KernelError`` with `ENOENT` where it has none.
    public static func detach(from socket: FileDescriptor) throws(KernelError) {
        try asking(.detach) { () throws(Errno) in try detachFilter(from: socket) }
    }
}
