// The constants of the kernel's enumerations.

extension BTFReader {
    /// The constants of an enumeration by their numbers; of several for one number the first counts.
    ///
    /// - Throws: ``BTFError`` if there is no such enumeration.
    /// - Complexity: O(number of types).
    public func enumerators(of name: String) throws(BTFError) -> [UInt32: String] {
        let start = try offset(ofType: typeID(of: .enumeration, named: name).rawValue)
        var names: [UInt32: String] = [:]
        for index in 0..<(try head(at: start).count) {
            let place = start + Self.headSize + 8 * index
            let number = word(at: place + 4)
            if names[number] == nil { names[number] = try string(at: word(at: place)) }
        }
        return names
    }
}
