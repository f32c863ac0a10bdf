#if os(Linux)
    import Glibc

    /// A feature of a network device that can be switched, as `ethtool -K` does it.
    public enum DeviceFeature: UInt32, Sendable {
        /// To cut large TCP packets into segments (`tso`); without it the kernel does that before the device.
        case segmentation = 0x1f  // ETHTOOL_STSO
        /// To put segments that come in together again (`gro`).
        case receiveMerging = 0x2c  // ETHTOOL_SGRO

        /// Switches the feature of the device `name` in the caller's network namespace.
        ///
        /// Source: `<linux/ethtool.h>` and `<linux/sockios.h>`.
        /// - Throws: ``NetworkError``.
        public func set(_ isOn: Bool, at name: String) throws {
            let descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw NetworkError(call: "socket(AF_INET)") }
            defer { close(descriptor) }
            var command: (UInt32, UInt32) = (rawValue, isOn ? 1 : 0)
            let status = withUnsafeMutablePointer(to: &command) { command in
                // struct ifreq: the name in 16 bytes, then a pointer, in 40 bytes.
                var request = Array(name.utf8) + [UInt8](repeating: 0, count: 40 - name.utf8.count)
                withUnsafeBytes(of: command) { request.replaceSubrange(16..<24, with: $0) }
                return request.withUnsafeMutableBytes { ioctl(descriptor, 0x8946, $0.baseAddress!) }
            }
            guard status == 0 else { throw NetworkError(call: "ethtool \(self) at \(name)") }
        }
    }
#endif
