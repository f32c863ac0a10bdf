/// The labels of a text by number, found by name.
///
/// A hash table of its own instead of a dictionary of names: there may be as many labels as instructions, and names stay
/// where they are in the text.
struct LabelTable {
    /// A label, defined or only used so far.
    struct Label {
        var nameStart: Int
        var nameCount: Int32
        /// The instruction behind the label, or −1.
        var target: Int32 = -1
        /// The line of the definition, or 0.
        var line: Int32 = 0
    }

    private(set) var labels: [Label] = []
    /// By hash, the number of a label plus one; 0 is free. A power of two of them, at most half in use.
    private var slots = [UInt32](repeating: 0, count: 16)
    private let factor = UInt64.random(in: 0 ... .max) | 1

    /// The number of the label whose name stands in `text` at `range`.
    mutating func number(of range: Range<Int>, in text: [UInt8]) -> Int {
        var slot = self.slot(of: range, in: text)
        while slots[slot] != 0 {
            let number = Int(slots[slot] - 1)
            if hasName(number, range, in: text) { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        labels.append(Label(nameStart: range.lowerBound, nameCount: Int32(range.count)))
        slots[slot] = UInt32(labels.count)
        if labels.count * 2 > slots.count { grow(in: text) }
        return labels.count - 1
    }

    mutating func define(_ number: Int, line: Int) { labels[number].line = Int32(truncatingIfNeeded: line) }

    mutating func setTarget(_ number: Int, _ instruction: Int) { labels[number].target = Int32(instruction) }

    /// The bytes of the name of label `number`.
    func range(_ number: Int) -> Range<Int> {
        let label = labels[number]
        return label.nameStart..<label.nameStart + Int(label.nameCount)
    }

    private func hasName(_ number: Int, _ range: Range<Int>, in text: [UInt8]) -> Bool {
        let own = self.range(number)
        guard own.count == range.count else { return false }
        for offset in 0..<own.count where text[own.lowerBound + offset] != text[range.lowerBound + offset] {
            return false
        }
        return true
    }

    /// Where to look for a name first. A factor drawn anew each time keeps texts from choosing names that collide.
    private func slot(of range: Range<Int>, in text: [UInt8]) -> Int {
        guard range.count <= 8 else {
            var hasher = Hasher()
            text.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[range])) }
            return hasher.finalize() & (slots.count - 1)
        }
        var key: UInt64 = 0
        for index in range { key = key << 8 | UInt64(text[index]) }
        return Int((key &* factor) >> UInt64(64 - slots.count.trailingZeroBitCount))
    }

    private mutating func grow(in text: [UInt8]) {
        slots = [UInt32](repeating: 0, count: slots.count * 2)
        for number in labels.indices {
            var slot = self.slot(of: range(number), in: text)
            while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = UInt32(number + 1)
        }
    }
}
