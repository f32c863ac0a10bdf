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
        /// A number is too small or too large for a field that also takes negative ones.
        case outsideRange(found: String, field: String, minimum: Int64, maximum: Int64)
        /// A jump or call leads to no instruction of the same function.
        case jumpOutside(distance: Int)
        /// Something stands where other things could; each is named with its article or quoted.
        case unexpected(found: String, expected: [String])
        /// A sign or a digit stands where a number begins, but no number of any notation does.
        case malformedNumber(found: String)
        /// A number does not fit into 32 bits, signed or not.
        case numberTooLarge(found: String, field: String)
        /// A branch goes to an instruction that its 8 bits cannot reach.
        case branchTooFar(to: String, distance: Int)
        /// A jump goes to a label that stands nowhere.
        case undefinedLabel(String)
        /// A label stands in two places.
        case duplicateLabel(String, firstLine: Int)
        /// No instruction follows a label.
        case labelAtEnd(String)
        /// A comment is not closed.
        case unclosedComment
        /// A constant of C that is none of classic BPF's.
        case unknownConstant(String)
        /// There are more brackets within each other than are read.
        case tooDeep(limit: Int)
        /// A listing shows a code that is no instruction.
        case unknownCode
        /// A file ends within something.
        case truncated(String, missing: Int)
        /// A value in a file that is none of those that can stand there.
        case wrongValue(String, found: String, expected: String)
        /// The number of bytes of a file or of a value in it is not what it can be.
        case wrongSize(String, found: Int, expected: String)
        /// A file has something twice that it may have once.
        case duplicate(String)
        /// An instruction of eBPF that RFC 9669 does not have.
        case notInStandard(String)
        /// The text could be in several forms.
        case ambiguousForm([String])
        /// The instructions are those of a machine with the other order of bytes.
        case otherByteOrder
        /// The text is in no form that is known.
        case unknownForm
    }

    /// What is wrong.
    public var reason: Reason
    /// The line, counted from 1, or 0 in a file that is no text.
    public var line: Int
    /// The byte in the line, or in the file if it is no text, counted from 1.
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
    public var description: String { line == 0 ? "byte \(column): \(reason)" : "\(line):\(column): \(reason)" }
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
        case .outsideRange(let found, let field, let minimum, let maximum):
            "\(found) is out of range for \(field), it must be \(minimum) to \(maximum)"
        case .jumpOutside(let distance):
            "a distance of \(distance) leads to no instruction here"
        case .unexpected(let found, let expected):
            "found \(found), expected \(alternatives(expected))"
        case .malformedNumber(let found):
            "\(found) is no number; decimal, 0x…, 0b… or octal with a leading 0 could stand here"
        case .numberTooLarge(let found, let field):
            "\(found) is out of range for \(field), it must be -2147483648 to 4294967295"
        case .branchTooFar(let target, let distance):
            "\(target) is \(distance) instructions behind the next one, a branch reaches 0 to 255"
        case .undefinedLabel(let name):
            "there is no label '\(name)'"
        case .duplicateLabel(let name, let line):
            "the label '\(name)' is in line \(line) already"
        case .labelAtEnd(let name):
            "no instruction follows the label '\(name)'"
        case .unclosedComment:
            "the comment that begins here has no end"
        case .unknownConstant(let name):
            "'\(name)' is no constant of linux/filter.h or linux/bpf_common.h"
        case .tooDeep(let limit):
            "there are more than \(limit) brackets within each other"
        case .unknownCode:
            "unimp stands for a code that is no instruction"
        case .truncated(let what, let missing):
            "the file ends within \(what), \(missing) byte\(missing == 1 ? "" : "s") too early"
        case .wrongValue(let what, let found, let expected):
            "\(what) is \(found), it must be \(expected)"
        case .wrongSize(let what, let found, let expected):
            "\(what) has \(found) bytes, it must have \(expected)"
        case .duplicate(let what):
            "there is a second \(what), one is allowed"
        case .notInStandard(let name):
            "'\(name)' is an instruction that RFC 9669 does not have, and so has no encoding here"
        case .ambiguousForm(let names):
            "this could be \(alternatives(names)), say which"
        case .otherByteOrder:
            "these are instructions in the order of bytes that this machine does not have"
        case .unknownForm:
            "this is no form of classic programs: \(alternatives(ClassicForm.allCases.map(\.rawValue)))"
        }
    }

    /// `a`, `a or b`, `a, b or c`.
    private func alternatives(_ names: [String]) -> String {
        guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
        return names.dropLast().joined(separator: ", ") + " or " + last
    }
}
