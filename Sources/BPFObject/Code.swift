import ExtendedBPF

/// The functions' bytes and places: in sections, one behind the other, with what a loader has to put in.
struct Code {
    /// What a loader works out from a symbol.
    struct Relocation {
        /// Counted from the start of the section.
        var slot: Slot
        var target: Target

        enum Target: Hashable {
            /// The start of `.text`, for a call.
            case text
            /// The start of `.text`, for an address.
            case address
            case kernelFunction(String)
            case map(String)
            case table(String)
        }
    }

    /// What a loader works out from the kernel's types.
    struct KernelNumber {
        /// Counted from the start of the section.
        var slot: Slot
        var place: KernelStructures.Place
    }

    /// By function, where it starts in its section.
    private(set) var starts: [Slot] = []
    /// By function.
    private(set) var bytes: [[UInt8]] = []
    /// By function.
    private(set) var relocations: [[Relocation]] = []
    /// By function.
    private(set) var kernelNumbers: [[KernelNumber]] = []

    private let order: ByteOrder
    private let kernel: KernelStructures
    /// By name, the functions that can be called with a distance from the start of `.text`.
    private var textStarts: [String: Int] = [:]

    /// - Parameter isEntryApart: Whether the first function has a section for itself; all others are in `.text`.
    /// - Precondition: All that is referred to is there, none calls the first function.
    init(_ program: Program, isEntryApart: Bool, _ kernel: KernelStructures, _ order: ByteOrder) {
        self.order = order
        self.kernel = kernel
        var end = 0
        for (index, function) in program.functions.enumerated() {
            let isApart = isEntryApart && index == 0
            starts.append(Slot(rawValue: isApart ? 0 : end))
            if isApart { continue }
            textStarts[function.name] = end
            end += function.slotCount
        }
        for (index, function) in program.functions.enumerated() {
            add(function, start: starts[index], isApart: isEntryApart && index == 0)
        }
    }

    private mutating func add(_ function: Function, start: Slot, isApart: Bool) {
        var code: [UInt8] = []
        var relocations: [Relocation] = []
        var numbers: [KernelNumber] = []
        var slot = start
        for (index, instruction) in function.instructions.enumerated() {
            var instruction = instruction
            if let reference = function.references[index] {
                if let target = put(reference, into: &instruction, at: slot, isApart: isApart) {
                    relocations.append(Relocation(slot: slot, target: target))
                }
                if let place = kernel.places[reference] {
                    numbers.append(KernelNumber(slot: slot, place: place))
                    put(place, into: &instruction)
                }
            }
            code += instruction.bytes(order)
            slot.rawValue += instruction.slots
        }
        bytes.append(code)
        self.relocations.append(relocations)
        kernelNumbers.append(numbers)
    }

    /// Makes `instruction` what clang makes of it before a loader has been there, and returns what it is relocated to.
    private func put(
        _ reference: Reference, into instruction: inout Instruction, at slot: Slot, isApart: Bool
    ) -> Relocation.Target? {
        switch reference {
        case .function(let name) where instruction.isWide:
            // An address is relocated against the start of `.text` wherever it stands, and holds the distance from there
            // in bytes. The kind is the loader's to put in.
            instruction.srcReg = .r0
            instruction.imm = Int32((textStarts[name] ?? 0) * Instruction.slotSize)
            return .address
        case .function(let name):
            // A call inside `.text` holds its distance. One from the other section is relocated against the start of
            // `.text` and holds what it would if it stood in front of that: the callee's slot less 1.
            instruction.imm = Int32((textStarts[name] ?? 0) - (isApart ? 0 : slot.rawValue) - 1)
            return isApart ? .text : nil
        case .kernelFunction(let name):
            instruction.srcReg = .r1  // As clang has it: a call of a function to be found.
            instruction.imm = -1
            return .kernelFunction(name)
        case .map(let name):
            instruction.srcReg = .r0
            (instruction.imm, instruction.nextImm) = (0, 0)
            return .map(name)
        case .data(let name, let offset):
            instruction.srcReg = .r0
            (instruction.imm, instruction.nextImm) = (Int32(offset), 0)
            return .table(name)
        case .kernelField, .kernelType, .kernelSymbol:
            return nil
        }
    }

    /// Writes the number that is right for the file's own types; loaders refuse to replace another one.
    private func put(_ place: KernelStructures.Place, into instruction: inout Instruction) {
        if instruction.opcode.instructionClass == .alu64 || instruction.opcode.instructionClass == .alu {
            instruction.imm = Int32(place.value)
        } else {
            instruction.offset = Int16(place.value)
        }
    }
}
