import ExtendedBPF

// Memory that nobody has vouched for: what `bpf_rdonly_cast` and the kernel's own pointers to packet bytes lead to.

extension ExtendedState {
    /// The bytes at `address`, ``strayByte`` for each that is not known.
    func untrustedBytes(at address: UInt64, count: Int) -> [UInt8] {
        (0..<UInt64(count)).map { untrustedByte(at: address &+ $0) ?? strayByte }
    }

    /// The bytes at `address` as `probe_read_kernel` copies them, or nil if one of them is nowhere.
    func probedBytes(at address: UInt64, count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        for distance in 0..<UInt64(count) {
            let place = address &+ distance
            guard let byte = untrustedByte(at: place) ?? (isBehindPacket(place) ? strayByte : nil) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// The byte at `address`, marked or not, wherever the program could have got that address from.
    private func untrustedByte(at address: UInt64) -> UInt8? {
        let address = address & ~(AddressSpace.untrusted | AddressSpace.unknown)
        if let offset = packetOffset(address) {
            if offset < 0 { return packet.headroom[packet.headroom.count + offset] }
            return offset < packet.linearLength ? packet.bytes[offset] : nil
        }
        guard let location = try? locate(address, count: 1) else { return nil }
        switch location.memory {
        case .context: return nil
        case .packet: return packet.bytes[location.offset]
        case .stack(let frame): return frames[frame].stack[location.offset]
        case .structure(let structure): return kernelMemory?.byte(of: structure, at: location.offset)
        case .tables: return tables?.bytes[location.offset]
        }
    }

    /// The kernel keeps notes of its own behind the linear part of a packet, 320 bytes on most machines.
    ///
    /// Source: `struct skb_shared_info` of the kernel's `<linux/skbuff.h>`.
    private func isBehindPacket(_ address: UInt64) -> Bool {
        guard let offset = packetOffset(address & ~(AddressSpace.untrusted | AddressSpace.unknown)) else {
            return false
        }
        return (packet.linearLength..<packet.linearLength + 320).contains(offset)
    }

    /// The place in the packet that the kernel's own address means, −1 being the headroom's last byte; nil for an
    /// address of something else.
    private func packetOffset(_ address: UInt64) -> Int? {
        let offset = Int(Int64(bitPattern: address &- AddressSpace.kernelPacket)) - packet.headroom.count
        return (-packet.headroom.count..<1 << 31).contains(offset) ? offset : nil
    }
}
