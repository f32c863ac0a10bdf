/// Why instructions cannot be written in a form, and which.
public struct WritingError: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Reason: Error, Hashable, Sendable {
        /// The code is no instruction's, and the form shows instructions by name.
        case noMnemonic(code: UInt16)
        /// A jump or branch leaves the program, and the form shows where it goes.
        case jumpOutOfRange(target: Int64, count: Int)
        /// There are no instructions, or more than the form can count.
        case wrongCount(Int, allowed: ClosedRange<Int>)
        /// A value is longer than the form can say.
        case valueTooLong(count: Int, limit: Int)
    }

    /// What is wrong.
    public var reason: Reason
    /// The index of the instruction, or nil where it is none.
    public var instruction: Int?

    /// Makes an error.
    public init(_ reason: Reason, at instruction: Int? = nil) {
        self.reason = reason
        self.instruction = instruction
    }
}

extension WritingError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        guard let instruction else { return reason.description }
        return "instruction \(instruction): \(reason)"
    }
}

extension WritingError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .noMnemonic(let code):
            "code 0x\(String(code, radix: 16)) has no name; a form of numbers can show it"
        case .jumpOutOfRange(let target, let count):
            "jump to instruction \(target), there are 0 to \(count - 1); a form of numbers can show it"
        case .wrongCount(let count, let allowed):
            "\(count) instructions cannot be written, the form takes \(allowed.lowerBound) to \(allowed.upperBound)"
        case .valueTooLong(let count, let limit):
            "a value has \(count) bytes, at most \(limit) can be written"
        }
    }
}
