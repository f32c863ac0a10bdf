#if os(Linux)
    /// The packets of a capture, one after the other.
    ///
    /// They end where the capture is detached or its interface goes, behind the last packet from before. Iterators of one
    /// capture share its packets.
    public struct CapturedPackets: AsyncSequence, Sendable {
        /// One of them.
        public typealias Element = CapturedPacket

        let capture: PacketCapture

        /// Begins to wait.
        public func makeAsyncIterator() -> Iterator { Iterator(capture: capture) }

        /// Waits for one packet after the other.
        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let capture: PacketCapture
            private var packets: ArraySlice<CapturedPacket> = []

            fileprivate init(capture: PacketCapture) { self.capture = capture }

            /// How many packets are taken from the buffer at once.
            private static let batch = 256
            /// The time that a packet may wait where few come.
            private static let longestPause = Duration.milliseconds(20)

            /// Waits for the next packet, which takes up to 20 ms to be noticed; nil where no more come.
            ///
            /// - Throws: ``KernelError``, or that the task was cancelled.
            public mutating func next() async throws -> CapturedPacket? {
                var pause = Duration.milliseconds(1)
                while packets.isEmpty {
                    // Asked first: what came before it ended is still read.
                    let isAttached = capture.isAttached
                    var read: [CapturedPacket] = []
                    try capture.read { packet in
                        read.append(packet)
                        return read.count < Self.batch
                    }
                    packets = read[...]
                    guard packets.isEmpty else { break }
                    guard isAttached else { return nil }
                    try await Task.sleep(for: pause)
                    pause = Swift.min(pause + pause, Self.longestPause)
                }
                return packets.popFirst()
            }
        }
    }

    extension PacketCapture {
        /// The packets from now on, and those that wait in the buffer.
        public var packets: CapturedPackets { CapturedPackets(capture: self) }
    }
#endif
