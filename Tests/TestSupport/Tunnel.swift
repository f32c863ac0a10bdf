#if os(Linux)
    import Foundation
    import Glibc

    /// A network device whose packets have no link-layer header: what is written here comes in there, whole IP packets.
    ///
    /// Source: the kernel's Documentation/networking/tuntap.
    public final class Tunnel {
        /// The name of the device.
        public let name: String
        private let descriptor: CInt

        /// Makes a device in the namespace of the caller. It goes with the last reference to this object.
        ///
        /// - Parameters:
        ///   - index: The number of the device; nil for the next free one.
        ///   - hasIPv6: Whether the kernel takes IPv6 packets there. Then it also sends some of its own accord.
        /// - Throws: ``NetworkError``.
        public init(_ name: String = "tunnel", index: CInt? = nil, hasIPv6: Bool = false, mtu: Int = 9000) throws {
            self.name = name
            descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { throw NetworkError(call: "open(/dev/net/tun)") }
            if var index {
                guard ioctl(descriptor, setIndex, &index) == 0 else { throw NetworkError(call: "TUNSETIFINDEX") }
            }
            // struct ifreq: 16 bytes of name, then the flags.
            var request = Array(name.utf8) + [UInt8](repeating: 0, count: 40 - name.utf8.count)
            withUnsafeBytes(of: tunWithoutPrefix) { request.replaceSubrange(16..<18, with: $0) }
            guard ioctl(descriptor, setInterface, &request) == 0 else { throw NetworkError(call: "TUNSETIFF") }
            if !hasIPv6 {
                try Data("1".utf8).write(to: URL(fileURLWithPath: "/proc/sys/net/ipv6/conf/\(name)/disable_ipv6"))
            }
            try ip("link", "set", name, "addrgenmode", "none", "mtu", "\(mtu)", "up")
        }

        deinit { close(descriptor) }

        /// Lets `packet` come in at the device; when this returns, the kernel has taken it through its first layers.
        public func receive(_ packet: [UInt8]) throws {
            guard write(descriptor, packet, packet.count) == packet.count else {
                throw NetworkError(call: "write of \(packet.count) bytes")
            }
        }
    }

    private let tunWithoutPrefix: UInt16 = 0x1001  // IFF_TUN | IFF_NO_PI
    private let setInterface: UInt = 0x4004_54ca  // TUNSETIFF
    private let setIndex: UInt = 0x4004_54da  // TUNSETIFINDEX
#endif
