#if os(Linux)
    import BPFCompiler
    import BPFKernel
    import BPFObject
    import ExtendedBPF
    import Glibc
    import Synchronization

    /// A place where packets are captured; those that pass there are not touched.
    public typealias CapturePlace = CountingPlace

    /// A filter in the kernel whose matches are captured, as long as this object lives.
    ///
    ///     let filter = try PacketFilter("udp port 53")
    ///     let capture = try PacketCapture(filter, at: .interface("eth0", .xdp))
    ///     for try await packet in capture.packets { print(packet.interface.name, packet.bytes.count) }
    ///
    /// The packets wait in a buffer of the kernel's. While it is full, those that come are lost, and counted; nothing in
    /// the kernel ever waits for the reader.
    public final class PacketCapture: @unchecked Sendable {
        // Unchecked: what changes is behind the lock.
        /// Where it is.
        public let place: CapturePlace
        /// How many bytes of a packet are captured at most.
        public let snapshotLength: Int
        /// What packets begin with, where all begin with the same.
        public let linkType: LinkType?
        let reader: CaptureReader
        private let ring: Ring
        private let loss: CaptureLoss
        private let program: LoadedProgram
        private let attachment: Mutex<AttachmentOwner?>
        private let lock = Mutex(UInt64(0))

        /// The most bytes of a packet that are captured unless it is said: more than packets have.
        public static let usualSnapshotLength = 262_144
        /// The bytes of the buffer unless it is said.
        public static let usualBufferSize = 16 << 20

        /// Compiles, loads and attaches `filter`.
        ///
        /// - Parameters:
        ///   - filter: The filter, compiled for the place's ``CountingPlace/linkType``.
        ///   - place: Where it is to be.
        ///   - snapshotLength: How many bytes of a packet are captured at most; XDP shows 65,535.
        ///   - bufferSize: The least bytes of the kernel's buffer, which is the next power of two.
        ///   - view: The packet that the filter is shown, as to its VLAN tag; nil for its default.
        /// - Throws: ``CaptureError``, ``CountingError``, ``CompilerError``, ``KernelError`` with the verifier's log.
        public init(
            _ filter: PacketFilter, at place: CapturePlace, snapshotLength: Int = usualSnapshotLength,
            bufferSize: Int = usualBufferSize, vlan view: VLANView? = nil
        ) throws {
            guard (1...Self.usualSnapshotLength).contains(snapshotLength) else {
                throw CaptureError(.snapshotLength(snapshotLength, limit: Self.usualSnapshotLength))
            }
            let layout = CapturingLayout(hook: place.hook, snapshotLength: snapshotLength)
            let source = try CapturingSource(filter, layout, vlan: view)
            reader = try CaptureReader(layout, place, source)
            linkType = place.hook.context == .tracing ? nil : try place.linkType
            self.place = place
            self.snapshotLength = layout.snapshotLength
            ring = try Ring(try Self.ringSize(bufferSize, layout))
            loss = try CaptureLoss()
            program = try source.load([
                CapturingLayout.ringName: ring.buffer.map.descriptor, CapturingLayout.lossName: loss.map.descriptor,
            ])
            attachment = Mutex(try AttachmentOwner(program, at: place))
        }

        private static func ringSize(_ size: Int, _ layout: CapturingLayout) throws(CaptureError) -> UInt32 {
            let limit = 1 << 30
            if size > limit { throw CaptureError(.largeBuffer(size, limit: limit)) }
            if size < layout.largestRecord { throw CaptureError(.smallBuffer(size, least: layout.largestRecord)) }
            // A page is the least, and none is larger than 64 KiB.
            let page = sysconf(CInt(_SC_PAGESIZE))
            var power = page
            while power < size { power *= 2 }
            return UInt32(power)
        }

        /// Gives `body` the packets that are there, until it returns false.
        ///
        /// - Returns: How many there were.
        @discardableResult
        public func read(_ body: (CapturedPacket) throws -> Bool) throws -> Int {
            try lock.withLock { captured in
                reader.setClock()
                let count = try ring.read { try body(reader.packet($0)) }
                captured += UInt64(count)
                return count
            }
        }

        /// Waits until there are packets, one of `signals`, which are blocked in this thread, comes, or `time` is over.
        ///
        /// - Returns: Whether there are packets.
        /// - Throws: ``KernelError``.
        @discardableResult
        public func wait(atMost time: Duration, orFor signals: [CInt] = []) throws(KernelError) -> Bool {
            try ring.buffer.wait(atMost: time, orFor: signals)
        }

        /// How the capture went so far.
        ///
        /// - Throws: ``KernelError``.
        public func counts() throws(KernelError) -> CaptureCounts {
            CaptureCounts(captured: lock.withLock { $0 }, lost: try loss.count)
        }

        /// Ends capturing. What has been captured by then is still there to be read.
        public func detach() {
            let wasAttached = attachment.withLock { owner in
                defer { owner = nil }
                return owner != nil
            }
            // A program that runs on another processor is given the time to end.
            if wasAttached { usleep(5000) }
        }

        /// Whether more packets can come: nobody has called ``detach()``, and the program is still where it was put.
        public var isAttached: Bool { attachment.withLock { $0.map { !$0.attachment.isGone } ?? false } }

        /// What the kernel knows of the program.
        ///
        /// - Throws: ``KernelError``.
        public func programInformation() throws -> ProgramInformation { try program.information() }
    }

    /// What keeps the program at its place, in an object of its own.
    private final class AttachmentOwner: @unchecked Sendable {
        // Unchecked: descriptors that never change and are closed once.
        let attachment: CountingAttachment

        init(_ program: borrowing LoadedProgram, at place: CapturePlace) throws {
            attachment = try CountingAttachment(program, at: place)
        }
    }

    /// The ring buffer in an object of its own.
    private final class Ring {
        private(set) var buffer: RingBuffer

        init(_ size: UInt32) throws(KernelError) {
            buffer = try RingBuffer(named: CapturingLayout.ringName, size: size)
        }

        func read(_ body: (UnsafeRawBufferPointer) throws -> Bool) throws -> Int { try buffer.read(body) }
    }

    /// The map with the numbers of lost packets.
    private final class CaptureLoss {
        let map: BPFKernel.Map

        init() throws(KernelError) { map = try BPFKernel.Map(CapturingLayout.lossMap) }

        /// The packets lost on all processors.
        var count: UInt64 {
            get throws(KernelError) {
                let value = try map.value(of: [0, 0, 0, 0]) ?? []
                return value.withUnsafeBytes { bytes in
                    stride(from: 0, to: bytes.count - 7, by: 8).reduce(0) {
                        $0 &+ bytes.loadUnaligned(fromByteOffset: $1, as: UInt64.self)
                    }
                }
            }
        }
    }
#endif
