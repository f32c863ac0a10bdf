import ClassicBPF

/// Why libpcap, or this module before it, refused an input, and where.
public struct PcapError: Error, Hashable, Sendable {
    /// What was wrong, with the offending value and the limit.
    public enum Reason: Hashable, Sendable {
        /// libpcap has no link type of this name or number.
        case unknownLinkType(String)
        /// The snapshot length is not in 1 … `limit`.
        case snapshotLengthOutOfRange(UInt32, limit: UInt32)
        /// The expression is longer than `limit` bytes.
        case expressionTooLong(bytes: Int, limit: Int)
        /// The expression has more branches than libpcap's optimiser is given.
        case tooComplexToOptimize(branches: Int, limit: Int)
        /// A C string cannot hold the character NUL.
        case nulCharacter
        /// libpcap refused the expression; its message, unchanged.
        case invalidExpression(String)
        /// libpcap made a program that breaks libpcap's own rules.
        case invalidProgram(ValidationError)
        /// The operating system gave no memory for libpcap's handle or no thread to compile on.
        case noResources
        /// The file could not be opened or read; the operating system's message.
        case unreadable(String)
        /// The file could not be created or written; the operating system's message.
        case unwritable(String)
        /// The file does not begin as a capture does; libpcap's message, unchanged.
        case notACapture(String)
        /// The capture cannot be read on from here; libpcap's message, unchanged.
        case damagedCapture(String)
    }

    /// A place in the input.
    public enum Position: Hashable, Sendable {
        /// The byte of the expression's UTF-8 form, from 0.
        case byte(Int)
        /// The file at a path.
        case file(String)
        /// The packet of the file at a path, from 0.
        case packet(Int, file: String)
    }

    /// What was wrong.
    public var reason: Reason

    /// Where, or nil if the input as a whole is meant.
    public var position: Position?

    /// Makes an error.
    public init(_ reason: Reason, at position: Position? = nil) {
        self.reason = reason
        self.position = position
    }
}

extension PcapError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        guard let position else { return reason.description }
        return "\(position): \(reason)"
    }
}

extension PcapError.Position: CustomStringConvertible {
    /// The place in words.
    public var description: String {
        switch self {
        case .byte(let offset): "byte \(offset)"
        case .file(let path): path
        case .packet(let index, let path): "\(path): packet \(index)"
        }
    }
}

extension PcapError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .unknownLinkType(let text):
            "unknown link type \"\(text)\", it must be a name of libpcap's such as EN10MB or RAW, or its number"
        case .snapshotLengthOutOfRange(let length, let limit):
            "the snapshot length is \(length), it must be 1 to \(limit)"
        case .expressionTooLong(let bytes, let limit):
            "the expression has \(bytes) bytes, at most \(limit) are allowed"
        case .tooComplexToOptimize(let branches, let limit):
            "the expression has \(branches) branches, libpcap's optimiser is given at most \(limit); "
                + "compile without it"
        case .nulCharacter: "the character NUL is not allowed"
        case .invalidExpression(let message): message
        case .invalidProgram(let error): "libpcap made an invalid program: \(error)"
        case .noResources: "the system has no memory or no thread left to compile with"
        case .unreadable(let message), .unwritable(let message): message
        case .notACapture(let message): "no capture file: \(message)"
        case .damagedCapture(let message): message
        }
    }
}
