/// Collects the instructions of a function and resolves the jumps between them.
public struct Assembler {
    /// A place in the function that jumps can name before it is known.
    public struct Label: Hashable, Sendable {
        fileprivate var number: Int
    }

    private var function: Function
    private var nextSlot = 0
    private var places: [Int?] = []
    private var jumps: [(instruction: Int, slot: Int, label: Label)] = []

    /// Starts an empty function.
    public init(functionNamed name: String) {
        function = Function(name: name)
    }

    /// The number of slots filled so far.
    public var slotCount: Int { nextSlot }

    /// Appends `instruction`, with what its field stands for if a loader is to fill that in.
    public mutating func append(_ instruction: Instruction, _ reference: Reference? = nil) {
        if let reference { function.references[function.instructions.count] = reference }
        function.instructions.append(instruction)
        nextSlot += instruction.slots
    }

    /// Appends `instruction`, a jump that is to lead to `label`: by `offset`, or by `imm` if it is a `gotol`.
    public mutating func append(_ instruction: Instruction, to label: Label) {
        jumps.append((function.instructions.count, nextSlot, label))
        append(instruction)
    }

    /// Makes a label that is not placed yet.
    public mutating func makeLabel() -> Label {
        places.append(nil)
        return Label(number: places.count - 1)
    }

    /// Places `label` in front of the next instruction.
    ///
    /// - Precondition: It is not placed yet.
    public mutating func place(_ label: Label) {
        precondition(places[label.number] == nil, "a label has one place")
        places[label.number] = nextSlot
    }

    /// Says that the instructions from here on come from source line `line`, counted from 1.
    public mutating func mark(line: Int) {
        if let last = function.lines.last, last.instruction == function.instructions.count {
            function.lines.removeLast()
        }
        function.lines.append(LineMark(instruction: function.instructions.count, line: line))
    }

    /// The finished function, all jumps resolved.
    ///
    /// - Precondition: Every label that is jumped to has been placed.
    /// - Throws: ``EncodingError`` at the first jump whose distance does not fit.
    public consuming func finish() throws(EncodingError) -> Function {
        for (instruction, slot, label) in jumps {
            guard let place = places[label.number] else { preconditionFailure("a label was never placed") }
            if function.instructions[instruction].opcode == .jumpLong {
                function.instructions[instruction].imm = try longDistance(from: slot, to: place)
            } else {
                function.instructions[instruction].offset = try jumpOffset(
                    from: Slot(rawValue: slot), to: Slot(rawValue: place))
            }
        }
        if let last = function.lines.last, last.instruction == function.instructions.count {
            function.lines.removeLast()
        }
        return function
    }
}

/// The `imm` of a `gotol`, counted as `jumpOffset` counts. Source: RFC 9669 §4.3.
private func longDistance(from source: Int, to target: Int) throws(EncodingError) -> Int32 {
    let distance = target - source - 1
    guard let imm = Int32(exactly: distance) else {
        throw EncodingError(.jumpTooFar(distance: distance), at: Slot(rawValue: source))
    }
    return imm
}

/// Returns the value of the `offset` field that makes the jump in slot `source` continue at slot `target`.
///
/// The field counts slots from the one after the jump: a jump to itself is −1, falling through is 0. A wide
/// instruction fills two slots; count both. Source: RFC 9669 §4.3.
///
/// - Throws: ``EncodingError`` at `source`, with the distance that did not fit −32,768 … 32,767.
public func jumpOffset(from source: Slot, to target: Slot) throws(EncodingError) -> Int16 {
    let distance = target.rawValue - source.rawValue - 1
    guard let offset = Int16(exactly: distance) else {
        throw EncodingError(.jumpTooFar(distance: distance), at: source)
    }
    return offset
}
