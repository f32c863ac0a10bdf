import ClassicBPF

/// Where on the stack the copies of windows are.
///
/// Windows of which no two are needed at the same time share a place. The verifier wants what is loaded from the stack
/// at a multiple of its size, so a window's place suits its widest loads.
struct StackPlaces {
    /// The bytes of stack taken.
    private(set) var size = 0
    /// How many bytes at the frame pointer are others', a multiple of 8.
    var base = 0
    /// By window, the place of its first byte relative to the frame pointer.
    private var places: [Graph.Window: Int] = [:]

    /// Nothing is copied.
    init() {}

    /// Finds places for all windows of `graph`.
    ///
    /// - Complexity: O(*n* + *w*²) in the number of instructions and of windows.
    init(_ graph: Graph) {
        let uses = WindowUses(graph)
        var placed: [(window: Graph.Window, bytes: Range<Int>)] = []
        for window in uses.windows {
            let count = Int(uses.end(of: window) - window.start)
            let phase = Self.phase(uses.loads(from: window), window)
            let taken = placed.filter { uses.overlap($0.window, window) }.map(\.bytes)
                .sorted { $0.lowerBound < $1.lowerBound }
            // Bytes are counted down from the frame pointer, which is a multiple of 8.
            var bottom = Self.roundUp(count, to: phase)
            for bytes in taken where bytes.upperBound > bottom - count && bytes.lowerBound < bottom {
                bottom = Self.roundUp(bytes.upperBound + count, to: phase)
            }
            places[window] = -bottom
            placed.append((window, (bottom - count)..<bottom))
            size = max(size, bottom)
        }
        size = (size + 7) & ~7
    }

    /// The place of the first byte of `window` relative to the frame pointer.
    subscript(window: Graph.Window) -> Int { places[window]! - base }

    /// What the distance of a window's first byte from the frame pointer is to be modulo 4, so that its loads are aligned.
    private static func phase(_ loads: [WindowUses.Load], _ window: Graph.Window) -> Int {
        guard let widest = loads.max(by: { $0.size.rawValue < $1.size.rawValue }) else { return 0 }
        return Int((widest.offset - window.start) % widest.size.rawValue)
    }

    private static func roundUp(_ bottom: Int, to phase: Int) -> Int {
        bottom + (phase - bottom) & 3
    }
}
