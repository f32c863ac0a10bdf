/// The filters in what `iptables -S`, `iptables-save` and `tc filter show` print.
///
/// iptables shows one as `--bytecode "4,48 0 0 9,…"`, tc as `bytecode '4,48 0 0 9,…'`; what is between the quotes is of
/// the form ``ClassicForm/xtBPF``.
public enum RuleBytecode {
    /// A filter and where it stands.
    public struct Found: Hashable, Sendable {
        /// The line, counted from 1.
        public var line: Int
        /// The text between the quotes.
        public var bytes: [UInt8]
    }

    /// The filters in `text`, in order; several in a line, too.
    ///
    /// - Complexity: O(*n*) in the length of the text.
    public static func find(in text: [UInt8]) -> [Found] {
        var found: [Found] = []
        for (number, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            var rest = line
            while let behind = behindWord(in: rest) {
                rest = behind.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
                guard let quote = rest.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
                    continue
                }
                let bytes = rest.dropFirst().prefix { $0 != quote }
                found.append(Found(line: number + 1, bytes: Array(bytes)))
                rest = rest.dropFirst(bytes.count + 1)
            }
        }
        return found
    }

    private static let word = Array("bytecode".utf8)

    /// What follows the next `bytecode`, or nil.
    private static func behindWord(in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var start = line.startIndex
        while let first = line[start...].firstIndex(of: word[0]) {
            if line[first...].starts(with: word) { return line[(first + word.count)...] }
            start = first + 1
        }
        return nil
    }
}
