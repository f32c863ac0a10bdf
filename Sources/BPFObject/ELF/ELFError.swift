/// Why bytes are no object with eBPF programs that can be read, and where.
public struct ELFError: Error, Hashable, Sendable {
    /// What is wrong, with the offending value and the limit.
    public enum Reason: Hashable, Sendable {
        /// The first four bytes are not those of an ELF file.
        case notELF
        /// Objects with eBPF are 64-bit ones.
        case not64Bit
        /// `EI_DATA` is neither 1 nor 2.
        case unknownByteOrder(UInt8)
        /// The object is for another machine.
        case otherMachine(UInt16)
        /// A field, a table or a section reaches past the end of the file.
        case truncated(needed: Int, available: Int)
        /// A place or a size is larger than any file.
        case tooLarge(UInt64)
        /// The number names no section.
        case noSuchSection(Int, count: Int)
        /// The number names no symbol.
        case noSuchSymbol(Int, count: Int)
        /// A name's offset is outside the strings, or its end is.
        case stringOutOfRange(offset: Int, size: Int)
        /// A function's symbol is not inside its section.
        case functionOutOfRange(String)
        /// No section holds a function.
        case noPrograms
        /// The types cannot be read.
        case types(BTFError.Reason)
        /// Bytes of a function are no instruction.
        case notAnInstruction(section: String, String)
    }

    /// What is wrong.
    public var reason: Reason

    /// The distance in bytes from the start of the file, or nil if the file as a whole is meant.
    public var offset: Int?

    /// Makes an error.
    public init(_ reason: Reason, at offset: Int? = nil) {
        self.reason = reason
        self.offset = offset
    }
}

extension ELFError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        guard let offset else { return reason.description }
        return "byte \(offset): \(reason)"
    }
}

extension ELFError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .notELF: "this is no ELF file, one begins with 7f 45 4c 46"
        case .not64Bit: "this is no 64-bit ELF file, objects with eBPF are"
        case .unknownByteOrder(let order): "the byte order is \(order), it must be 1 (little) or 2 (big)"
        case .otherMachine(let machine): "the object is for machine \(machine), eBPF is 247"
        case .truncated(let needed, let available): "\(needed) bytes are needed, \(available) are left"
        case .tooLarge(let number): "\(number) is no place or size in a file"
        case .noSuchSection(let number, let count): "there is no section \(number), the file has \(count)"
        case .noSuchSymbol(let number, let count): "there is no symbol \(number), the file has \(count)"
        case .stringOutOfRange(let offset, let size): "no string starts at \(offset), the strings have \(size) bytes"
        case .functionOutOfRange(let name): "function \(name.debugDescription) is not inside its section"
        case .noPrograms: "the object has no functions"
        case .types(let reason): "in the types: \(reason)"
        case .notAnInstruction(let section, let text): "section \(section.debugDescription): \(text)"
        }
    }
}
