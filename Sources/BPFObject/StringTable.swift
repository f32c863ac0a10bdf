/// NUL-terminated strings one behind the other, each there once; ELF and BTF share this form.
///
/// The first is the empty one, at offset 0.
struct StringTable {
    private(set) var bytes: [UInt8] = [0]
    /// By a hash of their bytes, where strings start. Bytes, because `String` takes different spellings of an accented
    /// letter for equal; and a hash, because a dictionary whose keys are arrays costs a tool that writes one object more
    /// than the writing.
    private var offsets: [Int: [UInt32]] = [:]

    /// The offset of `string`, which is appended if it is not there yet.
    ///
    /// - Precondition: It holds no NUL, and the table stays below 4 GiB.
    mutating func offset(of string: String) -> UInt32 {
        guard !string.isEmpty else { return 0 }
        let text = Array(string.utf8)
        precondition(!text.contains(0), "a NUL ends a string")
        let hash = text.hashValue
        if let known = offsets[hash]?.first(where: { holds(text, at: $0) }) { return known }
        let offset = UInt32(bytes.count)
        offsets[hash, default: []].append(offset)
        bytes += text
        bytes.append(0)
        return offset
    }

    private func holds(_ text: [UInt8], at offset: UInt32) -> Bool {
        bytes[Int(offset)...].starts(with: text) && bytes[Int(offset) + text.count] == 0
    }
}
