#if os(Linux)
    import Foundation
    import Glibc

    /// The data of a UDP packet, in memory and in a file.
    public struct Datagram: Sendable {
        /// The data.
        public let bytes: [UInt8]
        fileprivate let folder: TemporaryFolder

        /// Writes the file. It goes with the last copy of the datagram.
        public init(_ bytes: [UInt8]) throws {
            self.bytes = bytes
            folder = try TemporaryFolder()
            try folder.file("datagram", containing: bytes)
        }
    }

    /// A UDP socket over IPv4 that sends what it is given in ways that leave the bytes in different places of the kernel.
    public final class DatagramSocket {
        /// How the bytes of a datagram get to the kernel.
        public enum Way: CaseIterable, Sendable {
            /// The packet refers to the memory of the sender (`MSG_ZEROCOPY`).
            case zeroCopy
            /// The packet refers to the pages of a file (`sendfile`).
            case file
        }

        private let descriptor: CInt

        /// Opens a socket that sends from `source` to the host of `address`.
        ///
        /// - Throws: ``NetworkError``.
        public init(from source: UInt16, to address: String, port: UInt16) throws {
            descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw NetworkError(call: "socket(AF_INET)") }
            var isOn: CInt = 1
            guard setsockopt(descriptor, SOL_SOCKET, zeroCopyOption, &isOn, socklen_t(MemoryLayout<CInt>.size)) == 0
            else { throw NetworkError(call: "setsockopt(SO_ZEROCOPY)") }
            guard withAddress("0.0.0.0", source, { bind(descriptor, $0, $1) }) == 0 else {
                throw NetworkError(call: "bind to UDP port \(source)")
            }
            guard withAddress(address, port, { connect(descriptor, $0, $1) }) == 0 else {
                throw NetworkError(call: "connect(\(address))")
            }
        }

        deinit { close(descriptor) }

        /// Sends one datagram.
        ///
        /// - Throws: ``NetworkError``, also where the kernel does not tell that it has done with the memory it was to
        ///   refer to.
        public func send(_ datagram: Datagram, by way: Way) throws {
            let bytes = datagram.bytes
            let count: Int
            switch way {
            case .zeroCopy:
                count = try bytes.withUnsafeBytes {
                    let count = Glibc.send(descriptor, $0.baseAddress, $0.count, zeroCopyFlag)
                    // Until then the memory must stay as it is.
                    if count == $0.count { try waitUntilDone() }
                    return count
                }
            case .file:
                let file = open(datagram.folder.path("datagram"), O_RDONLY | O_CLOEXEC)
                guard file >= 0 else { throw NetworkError(call: "open") }
                defer { close(file) }
                count = sendfile(descriptor, file, nil, bytes.count)
            }
            guard count == bytes.count else { throw NetworkError(call: "\(way) of \(bytes.count) bytes") }
        }

        /// Takes the kernel's note that the last datagram is on its way, which it writes for referred memory only.
        private func waitUntilDone() throws {
            var request = pollfd(fd: descriptor, events: 0, revents: 0)
            guard poll(&request, 1, 5_000) == 1 else { throw NetworkError("no note of a datagram sent without a copy") }
            var control = [UInt64](repeating: 0, count: 16)
            let count = control.withUnsafeMutableBytes { control in
                var message = msghdr()
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                return recvmsg(descriptor, &message, CInt(MSG_ERRQUEUE))
            }
            guard count >= 0 else { throw NetworkError(call: "recvmsg(MSG_ERRQUEUE)") }
            // Behind a header of 16 bytes and a number of 4 there is where the note is from: SO_EE_ORIGIN_ZEROCOPY.
            guard control.withUnsafeBytes({ $0[20] }) == 5 else { throw NetworkError("a note of something else") }
        }
    }

    // What <linux/socket.h> and <asm-generic/socket.h> define; Swift's Glibc module does not have them.

    private let zeroCopyOption: CInt = 60
    private let zeroCopyFlag: CInt = 0x400_0000

    private func withAddress<Value>(
        _ host: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafeBytes(of: address) {
            body($0.bindMemory(to: sockaddr.self).baseAddress!, socklen_t($0.count))
        }
    }
#endif
