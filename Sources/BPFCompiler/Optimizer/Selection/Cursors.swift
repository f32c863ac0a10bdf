/// Where the parts of the packet that have been checked are found at a point of the program.
struct Cursors: Hashable {
    /// A register and the offset in the window's coordinates that it points at.
    struct Cursor: Hashable {
        var register: MachineRegister
        var position: Int
        /// How far the window has been checked.
        var end: UInt32
        /// How far it can be checked through the register: the verifier knows a bound of the window's index.
        var limit = UInt32.max
    }

    /// By the number of the window.
    private var places: [Int: Cursor] = [:]

    subscript(window: Graph.Window) -> Cursor? {
        get { places[window.number] }
        set { places[window.number] = newValue }
    }

    /// What holds at a block that is reached both from here and from where `other` holds; nil for a block that has not
    /// been reached before. With it, how far registers have to move on the way from here.
    func merged(into other: Cursors?) -> (Cursors, adjustments: [(MachineRegister, Int)]) {
        guard let other else { return (self, []) }
        var result = Cursors()
        var adjustments: [(MachineRegister, Int)] = []
        for (window, cursor) in places.sorted(by: { $0.key < $1.key }) {
            guard var there = other.places[window], there.register == cursor.register else { continue }
            there.end = min(there.end, cursor.end)
            there.limit = min(there.limit, cursor.limit)
            result.places[window] = there
            if there.position != cursor.position {
                adjustments.append((cursor.register, there.position - cursor.position))
            }
        }
        return (result, adjustments)
    }
}

extension Graph.Window {
    /// The packet from its start on.
    static let packetStart = Graph.Window(index: nil, start: 0)

    /// A number that no other window has; windows of one index follow each other.
    fileprivate var number: Int { ((index?.number ?? -1) + 1) << 32 + Int(start) }
}
