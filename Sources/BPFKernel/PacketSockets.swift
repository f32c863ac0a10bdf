internal import CLinuxBPF
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A packet socket of the machine, as the kernel describes it.
public struct PacketSocketDescription: Hashable, Sendable {
    /// The number by which `/proc/PID/fd` names the socket.
    public var inode: UInt32
    /// Whether frames come without their link-layer header (`SOCK_DGRAM`).
    public var isCooked: Bool
    /// The interface it is bound to, or nil for all.
    public var interface: String?
    /// The bytes of its classic filter, `struct sock_filter[]` in the machine's byte order, or nil where it has none or
    /// one that is an eBPF program.
    public var filter: [UInt8]?
}

extension PacketSocketDescription {
    /// All packet sockets of the caller's network namespace (`NETLINK_SOCK_DIAG`, packet_diag; Linux 3.10).
    ///
    /// Filters are told to those with CAP_NET_ADMIN alone.
    /// - Throws: ``KernelError`` with `ENOENT` where the kernel has no packet_diag.
    public static func all() throws(KernelError) -> [PacketSocketDescription] {
        try asking(.listPacketSockets) { () throws(Errno) in
            let diagnosis = FileDescriptor(rawValue: try answer(linux_packet_sockets_ask()))
            defer { try? diagnosis.close() }
            var sockets: [PacketSocketDescription] = []
            while try readAnswers(from: diagnosis, into: &sockets) {}
            return sockets
        }
    }

    /// The most bytes of one read; the kernel makes its answers no longer.
    private static let answerSize = 64 << 10

    /// Reads what comes in one piece; false behind the last answer.
    private static func readAnswers(
        from diagnosis: FileDescriptor, into sockets: inout [PacketSocketDescription]
    ) throws(Errno) -> Bool {
        var bytes = [UInt8](repeating: 0, count: answerSize)
        let count: Int
        do {
            count = try bytes.withUnsafeMutableBytes { try diagnosis.read(into: $0) }
        } catch {
            throw error as? Errno ?? .ioError
        }
        for message in NetlinkRecords(bytes[..<count], headerSize: 16) {
            // struct nlmsghdr: length, type, flags, sequence, port.
            switch message.header.native(UInt16.self, at: 4) {
            case 2:
                let status = message.body.native(Int32.self, at: 0)
                if status < 0 { throw Errno(rawValue: -status) }
                return false
            case 3: return false
            default: if let socket = PacketSocketDescription(message.body) { sockets.append(socket) }
            }
        }
        return count > 0
    }

    /// From `struct packet_diag_msg`: family, type, number, inode, cookie; then attributes.
    private init?(_ message: ArraySlice<UInt8>) {
        guard message.count >= 16 else { return nil }
        inode = message.native(UInt32.self, at: 4)
        isCooked = message[message.startIndex + 1] == 2
        for attribute in NetlinkRecords(message.dropFirst(16), headerSize: 4) {
            switch attribute.header.native(UInt16.self, at: 2) {
            case 0 where attribute.body.count >= 4:
                let index = attribute.body.native(UInt32.self, at: 0)
                interface = index == 0 ? nil : interfaceName(index)
            case 7 where !attribute.body.isEmpty: filter = Array(attribute.body)
            default: break
            }
        }
    }
}

/// The name of an interface; its number where that is gone.
private func interfaceName(_ index: UInt32) -> String {
    var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    guard if_indextoname(index, &name) != nil else { return "\(index)" }
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The messages, or attributes, that stand one behind the other, each at a multiple of 4 and its length in front.
private struct NetlinkRecords: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private let headerSize: Int

    init(_ bytes: ArraySlice<UInt8>, headerSize: Int) {
        rest = bytes
        self.headerSize = headerSize
    }

    mutating func next() -> (header: ArraySlice<UInt8>, body: ArraySlice<UInt8>)? {
        guard rest.count >= headerSize else { return nil }
        // A message's length has 32 bits, an attribute's 16.
        let length = headerSize == 4 ? Int(rest.native(UInt16.self, at: 0)) : Int(rest.native(UInt32.self, at: 0))
        guard length >= headerSize, length <= rest.count else { return nil }
        let record = rest.prefix(length)
        rest = rest.dropFirst((length + 3) & ~3)
        return (record.prefix(headerSize), record.dropFirst(headerSize))
    }
}

extension ArraySlice<UInt8> {
    /// The number at `offset` in the machine's byte order.
    fileprivate func native<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        self[(startIndex + offset)..<(startIndex + offset + MemoryLayout<Number>.size)]
            .withUnsafeBytes { $0.loadUnaligned(as: Number.self) }
    }
}
