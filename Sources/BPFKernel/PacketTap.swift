internal import CLinuxBPF
import SystemPackage

/// A network interface of the caller's network namespace.
public struct NetworkInterface: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// The number by which system calls know it.
    public let index: UInt32
    /// What its frames begin with. Source: `ARPHRD_…` of `<net/if_arp.h>`.
    public let hardwareType: UInt16
    /// Whether what it sends is what it receives.
    public let isLoopback: Bool

    /// Looks up the interface called `name`.
    ///
    /// - Throws: ``KernelError`` with `ENODEV` where there is none.
    public init(named name: String) throws(KernelError) {
        var interface = linux_interface()
        try asking(.getInterface) { () throws(Errno) in
            _ = try answer(name.withCString { linux_interface_get($0, &interface) })
        }
        self.name = name
        index = interface.index
        hardwareType = interface.hardware_type
        isLoopback = interface.flags & Self.loopbackFlag != 0
    }

    /// `IFF_LOOPBACK`
    private static let loopbackFlag: UInt16 = 1 << 3

    /// Whether frames begin with an Ethernet header; the loopback interface's do.
    public var isEthernet: Bool { [1, 772].contains(hardwareType) }
}

/// A packet socket at an interface (AF_PACKET), as a place where a program sees all that comes in and goes out.
///
/// At a loopback interface, where all that goes out comes in again, it sees that once, as it comes in.
public struct PacketTap: ~Copyable {
    /// The descriptor of the socket, closed when this value ends.
    public let descriptor: FileDescriptor

    /// Opens a socket at `interface` with `program` as its filter, which sees the first packet and all that follow.
    ///
    /// - Throws: ``KernelError``: `EPERM` without CAP_NET_RAW, `EINVAL` for a program that is no socket filter, `ENODEV`
    ///   and `ENXIO` where the interface has gone meanwhile. Loopback interfaces need Linux 4.20.
    public init(running program: borrowing Program, at interface: NetworkInterface) throws(KernelError) {
        let program = program.descriptor
        // All that can fail comes first: a value that is half made would still be ended.
        let socket = try asking(.openPacketSocket) { () throws(Errno) in
            FileDescriptor(rawValue: try answer(linux_packet_socket_open()))
        }
        do throws(KernelError) {
            try asking(.attachProgram) { () throws(Errno) in try attachProgram(program, to: socket) }
            try asking(.openPacketSocket) { () throws(Errno) in
                if interface.isLoopback { _ = try answer(linux_packet_socket_ignore_outgoing(socket.rawValue)) }
                _ = try answer(linux_packet_socket_bind(socket.rawValue, interface.index))
            }
        } catch {
            try? socket.close()
            throw error
        }
        descriptor = socket
    }

    deinit { try? descriptor.close() }
}
