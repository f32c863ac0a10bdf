internal import CLinuxBPF
import SystemPackage

extension SocketFilter {
    /// The classic filter of a socket, as it was attached (`SO_GET_FILTER`), or nil where it has none.
    ///
    /// - Returns: The bytes of `struct sock_filter[]` in the byte order of the machine.
    /// - Throws: ``KernelError`` with `EACCES` where the filter is an eBPF program.
    public static func classic(of socket: FileDescriptor) throws(KernelError) -> [UInt8]? {
        try asking(.getClassic) { () throws(Errno) in
            let count = try answer(linux_socket_get_classic(socket.rawValue, nil, 0))
            if count == 0 { return nil }
            var bytes = [UInt8](repeating: 0, count: Int(count) * 8)
            let written = try answer(
                bytes.withUnsafeMutableBytes {
                    linux_socket_get_classic(socket.rawValue, $0.baseAddress, UInt32(count))
                })
            return Array(bytes.prefix(Int(written) * 8))
        }
    }

    /// The classic filter of a socket of another process, as ``classic(of:)`` has it (`pidfd_getfd`, Linux 5.6).
    ///
    /// - Parameters:
    ///   - process: The process's identifier.
    ///   - descriptor: The socket's number there.
    /// - Throws: ``KernelError`` with `ESRCH` for no such process, `EBADF` for no such descriptor, `EPERM` where the
    ///   caller may not trace the process, `ENOTSOCK` for a descriptor of something else.
    public static func classic(
        ofProcess process: CInt, descriptor: CInt
    ) throws(KernelError) -> [UInt8]? {
        let copy = try asking(.copyDescriptor) { () throws(Errno) in
            FileDescriptor(rawValue: try answer(linux_process_copy_descriptor(process, descriptor)))
        }
        defer { try? copy.close() }
        return try classic(of: copy)
    }
}

/// The result of a call of the shim, which gives negative error numbers.
@discardableResult
func answer(_ result: CInt) throws(Errno) -> CInt {
    if result < 0 { throw Errno(rawValue: -result) }
    return result
}
