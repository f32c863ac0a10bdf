/// What an XDP program finds in its context in a test run, `struct xdp_md`.
///
/// The packet given to the run begins with ``metadataLength`` bytes that the program sees in front of `data`; the rest
/// is the packet. Source: `struct xdp_md` of `<linux/bpf.h>`; the limits are those of Linux 6.18.
public struct XDPContext: Hashable, Sendable {
    /// How many bytes of metadata the program finds in front of the packet: a multiple of 4 up to 216.
    public var metadataLength: UInt32
    /// How many bytes of the packet the first buffer holds at most, 0 … 3,520; nil for as many as fit.
    ///
    /// The others are in further buffers of a page each, 17 at most, which the program reaches by helper functions
    /// only. Kernels before 6.18 want nil here.
    public var linearLength: UInt32?
    /// The index of the interface the packet came in by, one of the network namespace; 0 for the loopback one.
    public var ingressInterface: UInt32
    /// The number of the receive queue of that interface; 0 if none is named.
    public var rxQueueIndex: UInt32

    /// Makes a context; what is left out is as without a context.
    public init(
        metadataLength: UInt32 = 0, linearLength: UInt32? = nil, ingressInterface: UInt32 = 0, rxQueueIndex: UInt32 = 0
    ) {
        self.metadataLength = metadataLength
        self.linearLength = linearLength
        self.ingressInterface = ingressInterface
        self.rxQueueIndex = rxQueueIndex
    }

    /// The bytes of the structure for a run on `count` bytes, metadata included, in the byte order of the machine.
    ///
    /// In a test run the two pointers count from the first byte; `data_meta` has to be 0.
    public func bytes(for count: Int) -> [UInt8] {
        let end = linearLength.map { metadataLength &+ $0 } ?? UInt32(truncatingIfNeeded: count)
        let fields: [UInt32] = [metadataLength, end, 0, ingressInterface, rxQueueIndex, 0]
        return fields.withUnsafeBytes { Array($0) }
    }
}

extension Program {
    /// Runs the XDP program on `packet` without any network (`BPF_PROG_TEST_RUN`).
    ///
    /// A packet has at least 14 bytes and at most 73,152. What does not fit the first buffer, of 3,520 bytes less the
    /// metadata, goes into further ones, also for a program loaded without ``LoadFlags/xdpFragments``, which no driver
    /// would give such a packet.
    ///
    /// - Parameters:
    ///   - packet: Metadata, if the context announces any, and the packet.
    ///   - context: What the program finds in its context.
    ///   - count: How often to run it.
    /// - Throws: ``KernelError`` with `EINVAL` for a context that does not fit the packet, `ENODEV` for an interface
    ///   that is not there and `ENOMEM` for a packet that is too long.
    public func run(
        on packet: [UInt8], context: XDPContext, repeat count: Int = 1
    ) throws(KernelError) -> TestRunResult {
        try run(on: packet, contextBytes: context.bytes(for: packet.count), repeat: count)
    }
}
