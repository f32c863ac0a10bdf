import CPcap

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A capture file in the pcap or pcapng format, open for reading; it is closed when the value goes.
///
///     var file = try CaptureFile(path: "sample.pcap")
///     while let packet = try file.next() { … }
public struct CaptureFile: ~Copyable {
    /// A packet of a capture file.
    public struct Packet: Hashable, Sendable {
        /// When it was captured, in whole seconds since 1970-01-01 00:00 UTC.
        public var seconds: Int64
        /// The rest of the time, 0 … 999,999,999.
        public var nanoseconds: UInt32
        /// How many bytes it had on the wire.
        public var wireLength: UInt32
        /// The bytes that were captured, beginning with the link-layer header.
        public var bytes: [UInt8]
    }

    /// Where the file is.
    public let path: String

    /// What the packets begin with.
    public let linkType: LinkType

    /// How many bytes of a packet were captured at most, as the file says.
    public let snapshotLength: Int32

    private let handle: OpaquePointer
    private var packetsRead = 0
    private var failure: PcapError?

    /// Opens the capture at `path` and reads its header.
    ///
    /// - Throws: ``PcapError/Reason/unreadable(_:)``, ``PcapError/Reason/notACapture(_:)``, or
    ///   ``PcapError/Reason/nulCharacter`` if the path has one.
    public init(path: String) throws(PcapError) {
        let stream = try Self.open(path)
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        let precision = UInt32(PCAP_TSTAMP_PRECISION_NANO)
        guard let handle = pcap_fopen_offline_with_tstamp_precision(stream, precision, &message) else {
            let text = message.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            let reason = ferror(stream) != 0 ? PcapError.Reason.unreadable(text) : .notACapture(text)
            fclose(stream)
            throw PcapError(reason, at: .file(path))
        }
        self.path = path
        self.handle = handle
        linkType = LinkType(rawValue: pcap_datalink(handle))
        snapshotLength = pcap_snapshot(handle)
    }

    deinit {
        pcap_close(handle)
    }

    /// Reads the next packet; nil after the last one.
    ///
    /// - Throws: ``PcapError/Reason/damagedCapture(_:)`` at the first packet that cannot be read, and again whenever
    ///   this is called after it.
    /// - Complexity: O(*n*) in the bytes of the packet.
    public mutating func next() throws(PcapError) -> Packet? {
        if let failure { throw failure }
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var data: UnsafePointer<UInt8>?
        switch pcap_next_ex(handle, &header, &data) {
        case 1:
            guard let header else { return nil }
            packetsRead += 1
            return Packet(header.pointee, data)
        case PCAP_ERROR_BREAK:
            return nil
        default:
            let message = String(cString: pcap_geterr(handle))
            let error = PcapError(.damagedCapture(message), at: .packet(packetsRead, file: path))
            failure = error
            throw error
        }
    }

    private static func open(_ path: String) throws(PcapError) -> UnsafeMutablePointer<FILE> {
        guard !path.utf8.contains(0) else { throw PcapError(.nulCharacter, at: .file(path)) }
        guard let stream = fopen(path, "rb") else { throw unreadable(path, errno) }
        // A directory can be opened, and what reading it gives depends on the system.
        var status = stat()
        if fstat(fileno(stream), &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            fclose(stream)
            throw unreadable(path, EISDIR)
        }
        return stream
    }

    private static func unreadable(_ path: String, _ code: Int32) -> PcapError {
        PcapError(.unreadable(String(cString: strerror(code))), at: .file(path))
    }
}

extension CaptureFile.Packet {
    fileprivate init(_ header: pcap_pkthdr, _ data: UnsafePointer<UInt8>?) {
        // A damaged file can hold any number as the fraction of a second.
        let fraction = Int64(header.ts.tv_usec)
        let remainder = fraction % 1_000_000_000
        let borrow: Int64 = remainder < 0 ? 1 : 0
        seconds = Int64(header.ts.tv_sec) &+ fraction / 1_000_000_000 &- borrow
        nanoseconds = UInt32(remainder + borrow * 1_000_000_000)
        wireLength = header.len
        bytes = Array(UnsafeBufferPointer(start: data, count: Int(header.caplen)))
    }
}
