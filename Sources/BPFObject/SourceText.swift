/// The text a program was made from, for people who look at the loaded program.
public struct SourceText: Hashable, Sendable {
    /// The name that tools print beside a line's number.
    public var fileName: String

    /// The lines. ``LineMark/line`` n means the element n − 1; line 1 is also what instructions in front of a
    /// function's first mark are said to come from.
    ///
    /// Line 1 is the filter's expression, the others are its classic instructions.
    public var lines: [String]

    /// Makes a text.
    public init(fileName: String, lines: [String]) {
        self.fileName = fileName
        self.lines = lines
    }

    /// The most bytes of UTF-8 of a line, or of the file name, that an object shows.
    ///
    /// The verifier prints a line into its log through a buffer of 1,024 bytes, and the kernel warns in the system's log
    /// about one that does not fit.
    public static let lineSizeLimit = 480

    /// `text` as an object shows it.
    ///
    /// Control characters, line breaks among them, become spaces. What is longer than ``lineSizeLimit`` is cut
    /// between two characters and ends with `…`, included in the limit.
    /// - Complexity: O(``lineSizeLimit``), however long the text.
    static func shown(_ text: String) -> String {
        let ellipsis = "…"
        var result = ""
        var size = 0
        // Where to cut, should the text turn out to be too long.
        var lastThatLeavesRoom = result.endIndex
        for scalar in text.unicodeScalars {
            size += UTF8.width(scalar)
            if size > lineSizeLimit { return result[..<lastThatLeavesRoom] + ellipsis }
            result.unicodeScalars.append(isControl(scalar) ? " " : scalar)
            if size <= lineSizeLimit - ellipsis.utf8.count { lastThatLeavesRoom = result.endIndex }
        }
        return result
    }

    /// Whether the scalar is of the general category Cc, which will never have others.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || 0x7f...0x9f ~= scalar.value
    }
}
