/// Why a sequence of instructions is no valid program, and where.
public struct ValidationError: Error, Hashable, Sendable {
    /// The broken rule, with the offending value and the limit.
    public enum Reason: Hashable, Sendable {
        /// There are no instructions.
        case emptyProgram
        /// There are more instructions than `limit`.
        case tooManyInstructions(count: Int, limit: Int)
        /// The code has no meaning.
        case unknownCode(UInt16)
        /// A division or remainder by the constant 0.
        case divisionByZero
        /// A shift by a constant of 32 or more.
        case shiftTooFar(distance: UInt32)
        /// An index into M[] of 16 or more.
        case noSuchMemory(index: UInt32)
        /// M[] is read where some path has not written it.
        case unwrittenMemory(index: UInt32)
        /// An absolute load from the extensions' area that is no known extension.
        case unknownExtension(offset: UInt32)
        /// A jump or one side of a branch leaves the program, or goes backward where that is refused.
        case jumpOutOfRange(target: Int64, count: Int)
        /// The last instruction is no `ret`.
        case missingReturn
        /// The dialect does not have this, which others do.
        case unavailable(String, in: ClassicDialect)
        /// A load that is none of an aligned word of `struct seccomp_data`.
        case notInSeccompData(bytes: UInt32, offset: UInt32)
    }

    /// The broken rule.
    public var reason: Reason

    /// The index of the instruction that breaks it, or nil if the program as a whole does.
    public var instruction: Int?

    /// Makes an error.
    public init(_ reason: Reason, at instruction: Int? = nil) {
        self.reason = reason
        self.instruction = instruction
    }
}

extension ValidationError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        guard let instruction else { return reason.description }
        return "instruction \(instruction): \(reason)"
    }
}

extension ValidationError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .emptyProgram:
            "the program is empty, it needs at least one instruction"
        case .tooManyInstructions(let count, let limit):
            "the program has \(count) instructions, at most \(limit) are allowed"
        case .unknownCode(let code):
            "code 0x\(hex(UInt32(code), digits: 2)) is no classic BPF instruction"
        case .divisionByZero:
            "division by the constant 0"
        case .shiftTooFar(let distance):
            "shift by \(distance), at most 31 is allowed"
        case .noSuchMemory(let index):
            "M[\(index)] does not exist, the last is M[15]"
        case .unwrittenMemory(let index):
            "M[\(index)] is read but not written on every path to here"
        case .unknownExtension(let offset):
            "offset 0x\(hex(offset, digits: 8)) is no extension, the known ones are 0xfffff000 plus 0, 4, … 60"
        case .jumpOutOfRange(let target, let count) where target >= count:
            "jump to instruction \(target), the last is \(count - 1)"
        case .jumpOutOfRange(let target, _) where target < 0:
            "jump to instruction \(target), the first is 0"
        case .jumpOutOfRange(let target, _):
            "jump back to instruction \(target), only forward is allowed"
        case .missingReturn:
            "the last instruction must be a ret of a constant or of A"
        case .unavailable(let name, let dialect):
            "\(dialect.rawValue) does not have \(name)"
        case .notInSeccompData(let bytes, let offset):
            "a load of \(bytes) byte\(bytes == 1 ? "" : "s") at \(offset), seccomp has words at multiples of 4 up to 60"
        }
    }
}

private func hex(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
