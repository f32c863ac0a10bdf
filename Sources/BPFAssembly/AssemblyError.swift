/// Why a text cannot be read, and where.
public struct AssemblyError: Error, Hashable, Sendable {
    /// What is wrong, with what was found and what could stand there.
    public enum Reason: Error, Hashable, Sendable {
        /// There is no text at all.
        case emptyInput
        /// The text is in another form of tcpdump's.
        case otherForm(option: String)
        /// Something else than a number stands where one is needed.
        case notANumber(found: String, field: String)
        /// A number is below 0 or above what its field holds.
        case numberOutOfRange(found: String, field: String, maximum: UInt32)
        /// The line ends before all fields have been given.
        case missingField(String)
        /// Something follows the last field of a line.
        case unexpectedText(found: String, after: String)
        /// The count in the first line is not the number of lines that follow.
        case wrongCount(stated: UInt32, found: Int)
        /// Something stands where other things could; each is named with its article or quoted.
        case unexpected(found: String, expected: [String])
    }

    /// What is wrong.
    public var reason: Reason
    /// The line, counted from 1.
    public var line: Int
    /// The byte in the line, counted from 1.
    public var column: Int

    /// Makes an error.
    public init(_ reason: Reason, line: Int, column: Int) {
        self.reason = reason
        self.line = line
        self.column = column
    }
}

extension AssemblyError: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String { "\(line):\(column): \(reason)" }
}

extension AssemblyError.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .emptyInput:
            "the input is empty, its first line must be the number of instructions"
        case .otherForm(let option):
            "this looks like what tcpdump \(option) prints, give what tcpdump -ddd prints"
        case .notANumber(let found, let field):
            "'\(found)' is no decimal number, \(field) must stand here"
        case .numberOutOfRange(let found, let field, let maximum):
            "\(found) is out of range for \(field), it must be 0 to \(maximum)"
        case .missingField(let field):
            "the line ends here, \(field) is missing"
        case .unexpectedText(let found, let after):
            "unexpected '\(found)' after \(after), the line should end there"
        case .wrongCount(let stated, let found):
            "the first line says \(stated) instructions, \(found) follow"
        case .unexpected(let found, let expected):
            "found \(found), expected \(alternatives(expected))"
        }
    }

    /// `a`, `a or b`, `a, b or c`.
    private func alternatives(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}
