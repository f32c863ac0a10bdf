internal import CLinuxBPF
import ExtendedBPF
import SystemPackage

/// A ring buffer that programs write records to, and their one reader (`BPF_MAP_TYPE_RINGBUF`; Linux 5.8).
///
/// The records come in the order in which programs reserved them, on whichever processor. Reading takes no system call
/// and keeps no program waiting: one that finds the ring full goes without.
/// Source: the kernel's Documentation/bpf/ringbuf.
public struct RingBuffer: ~Copyable {
    /// The map, whose descriptor programs are loaded with.
    public let map: Map
    private let ring: linux_ring
    /// Where the next record begins, counted in bytes since the first.
    private var position: UInt64

    /// Makes a ring of `size` bytes.
    ///
    /// - Parameters:
    ///   - name: The name of the map.
    ///   - size: A power of two and at least a page; all of it is the kernel's memory from now on.
    /// - Throws: ``KernelError`` with `EINVAL` for another size, `ENOMEM` where there is not as much.
    public init(named name: String, size: UInt32) throws(KernelError) {
        let map = try Map(MapDeclaration(name: name, kind: .ringBuffer, maxEntries: size))
        var ring = linux_ring()
        let descriptor = map.descriptor
        try asking(.shareMap) { () throws(Errno) in
            _ = try answer(linux_ring_map(descriptor.rawValue, Int(size), &ring))
        }
        self.map = map
        self.ring = ring
        position = linux_ring_get_position(ring.consumer_position)
    }

    deinit { withUnsafePointer(to: ring) { linux_ring_unmap($0) } }

    /// Gives `body` one record after the other, until it returns false or there is none that is complete.
    ///
    /// The room of a record is free again once `body` has returned; its bytes, the first at a multiple of 8, are not to
    /// be used behind that.
    /// - Returns: How many records there were.
    @discardableResult
    public mutating func read<Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Bool
    ) throws(Failure) -> Int {
        var count = 0
        var goesOn = true
        while goesOn, position < linux_ring_get_position(ring.producer_position) {
            let head = UnsafeRawPointer(ring.data) + Int(position & UInt64(ring.size - 1))
            let length = linux_ring_get_length(head)
            if length & Self.busy != 0 { break }
            let bytes = Int(length & ~Self.discarded)
            position += UInt64((Self.headSize + bytes + 7) & ~7)
            defer { linux_ring_set_position(ring.consumer_position, position) }
            guard length & Self.discarded == 0 else { continue }
            count += 1
            goesOn = try body(UnsafeRawBufferPointer(start: head + Self.headSize, count: bytes))
        }
        return count
    }

    /// Waits until there is something to read or `time` is over.
    ///
    /// - Parameters:
    ///   - time: How long, in whole milliseconds.
    ///   - signals: Signals, all blocked in this thread, that end the wait; they stay pending.
    /// - Returns: Whether there is something to read.
    public borrowing func wait(atMost time: Duration, orFor signals: [CInt] = []) throws(KernelError) -> Bool {
        let milliseconds = CInt(clamping: Int64((max(time, .zero) / .milliseconds(1)).rounded(.up)))
        let descriptor = map.descriptor
        return try asking(.waitForRing) { () throws(Errno) in
            try answer(linux_ring_wait(descriptor.rawValue, signals, CInt(signals.count), milliseconds)) == 1
        }
    }

    /// `BPF_RINGBUF_HDR_SZ`: in front of each record there are its length and flags, and the kernel's own.
    private static let headSize = 8
    /// `BPF_RINGBUF_BUSY_BIT`: the program is still writing.
    private static let busy: UInt32 = 1 << 31
    /// `BPF_RINGBUF_DISCARD_BIT`: the program does not want it to be read.
    private static let discarded: UInt32 = 1 << 30
}
