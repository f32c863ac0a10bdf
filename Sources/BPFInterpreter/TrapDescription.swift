extension Trap: CustomStringConvertible {
    /// One line: the place, what was found, what would be right.
    public var description: String {
        guard let function else { return "instruction \(instruction): \(reason)" }
        return "\(function), instruction \(instruction): \(reason)"
    }
}

extension Trap.Reason: CustomStringConvertible {
    /// What was found and what would be right, without the place.
    public var description: String {
        switch self {
        case .tooManySteps(let limit):
            "the program is still running after \(limit) instructions, the limit"
        case .invalidInstruction(let reason):
            "\(reason)"
        case .unsupportedInstruction(let opcode):
            "opcode \(hex(opcode.rawValue)) is not modelled here, only a kernel can run it"
        case .unresolvedReference(let reference):
            "\(reference.phrase) is not modelled here, only a kernel has it"
        case .unresolvedConstant(let kind):
            "a wide constant of kind \(kind) has no value here, only plain numbers (kind 0) do"
        case .unknownFunction(let name):
            "function \(name) is called but not part of the program"
        case .unknownHelper(let number):
            "helper function \(number) is not modelled here, 5, 7, 8, 26, 68, 113, 181, 188 and 189 are"
        case .unavailable(let what, let context):
            "\(what) cannot be used here by a program whose context is struct \(context.rawValue)"
        case .tooManyFrames(let limit):
            "a call while \(limit) functions are active, at most \(limit) may be"
        case .noInstruction(let slot, let count):
            "execution goes on at slot \(slot), where no instruction starts; the function has \(count) slots"
        case .unreadableRegister(let register):
            "\(register) is read, but not written since the function's start or the last call"
        case .readOnlyRegister(let register):
            "\(register) is written, the frame pointer is read only"
        case .noMemory(let address, let count):
            "\(bytes(count)) at address \(hex(address)), where there is no memory"
        case .outOfBounds(let region, let offset, let count, let limit):
            "\(bytes(count)) at offset \(offset) of the \(region.rawValue), which has \(bytes(limit))"
        case .readOnlyMemory(let region):
            "the \(region.rawValue) is written, it is read only"
        case .uninitializedStack(let offset):
            "the stack is read at r10\(offset), where nothing was written"
        case .noContextField(let offset, let count):
            "\(bytes(count)) at offset \(offset) of the context, where it has no field for this access"
        case .notTheContext(let register):
            "\(register) does not point to the context, it must"
        case .notTheStructure(let register, let structure):
            "\(register) does not point to a struct \(structure), it must"
        case .notAFunction(let register):
            "\(register) is not the address of a function of the program, it must be"
        case .noStructureMember(let structure, let offset, let count):
            "\(bytes(count)) at offset \(offset) of a struct \(structure), where no member named here can be read so"
        case .unknownType(let id):
            "a cast to type \(id), only one to plain memory (0) is modelled here"
        case .invalidByteCount(let count):
            "a helper function is asked for \(count) bytes, it takes 1 to 2147483647"
        }
    }
}

private func bytes(_ count: Int) -> String { count == 1 ? "1 byte" : "\(count) bytes" }

private func hex(_ number: some BinaryInteger) -> String { "0x" + String(number, radix: 16) }
