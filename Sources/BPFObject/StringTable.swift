/// NUL-terminated strings one behind the other, each there once; ELF and BTF share this form.
///
/// The first is the empty one, at offset 0.
struct StringTable {
    private(set) var bytes: [UInt8] = [0]
    // The key is the bytes, because `String` takes different spellings of an accented letter for equal.
    private var offsets: [[UInt8]: UInt32] = [[]: 0]

    /// The offset of `string`, which is appended if it is not there yet.
    ///
    /// - Precondition: It holds no NUL, and the table stays below 4 GiB.
    mutating func offset(of string: String) -> UInt32 {
        let key = Array(string.utf8)
        if let offset = offsets[key] { return offset }
        precondition(!key.contains(0), "a NUL ends a string")
        let offset = UInt32(bytes.count)
        offsets[key] = offset
        bytes += key
        bytes.append(0)
        return offset
    }
}
