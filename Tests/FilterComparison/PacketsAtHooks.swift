import BPFCompiler
import BPFInterpreter

// What a packet is like at a hook, and what a filter is shown of it.

extension Packet {
    /// The packet that `view` is of, in bytes and with its place for the network header, as a filter is shown it on
    /// `hook`.
    public func shown(in view: VLANView, on hook: Hook) -> Packet {
        guard hook.linkLayer == .ethernet else { return self }
        let beside = hook.context == .xdp ? nil : metadata.vlan
        var (bytes, networkHeader) = (bytes, networkHeaderOffset)
        var linear = linearLength
        switch view {
        case .bytes: return self
        case .wire:
            guard let beside else { return self }
            bytes.insert(contentsOf: [beside.tpid, beside.tci].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }, at: 12)
            networkHeader += 4
            if linear >= 12 { linear += 4 }
        case .stripped:
            guard beside == nil, hasTagInBytes else { return self }
            bytes.removeSubrange(12..<min(16, bytes.count))
            networkHeader -= 4
            linear = linear < 16 ? min(linear, 12) : linear - 4
        }
        var shown = Packet(
            bytes, linearLength: linear, networkHeaderOffset: networkHeader,
            linkLayerHeaderOffset: linkLayerHeaderOffset, metadata: metadata)
        // More where the packet goes on where the program cannot read it.
        shown.length = UInt32(bytes.count) + length - UInt32(self.bytes.count)
        return shown
    }

    /// Whether the Ethernet header has a tag behind its addresses that the kernel would take out.
    public var hasTagInBytes: Bool {
        bytes.count >= 14 && (Array(bytes[12..<14]) == [0x81, 0] || Array(bytes[12..<14]) == [0x88, 0xa8])
    }

    /// What programs get to see of the packet that reach its linear part only: it is as long as it is, but what is not
    /// there fails to load.
    public var linearPart: Packet {
        var part = Packet(
            Array(bytes[..<linearLength]), headroom: headroom, networkHeaderOffset: networkHeaderOffset,
            linkLayerHeaderOffset: linkLayerHeaderOffset, metadata: metadata)
        part.length = length
        return part
    }

    /// The packet as it is when the kernel has gone past its first bytes, which then lie in front of `data`.
    public var afterSomeWay: Packet {
        let count = min(linearLength, [0, 14, 34, 54][bytes.count % 4])
        return Packet(
            Array(bytes[count...]), linearLength: linearLength - count, headroom: [1, 2, 3] + Array(bytes[..<count]),
            networkHeaderOffset: networkHeaderOffset - count,
            linkLayerHeaderOffset: linkLayerHeaderOffset.map { $0 - count },
            metadata: metadata)
    }
}

extension Hook {
    /// What the reference machine calls the context of the hook.
    public var machineContext: ContextKind {
        switch context {
        case .socketBuffer: .socketBuffer
        case .xdp: .xdp
        case .netfilter: .netfilter
        case .tracing: hasTypedArguments ? .tracing : .untypedTracing
        }
    }
}
