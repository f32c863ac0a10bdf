import BPFCompiler

// Which argument of a tracepoint or function is the packet.

extension PacketFilter {
    /// The argument of the hook's place that is the packet's `struct sk_buff`, counted from 0, or nil where nothing is
    /// known of it here.
    ///
    /// - Throws: ``PacketArgumentError`` where the running kernel knows the place, and its arguments do not tell.
    static func packetArgument(of hook: Hook) throws -> Int? {
        if let known = hook.usualSocketBufferArgument { return known }
        #if os(Linux)
            if hook.mayHaveFreedPacket { return nil }
            return try KernelLayout.packetArgument(of: hook)
        #else
            return nil
        #endif
    }
}

/// The running kernel knows a tracepoint or function, and not one of its arguments alone is a packet.
public struct PacketArgumentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The tracepoint or function.
    public var hook: Hook
    /// Its arguments, in order, each as C declares it.
    public var arguments: [String]
    /// Which of them are packets, counted from 0.
    public var packets: [Int]

    /// What was found, what would be right.
    public var description: String {
        let list =
            arguments.isEmpty
            ? "it has none" : arguments.enumerated().map { "\($0.offset + 1) \($0.element)" }.joined(separator: ", ")
        return packets.isEmpty
            ? "no argument of \(hook) is a packet (struct sk_buff *): \(list)"
            : "\(packets.count) arguments of \(hook) are packets (struct sk_buff *), which of them has to be said "
                + "(--skb-argument): \(list)"
    }
}
