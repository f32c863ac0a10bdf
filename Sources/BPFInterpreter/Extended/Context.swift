/// What a program is given a pointer to, which depends on where it runs.
public enum ContextKind: String, Hashable, Sendable, CaseIterable {
    /// `struct __sk_buff`: socket filters, tc and all others that see packets in the kernel's own form.
    case socketBuffer = "__sk_buff"
    /// `struct xdp_md`: programs in the driver's receive path.
    case xdp = "xdp_md"
}

/// The structure that a running program has as its context.
enum Context {
    case socketBuffer(SocketBuffer)
    case xdp(XDPBuffer)

    var kind: ContextKind {
        switch self {
        case .socketBuffer: .socketBuffer
        case .xdp: .xdp
        }
    }

    /// The number of bytes of the structure.
    var size: Int {
        switch self {
        case .socketBuffer: SocketBuffer.size
        case .xdp: XDPBuffer.size
        }
    }

    func bytes(at location: Location) throws(Trap.Reason) -> [UInt8] {
        switch self {
        case .socketBuffer(let buffer): try buffer.bytes(at: location)
        case .xdp(let buffer): try buffer.bytes(at: location)
        }
    }

    mutating func set(_ location: Location, to bytes: [UInt8]) throws(Trap.Reason) {
        guard case .socketBuffer(var buffer) = self else {
            // The receive queue can be written too, but by programs that a network card runs.
            throw .noContextField(offset: location.offset, count: location.count)
        }
        try buffer.set(location, to: bytes)
        self = .socketBuffer(buffer)
    }

    /// Where in the packet's linear part the pointer leads that a load of a word from `offset` gives; nil if the
    /// field there is no pointer.
    func pointer(at offset: Int) -> PacketPlace? {
        switch (self, offset) {
        case (.socketBuffer, SocketBuffer.data), (.xdp, XDPBuffer.data), (.xdp, XDPBuffer.dataMeta): .start
        case (.socketBuffer, SocketBuffer.dataEnd), (.xdp, XDPBuffer.dataEnd): .end
        default: nil
        }
    }
}

/// The two places in a packet that contexts point to.
enum PacketPlace {
    /// The first byte.
    case start
    /// Behind the linear part.
    case end
}
