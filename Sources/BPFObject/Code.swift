import ExtendedBPF

/// The functions' bytes and places: the first function alone in a section, the others one behind the other in `.text`.
struct Code {
    /// By function, where it starts in its section.
    private(set) var starts: [Slot] = []
    /// By function.
    private(set) var bytes: [[UInt8]] = []
    /// The calls of the first function, whose distance a loader has to work out.
    private(set) var relocatedSlots: [Slot] = []

    /// - Precondition: Calls name functions of the program, none the first one.
    init(_ program: Program, _ order: ByteOrder) {
        var textStarts: [String: Int] = [:]
        var end = 0
        starts = [Slot(rawValue: 0)]
        for function in program.functions.dropFirst() {
            textStarts[function.name] = end
            starts.append(Slot(rawValue: end))
            end += function.slotCount
        }
        for (index, function) in program.functions.enumerated() {
            add(function, start: starts[index], isEntry: index == 0, textStarts, order)
        }
    }

    /// A call inside `.text` holds its distance. One from the other section is relocated against the start of `.text`
    /// and holds what it would if the call stood in front of that: the callee's slot less 1, as clang has it.
    private mutating func add(
        _ function: Function, start: Slot, isEntry: Bool, _ textStarts: [String: Int], _ order: ByteOrder
    ) {
        var code: [UInt8] = []
        var slot = start
        for (index, instruction) in function.instructions.enumerated() {
            var instruction = instruction
            if case .function(let name) = function.references[index], let callee = textStarts[name] {
                instruction.imm = Int32(callee - (isEntry ? 0 : slot.rawValue) - 1)
                if isEntry { relocatedSlots.append(slot) }
            }
            code += instruction.bytes(order)
            slot.rawValue += instruction.slots
        }
        bytes.append(code)
    }
}
