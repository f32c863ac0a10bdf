import ExtendedBPF

/// Why a machine stopped without a result, and where.
public struct Trap: Error, Hashable, Sendable {
    /// What made the machine stop, with the offending value and the limit.
    public enum Reason: Error, Hashable, Sendable {
        /// The run is longer than it may be.
        case tooManySteps(limit: Int)
        /// The instruction is none of RFC 9669's.
        case invalidInstruction(EncodingError.Reason)
        /// The instruction is one that this machine does not model.
        case unsupportedInstruction(Opcode)
        /// The instruction's field stands for something that only a loader knows.
        case unresolvedReference(Reference)
        /// The instruction's constant stands for something that only a loader knows.
        case unresolvedConstant(kind: UInt8)
        /// There is no function of that name.
        case unknownFunction(name: String)
        /// The machine does not model this helper function.
        case unknownHelper(number: Int32)
        /// Programs with that context cannot use this instruction or function, or not in this machine.
        case unavailable(String, ContextKind)
        /// More functions have called each other than there are frames.
        case tooManyFrames(limit: Int)
        /// A jump, a call or falling through leads to where no instruction starts.
        case noInstruction(slot: Int, count: Int)
        /// A register is read that nothing was written to, or that a call has destroyed.
        case unreadableRegister(Register)
        /// The frame pointer is written.
        case readOnlyRegister(Register)
        /// There is no memory at all of `count` bytes.
        case noMemory(address: UInt64, count: Int)
        /// The access crosses an end of its memory.
        case outOfBounds(Region, offset: Int, count: Int, limit: Int)
        /// Memory is written that is read only.
        case readOnlyMemory(Region)
        /// Stack is read that nothing was written to.
        case uninitializedStack(offset: Int)
        /// The context has no such field, or none that can be accessed in this width or direction.
        case noContextField(offset: Int, count: Int)
        /// A register that has to hold the context does not.
        case notTheContext(Register)
        /// A register that has to hold a pointer to a structure of the kernel does not.
        case notTheStructure(Register, structure: String)
        /// A register that has to hold the address of a function of the program does not.
        case notAFunction(Register)
        /// A structure of the kernel has no member there that can be read so.
        case noStructureMember(structure: String, offset: Int, count: Int)
        /// A pointer is cast to a type that only the running kernel knows.
        case unknownType(id: UInt32)
        /// A helper function is asked for no bytes, or more than 2³¹ − 1.
        case invalidByteCount(UInt64)
    }

    /// The kinds of memory that an eBPF program can reach.
    public enum Region: String, Hashable, Sendable, CaseIterable {
        /// The structure that the program is given a pointer to.
        case context
        /// The linear part of the packet.
        case packet
        /// The stack of one frame.
        case stack
        /// A structure of the kernel.
        case structure = "kernel structure"
        /// The tables of constants that a program has.
        case tables = "program's tables"
        /// Memory that nobody has vouched for, where reading never traps.
        case untrusted = "untrusted memory"
    }

    /// What made the machine stop.
    public var reason: Reason

    /// The name of the function, nil in a classic program.
    public var function: String?

    /// The index of the instruction in its function or classic program.
    public var instruction: Int

    /// Makes a trap.
    public init(_ reason: Reason, in function: String? = nil, at instruction: Int) {
        self.reason = reason
        self.function = function
        self.instruction = instruction
    }
}

/// How a run ended.
public struct Execution: Hashable, Sendable {
    /// The result: of a classic filter the number of bytes to keep, of a program the lower half of `r0`.
    public var result: UInt32

    /// The number of instructions executed, a wide one counted once.
    public var instructionCount: Int

    /// Makes the end of a run.
    public init(result: UInt32, instructionCount: Int) {
        self.result = result
        self.instructionCount = instructionCount
    }
}
