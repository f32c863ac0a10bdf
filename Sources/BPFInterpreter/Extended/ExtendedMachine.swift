import ExtendedBPF

/// Runs eBPF programs of the socket filter and tc kind, whose context is `struct __sk_buff`.
///
/// Instructions mean what RFC 9669 says. The machine is as suspicious as the kernel's verifier about the path that
/// is run, and traps where the verifier would refuse the program: on registers and stack that were not written, on
/// memory out of bounds and on calls it does not know. It proves nothing about the paths that are not run.
/// Packets are read only. Atomic operations, maps and kernel functions are not modelled; of the helper functions
/// `ktime_get_ns`, `get_prandom_u32`, `get_smp_processor_id`, `skb_load_bytes` and `skb_load_bytes_relative` are.
public struct ExtendedMachine: Hashable, Sendable {
    /// The byte order of the host: of memory accesses, of the context's fields and of byte swaps.
    public var byteOrder: ByteOrder

    /// The number of instructions after which a run is given up.
    public var maximumSteps: Int

    /// The number of functions that can be active at a time (`MAX_CALL_FRAMES`).
    public static let maximumFrames = 8

    /// The number of bytes of each function's stack (`MAX_BPF_STACK`).
    public static let stackSize = 512

    /// Makes a machine. The kernel's verifier gives a program up after a million instructions, too.
    public init(byteOrder: ByteOrder = .little, maximumSteps: Int = 1_000_000) {
        self.byteOrder = byteOrder
        self.maximumSteps = maximumSteps
    }

    /// The result of `program` on `packet`: the lower half of `r0` at its end.
    ///
    /// - Throws: ``Trap`` at the instruction that cannot be executed.
    /// - Complexity: O(*n*) in the size of the program plus the number of instructions executed.
    public func run(_ program: ExtendedBPF.Program, on packet: Packet) throws(Trap) -> UInt32 {
        try execute(program, on: packet).result
    }

    /// The result of `program` on `packet` and the number of instructions that took.
    ///
    /// - Throws: ``Trap`` at the instruction that cannot be executed.
    /// - Complexity: O(*n*) in the size of the program plus the number of instructions executed.
    public func execute(_ program: ExtendedBPF.Program, on packet: Packet) throws(Trap) -> Execution {
        let code = program.functions.map(Code.init)
        var state = ExtendedState(code: code, packet: packet, byteOrder: byteOrder)
        for step in 1...max(1, maximumSteps) {
            let function = code[state.frames[state.frames.count - 1].function]
            let slot = state.frames[state.frames.count - 1].slot
            guard let index = function.index(at: slot) else {
                // The place to blame is the instruction that led here.
                throw Trap(
                    .noInstruction(slot: slot, count: function.indices.count), in: function.name,
                    at: state.lastInstruction)
            }
            state.lastInstruction = index
            do {
                if let result = try state.step(function.instructions[index], function.references[index]) {
                    return Execution(result: UInt32(truncatingIfNeeded: result), instructionCount: step)
                }
            } catch {
                throw Trap(error, in: function.name, at: index)
            }
        }
        let last = code[state.frames[state.frames.count - 1].function]
        throw Trap(.tooManySteps(limit: maximumSteps), in: last.name, at: state.lastInstruction)
    }
}

/// A function with its instructions found by slot.
struct Code {
    let name: String
    let instructions: [Instruction]
    let references: [Int: Reference]
    /// For each slot the index of the instruction that starts there; nil in the middle of a wide one.
    let indices: [Int?]

    init(_ function: Function) {
        name = function.name
        instructions = function.instructions
        references = function.references
        indices = function.instructions.enumerated().flatMap { index, instruction in
            instruction.isWide ? [index, nil] : [index]
        }
    }

    func index(at slot: Int) -> Int? {
        indices.indices.contains(slot) ? indices[slot] : nil
    }
}
