import SystemPackage

/// What a program did with a packet in a test run.
public struct TestRunResult: Hashable, Sendable {
    /// What the program returned.
    public var returnValue: UInt32
    /// How long one run took on average, in nanoseconds.
    public var duration: UInt32
    /// The packet after the last run.
    public var packet: [UInt8]
    /// The context after the last run, as the kernel lays it out; empty where none was given.
    public var context: [UInt8]
}

/// The fields of `struct __sk_buff` that a test run lets one set, all in the byte order of the machine.
public struct SKBContext: Hashable, Sendable {
    /// The packet's mark.
    public var mark: UInt32
    /// The packet's priority.
    public var priority: UInt32
    /// The index of the interface the packet came in by; it must exist in the network namespace.
    public var ingressInterface: UInt32
    /// The index of the interface the packet is at; it must exist in the network namespace.
    public var interface: UInt32

    /// Makes a context; what is left out is 0, for the interfaces that is the loopback one.
    public init(mark: UInt32 = 0, priority: UInt32 = 0, ingressInterface: UInt32 = 0, interface: UInt32 = 0) {
        self.mark = mark
        self.priority = priority
        self.ingressInterface = ingressInterface
        self.interface = interface
    }

    /// The bytes of the structure up to the last field that can be set here.
    ///
    /// Source: `struct __sk_buff` of `<linux/bpf.h>`, whose layout is part of the kernel's promise.
    public var bytes: [UInt8] {
        var fields = [UInt32](repeating: 0, count: 48)
        fields[2] = mark
        fields[8] = priority
        fields[9] = ingressInterface
        fields[10] = interface
        return fields.withUnsafeBytes { Array($0) }
    }
}

extension Program {
    /// Runs the program on `packet` without any network (`BPF_PROG_TEST_RUN`).
    ///
    /// A traffic control program sees the packet from its Ethernet header on, a socket filter only what is behind it,
    /// in the bytes and in the length. A VLAN tag stays in the bytes. A packet is refused if it is shorter than its
    /// Ethernet header, if that announces IP but no whole IP header follows, or if it does not fit a page with the
    /// kernel's own data (3,712 bytes on Linux 6.18).
    ///
    /// - Parameters:
    ///   - packet: The packet, for all programs on socket buffers with an Ethernet header.
    ///   - context: What the program finds in its context besides.
    ///   - count: How often to run it.
    /// - Throws: ``KernelError``; programs of many types cannot be run so.
    public func run(
        on packet: [UInt8], context: SKBContext? = nil, repeat count: Int = 1
    ) throws(KernelError) -> TestRunResult {
        try run(on: packet, contextBytes: context?.bytes ?? [], repeat: count)
    }

    /// Runs the program on `packet` with a context of any type (`BPF_PROG_TEST_RUN`).
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - contextBytes: The context structure of the program's type, `struct xdp_md` for XDP; empty for none.
    ///   - count: How often to run it.
    /// - Throws: ``KernelError``; programs of many types cannot be run so.
    public func run(
        on packet: [UInt8], contextBytes: [UInt8], repeat count: Int = 1
    ) throws(KernelError) -> TestRunResult {
        guard (0...Int(Int32.max)).contains(count) else {
            throw KernelError(.tooLarge(count, limit: Int(Int32.max)), in: .testRun)
        }
        guard packet.count <= Int32.max, contextBytes.count <= Int32.max else {
            throw KernelError(
                .tooLarge(max(packet.count, contextBytes.count), limit: Int(Int32.max)), in: .testRun)
        }
        let result = try asking(.testRun) { () throws(Errno) in
            // A program may make the packet longer, by less than a page.
            try testRun(
                descriptor, packet: packet, packetRoom: packet.count + 4096, context: contextBytes,
                repeat: UInt32(count))
        }
        return TestRunResult(
            returnValue: result.returnValue, duration: result.duration, packet: result.packet,
            context: result.context)
    }
}
