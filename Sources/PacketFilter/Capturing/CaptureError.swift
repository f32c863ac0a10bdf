/// Why packets cannot be captured as asked for.
public struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, with the offending value.
    public enum Reason: Hashable, Sendable {
        /// A packet has at least one byte and at most so many.
        case snapshotLength(Int, limit: Int)
        /// A packet of the snapshot length does not fit into a buffer of so many bytes.
        case smallBuffer(Int, least: Int)
        /// The kernel has no larger buffers.
        case largeBuffer(Int, limit: Int)
    }

    /// What is wrong.
    public var reason: Reason

    /// Makes an error.
    public init(_ reason: Reason) { self.reason = reason }

    /// What was found, what would be right.
    public var description: String {
        switch reason {
        case .snapshotLength(let length, let limit):
            "\(length) bytes of a packet cannot be captured, 1 to \(limit) can"
        case .smallBuffer(let size, let least):
            "a buffer of \(size) bytes is too small for a packet, \(least) bytes hold one of the snapshot length"
        case .largeBuffer(let size, let limit):
            "a buffer of \(size) bytes is too large for the kernel, \(limit) bytes are possible"
        }
    }
}
