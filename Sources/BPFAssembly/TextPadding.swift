extension String {
    /// The string with spaces behind it up to `width` characters.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }

    /// The string with spaces in front of it up to `width` characters.
    func padded(leadingTo width: Int) -> String {
        String(repeating: " ", count: max(0, width - count)) + self
    }
}
