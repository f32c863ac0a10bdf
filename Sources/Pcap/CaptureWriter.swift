import CPcap

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A capture file in the pcap format with times in nanoseconds, open for writing; it is closed when the value goes.
public struct CaptureWriter: ~Copyable {
    private let path: String
    private let handle: OpaquePointer
    private let file: OpaquePointer

    /// Creates the file at `path`, or replaces it, and writes its header; `-` is standard output.
    ///
    /// - Parameters:
    ///   - linkType: What the packets begin with.
    ///   - snapshotLength: How many bytes of a packet are captured at most, as the file is to say.
    /// - Throws: ``PcapError/Reason/unwritable(_:)``, or ``PcapError/Reason/nulCharacter`` if the path has one.
    public init(path: String, linkType: LinkType, snapshotLength: Int32) throws(PcapError) {
        guard !path.utf8.contains(0) else { throw PcapError(.nulCharacter, at: .file(path)) }
        let precision = UInt32(PCAP_TSTAMP_PRECISION_NANO)
        guard
            let handle = pcap_open_dead_with_tstamp_precision(linkType.rawValue, snapshotLength, precision)
        else { throw PcapError(.unwritable("out of memory"), at: .file(path)) }
        guard let file = pcap_dump_open(handle, path) else {
            // libpcap puts the path in front, where the error has it already.
            let message = String(cString: pcap_geterr(handle))
            pcap_close(handle)
            let reason = message.hasPrefix("\(path): ") ? String(message.dropFirst(path.count + 2)) : message
            throw PcapError(.unwritable(reason), at: .file(path))
        }
        self.path = path
        self.handle = handle
        self.file = file
    }

    deinit {
        pcap_dump_close(file)
        pcap_close(handle)
    }

    /// Writes `packet` behind those before.
    public func write(_ packet: CaptureFile.Packet) {
        var header = pcap_pkthdr()
        header.ts.tv_sec = time_t(packet.seconds)
        header.ts.tv_usec = numericCast(packet.nanoseconds)
        header.caplen = UInt32(packet.bytes.count)
        header.len = packet.wireLength
        packet.bytes.withUnsafeBufferPointer { bytes in
            pcap_dump(UnsafeMutablePointer(file), &header, bytes.baseAddress)
        }
    }

    /// Sees to it that all packets are in the file.
    ///
    /// - Throws: ``PcapError/Reason/unwritable(_:)`` if some could not be written.
    public func flush() throws(PcapError) {
        let isFlushed = pcap_dump_flush(file) == 0
        if !isFlushed || ferror(pcap_dump_file(file)) != 0 {
            throw PcapError(.unwritable(String(cString: strerror(errno))), at: .file(path))
        }
    }
}
