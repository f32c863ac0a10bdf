#if os(Linux)
    import Foundation
    import Glibc

    /// Why a network could not be set up for a test.
    public struct NetworkError: Error, CustomStringConvertible {
        /// What was tried and what came of it.
        public var description: String

        init(_ what: String) {
            description = what
        }

        /// The error of a system call that just failed.
        init(call: String) {
            self.init("\(call): \(String(cString: strerror(errno)))")
        }
    }

    /// Runs `body` in a network namespace of its own and comes back to the caller's.
    ///
    /// Programs that `body` starts and sockets that it opens are in that namespace. It has a loopback interface that is
    /// down and nothing else, and it goes when the last of its users is gone.
    ///
    /// A network namespace is a property of the thread. So `body` cannot wait asynchronously, and it runs on the
    /// calling thread: expectations that fail on another one would belong to no test.
    ///
    /// - Throws: What `body` throws, or ``NetworkError`` if there is no privilege to make a namespace.
    public func withNetworkNamespace<Value>(_ body: () throws -> Value) throws -> Value {
        let outside = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        guard outside >= 0 else { throw NetworkError(call: "open(/proc/thread-self/ns/net)") }
        defer { close(outside) }
        guard unshare(newNetwork) == 0 else { throw NetworkError(call: "unshare(CLONE_NEWNET)") }
        defer {
            // Elsewhere the tests that come next on this thread would see another network.
            guard setns(outside, newNetwork) == 0 else { fatalError("\(NetworkError(call: "setns"))") }
        }
        return try body()
    }

    // Swift's Glibc module leaves out what <sched.h> declares for _GNU_SOURCE only.
    private let newNetwork: CInt = 0x4000_0000  // CLONE_NEWNET
    private let unshare = unsafeBitCast(dlsym(nil, "unshare"), to: (@convention(c) (CInt) -> CInt).self)
    private let setns = unsafeBitCast(dlsym(nil, "setns"), to: (@convention(c) (CInt, CInt) -> CInt).self)

    /// Two Ethernet interfaces in the namespace of the caller; what one sends, the other receives.
    ///
    /// Both are up, take frames of 9,000 bytes and send nothing of their own accord.
    public struct VethPair {
        /// The name of the first.
        public let first: String
        /// The name of the second.
        public let second: String

        /// Makes a pair. It goes with the namespace.
        ///
        /// - Throws: ``NetworkError`` with what `ip` says.
        public init(_ first: String = "left", _ second: String = "right", mtu: Int = 9000) throws {
            self.first = first
            self.second = second
            try ip("link", "add", first, "type", "veth", "peer", "name", second)
            for name in [first, second] {
                // Without IPv6 and ARP nobody asks for neighbours or announces addresses.
                try Data("1".utf8).write(to: URL(fileURLWithPath: "/proc/sys/net/ipv6/conf/\(name)/disable_ipv6"))
                try ip("link", "set", name, "addrgenmode", "none", "arp", "off", "mtu", "\(mtu)")
            }
            for name in [first, second] { try ip("link", "set", name, "up") }
            try waitUntilUsable(from: first, to: second)
            try waitUntilUsable(from: second, to: first)
        }

        /// Waits until what `sender` sends arrives at `receiver`.
        ///
        /// An interface is up before the kernel has put its queue in place, some time later and in the background;
        /// what is sent in between is lost without an error.
        private func waitUntilUsable(from sender: String, to receiver: String) throws {
            let (sender, receiver) = (try PacketSocket(at: sender), try PacketSocket(at: receiver))
            for number in 0..<200 as Range<UInt8> {
                // Numbered, so that no earlier one is still on its way when the wait ends.
                let probe = [UInt8](repeating: 0xff, count: 12) + [0x88, 0xb5, number]
                try sender.send(probe)
                while let frame = try receiver.receive(timeout: 25) {
                    if frame.bytes == probe { return }
                }
            }
            throw NetworkError("nothing sent over a veth pair has arrived for 5 seconds")
        }
    }

    /// Runs iproute2's `ip`.
    ///
    /// - Throws: ``NetworkError`` with what it says where it fails.
    public func ip(_ arguments: String...) throws {
        let result = try run("ip", arguments)
        guard result.status == 0 else {
            throw NetworkError("ip \(arguments.joined(separator: " ")): \(result.errors)")
        }
    }
#endif
