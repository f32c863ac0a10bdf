#if os(Linux)
    import Glibc
    import SystemPackage

    /// Two connected Unix sockets for datagrams. What a filter of the receiving one drops is gone when `send` returns,
    /// and no other thread had a part in it. They are of no network namespace, and touch no interface.
    package final class DatagramPair {
        private let sender: FileDescriptor
        /// The socket whose filter runs.
        package let receiver: FileDescriptor

        package init() throws(Errno) {
            var descriptors: [CInt] = [0, 0]
            let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, type, 0, &descriptors) == 0 else { throw Errno(rawValue: errno) }
            sender = FileDescriptor(rawValue: descriptors[0])
            receiver = FileDescriptor(rawValue: descriptors[1])
        }

        deinit {
            try? sender.close()
            try? receiver.close()
        }

        /// Sends a frame as a datagram, so often.
        package func send(_ frame: [UInt8], times: Int) throws(Errno) {
            for _ in 0..<times {
                guard Glibc.send(sender.rawValue, frame, frame.count, 0) == frame.count else {
                    throw Errno(rawValue: errno)
                }
            }
        }

        /// Whether something of `frame` arrives.
        package func passes(_ frame: [UInt8]) throws(Errno) -> Bool {
            try send(frame, times: 1)
            var byte: UInt8 = 0
            let count = recv(receiver.rawValue, &byte, 1, CInt(MSG_DONTWAIT))
            guard count >= 0 || errno == EAGAIN else { throw Errno(rawValue: errno) }
            return count > 0
        }
    }
#endif
