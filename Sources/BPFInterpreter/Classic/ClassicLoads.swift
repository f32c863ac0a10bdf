import ClassicBPF

extension ClassicState {
    mutating func load(_ source: Operation.Source) -> Continuation {
        switch source {
        case .immediate(let k): a = k
        case .memory(let cell): a = memory[Int(cell)]
        case .length: a = packet.length
        case .absolute(let size, let k): return loadPacket(size, at: k)
        case .indirect(let size, let k): return loadPacket(size, at: x &+ k)
        case .extension(let ext): return load(ext)
        }
        return .next
    }

    mutating func loadIndex(_ source: Operation.IndexSource) -> Continuation {
        switch source {
        case .immediate(let k): x = k
        case .memory(let cell): x = memory[Int(cell)]
        case .length: x = packet.length
        case .headerLength(let k):
            guard let byte = packet.classicLoad(.byte, at: k) else { return .end(0) }
            x = 4 * (byte & 15)
        }
        return .next
    }

    private mutating func loadPacket(_ size: Operation.Size, at offset: UInt32) -> Continuation {
        guard let value = packet.classicLoad(size, at: offset) else { return .end(0) }
        a = value
        return .next
    }

    private mutating func load(_ ext: Extension) -> Continuation {
        let metadata = packet.metadata
        switch ext {
        case .proto: a = UInt32(metadata.protocol)
        case .type: a = UInt32(metadata.packetType & 7)
        case .ifidx, .hatype:
            // Without an interface the kernel leaves the filter with A as it stands.
            guard let interface = metadata.interface else { return .end(a) }
            a = ext == .ifidx ? interface.index : UInt32(interface.hardwareType)
        case .nla: a = packet.netlinkAttribute(ofType: x, from: a, byteOrder)
        case .nlan: a = packet.nestedNetlinkAttribute(ofType: x, inAttributeAt: a, byteOrder)
        case .mark: a = metadata.mark
        case .queue: a = UInt32(metadata.queueMapping)
        case .rxhash: a = metadata.hash
        case .cpu: a = metadata.cpu
        case .xorX: a ^= x
        case .vlanTCI: a = UInt32(metadata.vlan?.tci ?? 0)
        case .vlanAvail: a = metadata.hasVLANTag ? 1 : 0
        case .vlanTPID: a = UInt32(metadata.vlan?.tpid ?? 0)
        case .rand: a = metadata.random
        case .poff: a = packet.payloadOffset
        }
        return .next
    }
}

extension Metadata {
    /// Whether the kernel would say that there is a tag: it looks at the tag's two numbers only.
    var hasVLANTag: Bool {
        guard let vlan else { return false }
        return vlan.tci != 0 || vlan.tpid != 0
    }
}
