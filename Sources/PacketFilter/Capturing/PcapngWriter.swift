#if os(Linux)
    import Glibc
    import Pcap
    import SystemPackage

    /// A capture file in the pcapng format that packets are written to as they are captured.
    ///
    /// Each interface that a packet names gets its own description, again where its packets begin with something else.
    public struct PcapngWriter: ~Copyable {
        private let path: FilePath
        private let file: FileDescriptor
        private let closes: Bool
        /// Whether what is written lies in a file, where nobody waits for it.
        public let isRegularFile: Bool
        private let snapshotLength: Int
        private let filter: String?
        private let start = UInt64(now(CLOCK_REALTIME))
        private var encoder = PcapngEncoder()
        private var interfaces: [InterfaceKey: UInt32] = [:]
        /// How many packets each has.
        private var packetCounts: [UInt64] = []
        /// How many packets are in the file.
        public private(set) var packetCount = 0
        /// How many are yet to be written.
        private var gathered = 0
        private var last: (key: InterfaceKey, number: UInt32)?

        private struct InterfaceKey: Hashable {
            var interface: CapturedPacket.Interface
            var linkType: LinkType
        }

        /// How many bytes are gathered before they are written.
        private static let bufferSize = 256 << 10

        /// Makes the file at `path`, or replaces it, and begins it.
        ///
        /// - Parameters:
        ///   - capture: Where the packets come from.
        ///   - filter: The expression they match.
        /// - Throws: ``FileError``.
        public init(path: FilePath, of capture: PacketCapture, filter: String?) throws(FileError) {
            self.init(path, try Self.open(path), closes: true, capture, filter)
        }

        /// Begins a file where `descriptor`, which stays open, writes.
        public init(to descriptor: FileDescriptor, named name: FilePath, of capture: PacketCapture, filter: String?) {
            self.init(name, descriptor, closes: false, capture, filter)
        }

        private static func open(_ path: FilePath) throws(FileError) -> FileDescriptor {
            do {
                return try FileDescriptor.open(
                    path, .writeOnly, options: [.create, .truncate],
                    permissions: [.ownerReadWrite, .groupReadWrite, .otherReadWrite])
            } catch {
                throw FileError(path: path, errno: error as? Errno ?? .ioError)
            }
        }

        private init(
            _ path: FilePath, _ file: FileDescriptor, closes: Bool, _ capture: PacketCapture, _ filter: String?
        ) {
            self.path = path
            self.file = file
            self.closes = closes
            self.filter = filter
            snapshotLength = capture.snapshotLength
            var status = stat()
            isRegularFile = fstat(file.rawValue, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            begin(capture)
        }

        deinit { if closes { try? file.close() } }

        /// Writes what tells a reader that a capture has begun, packets or none.
        private mutating func begin(_ capture: PacketCapture) {
            encoder.appendSection(application: "cbpf2ebpf")
            if let linkType = capture.linkType, let interface = capture.reader.interface {
                _ = number(of: InterfaceKey(interface: interface, linkType: linkType))
            }
        }

        /// Writes a packet behind those before, sooner or later; ``flush()`` says when.
        ///
        /// - Throws: ``FileError``.
        public mutating func write(_ packet: CapturedPacket) throws(FileError) {
            let key = InterfaceKey(interface: packet.interface, linkType: packet.linkType)
            let number = last?.key == key ? last!.number : number(of: key)
            packetCounts[Int(number)] += 1
            gathered += 1
            encoder.appendPacket(
                packet.bytes, interface: number, time: packet.time, wireLength: packet.wireLength,
                flags: packet.flags, comment: packet.dropReason.map { "drop reason: \($0)" })
            if encoder.bytes.count >= Self.bufferSize { try flush() }
        }

        /// The number of an interface in the file, which is described there the first time.
        private mutating func number(of key: InterfaceKey) -> UInt32 {
            let number = interfaces[key] ?? UInt32(interfaces.count)
            if interfaces.updateValue(number, forKey: key) == nil {
                encoder.appendInterface(
                    key.linkType, named: key.interface.name.isEmpty ? nil : key.interface.name,
                    snapshotLength: UInt32(snapshotLength), filter: filter)
                packetCounts.append(0)
            }
            last = (key, number)
            return number
        }

        /// Sees to it that all packets are in the file.
        ///
        /// Where that fails, a regular file ends behind the last packet that it has room for, and is a valid one.
        /// - Throws: ``FileError``.
        public mutating func flush() throws(FileError) {
            var written = 0
            do {
                while written < encoder.bytes.count {
                    written += try encoder.bytes.withUnsafeBytes {
                        try file.write(UnsafeRawBufferPointer(rebasing: $0[written...]))
                    }
                }
            } catch {
                let whole = encoder.wholeBlocks(within: written)
                packetCount += whole.packets
                let rest = Int64(written - whole.bytes)
                if let end = try? file.seek(offset: 0, from: .current) {
                    try? file.resize(to: end - rest)
                    _ = try? file.seek(offset: end - rest, from: .start)
                }
                encoder.removeAll()
                gathered = 0
                throw FileError(path: path, errno: error as? Errno ?? .ioError)
            }
            encoder.removeAll()
            packetCount += gathered
            gathered = 0
        }

        /// Writes how the capture went, and what is left to write.
        ///
        /// Packets that are lost are none of a known interface where there are several; the first one's statistics have
        /// them then, and a comment that says so.
        /// - Throws: ``FileError``.
        public mutating func finish(_ counts: CaptureCounts) throws(FileError) {
            let times = (start: start, end: UInt64(now(CLOCK_REALTIME)))
            if interfaces.isEmpty {
                _ = number(of: InterfaceKey(interface: .init(index: 0, name: ""), linkType: .rawIP))
            }
            for (number, captured) in packetCounts.enumerated() {
                let lost = number == 0 ? counts.lost : 0
                encoder.appendStatistics(
                    interface: UInt32(number), times: times, received: captured + lost, lost: lost,
                    comment: lost > 0 && packetCounts.count > 1 ? "lost at all interfaces" : nil)
            }
            try flush()
        }
    }
#endif
