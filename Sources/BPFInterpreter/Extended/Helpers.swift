import ExtendedBPF

// The helper functions that are modelled. Source: bpf-helpers(7).

private let badAddress = UInt64(bitPattern: -14)  // −EFAULT
private let invalidArgument = UInt64(bitPattern: -22)  // −EINVAL
private let outOfRange = UInt64(bitPattern: -34)  // −ERANGE

extension ExtendedState {
    /// The helper functions that only programs with one kind of context have.
    private static let contexts: [Int32: ContextKind] = [26: .socketBuffer, 68: .socketBuffer, 188: .xdp, 189: .xdp]

    mutating func callHelper(_ number: Int32) throws(Trap.Reason) {
        if let kind = Self.contexts[number], kind != context.kind {
            throw .unavailable("helper function \(number)", context.kind)
        }
        let result: UInt64
        switch number {
        case 5: result = packet.metadata.monotonicTime
        case 7: result = UInt64(packet.metadata.random)
        case 8: result = UInt64(packet.metadata.cpu)
        case 26: result = try loadBytes()
        case 68: result = try loadBytesRelative()
        case 113: result = try probeRead()
        case 181: return try beginLoop()
        case 188: result = UInt64(packet.length)
        case 189: result = try loadXDPBytes()
        case 201: result = try readDynptr()
        default: throw .unknownHelper(number: number)
        }
        destroyArguments()
        try write(.r0, result)
    }

    /// `bpf_skb_load_bytes(skb, offset, to, len)`: reaches the whole packet, but no byte before it.
    private mutating func loadBytes() throws(Trap.Reason) -> UInt64 {
        let (offset, destination) = try loadArguments()
        let inPacket = offset <= UInt32(Int32.max) ? packet.bytes(at: Int(offset), count: destination.count) : nil
        return try deliver(inPacket, to: destination)
    }

    /// `bpf_skb_load_bytes_relative(skb, offset, to, len, start_header)`: reaches the linear part, from a header on.
    private mutating func loadBytesRelative() throws(Trap.Reason) -> UInt64 {
        let (offset, destination) = try loadArguments()
        let header: Int? =
            switch UInt32(truncatingIfNeeded: try read(.r5)) {
            case 0: packet.linkLayerHeaderOffset
            case 1: packet.networkHeaderOffset
            default: nil
            }
        guard offset <= 0xffff, let header else { return try deliver(nil, to: destination) }
        let start = header &+ Int(offset)
        let isLinear = start <= packet.linearLength - destination.count
        return try deliver(
            isLinear ? packet.bytes(at: start, count: destination.count) : nil, to: destination)
    }

    /// `bpf_xdp_load_bytes(xdp, offset, to, len)`: reaches the whole packet. What it cannot load it leaves alone.
    private mutating func loadXDPBytes() throws(Trap.Reason) -> UInt64 {
        let (offset, destination) = try loadArguments()
        if offset > 0xffff || destination.count > 0xffff { return badAddress }
        guard Int(offset) + destination.count <= packet.bytes.count else { return invalidArgument }
        return try deliver(packet.bytes[Int(offset)...].prefix(destination.count), to: destination)
    }

    /// `bpf_probe_read_kernel(to, len, from)`: whatever is at an address of the kernel, zeros where nothing is.
    private mutating func probeRead() throws(Trap.Reason) -> UInt64 {
        let length = UInt32(truncatingIfNeeded: try read(.r2))
        guard length <= Int32.max else { throw .invalidByteCount(UInt64(length)) }
        let source = try read(.r3)
        let bytes = probedBytes(at: source, count: Int(length))
        if length > 0 {
            let destination = try locate(try read(.r1), count: Int(length))
            guard case .stack = destination.memory else { throw .readOnlyMemory(destination.memory.region) }
            return try deliver(bytes?[...], to: destination, failingWith: error(at: source))
        }
        return source < AddressSpace.nullLimit ? outOfRange : 0
    }

    /// `bpf_dynptr_read(to, len, dynptr, offset, flags)`: reaches the whole packet. What it cannot read it leaves alone,
    /// but for the verifier `to` has been written.
    private mutating func readDynptr() throws(Trap.Reason) -> UInt64 {
        let count = UInt32(truncatingIfNeeded: try read(.r2))
        guard count <= Int32.max else { throw .invalidByteCount(UInt64(count)) }
        try checkDynptr(in: .r3)
        let offset = UInt32(truncatingIfNeeded: try read(.r4))
        guard try read(.r5) == 0 else { return invalidArgument }
        if count == 0 { return 0 }
        let destination = try locate(try read(.r1), count: Int(count))
        guard case .stack = destination.memory else { throw .readOnlyMemory(destination.memory.region) }
        guard Int(offset) + Int(count) <= packet.bytes.count else { return UInt64(bitPattern: -7) }  // −E2BIG
        return try deliver(packet.bytes[Int(offset)...].prefix(Int(count)), to: destination)
    }

    /// Addresses of processes are refused before they are tried.
    private func error(at address: UInt64) -> UInt64 { address < AddressSpace.nullLimit ? outOfRange : badAddress }

    /// Checks `r1` to `r4` and returns the offset and the memory to write to.
    private func loadArguments() throws(Trap.Reason) -> (offset: UInt32, destination: Location) {
        guard try read(.r1) == AddressSpace.context else { throw .notTheContext(.r1) }
        let offset = UInt32(truncatingIfNeeded: try read(.r2))
        let length = try read(.r4)
        guard (1...UInt64(Int32.max)).contains(length) else { throw .invalidByteCount(length) }
        let destination = try locate(try read(.r3), count: Int(length))
        if case .stack = destination.memory { return (offset, destination) }
        throw .readOnlyMemory(destination.memory.region)
    }

    /// Writes `bytes` to `destination`, or zeros where there are none, and returns the helper's result.
    private mutating func deliver(
        _ bytes: ArraySlice<UInt8>?, to destination: Location, failingWith error: UInt64 = badAddress
    ) throws(Trap.Reason) -> UInt64 {
        try set(destination, to: bytes.map(Array.init) ?? Array(repeating: 0, count: destination.count))
        return bytes == nil ? error : 0
    }
}
