import ExtendedBPF

/// Runs eBPF programs whose context is `struct __sk_buff` (socket filters, tc …) or `struct xdp_md` (XDP).
///
/// Instructions mean what RFC 9669 says. The machine is as suspicious as the kernel's verifier about the path that
/// is run, and traps where the verifier would refuse the program: on registers and stack that were not written, on
/// memory out of bounds and on calls it does not know. It proves nothing about the paths that are not run.
/// Packets are read only, and so are a program's tables. Atomic operations and maps are not modelled. Of the helper
/// functions `ktime_get_ns`, `get_prandom_u32`, `get_smp_processor_id`, `probe_read_kernel` and `loop` are, with
/// `__sk_buff` also `skb_load_bytes` and
/// `skb_load_bytes_relative`, with `xdp_md` `xdp_get_buff_len` and `xdp_load_bytes`.
///
/// Of the kernel functions, called by name, `bpf_cast_to_kern_ctx` gives a pointer to the packet's `struct sk_buff`,
/// whose members are read by loads that name them, and `bpf_rdonly_cast(p, 0)` makes any number a pointer to memory
/// where reading never traps. As on Linux 6.18, `data` and `head` of an `sk_buff` are such pointers by themselves;
/// older kernels want them cast.
public struct ExtendedMachine: Hashable, Sendable {
    /// The byte order of the host: of memory accesses, of the context's fields and of byte swaps.
    public var byteOrder: ByteOrder

    /// The number of instructions after which a run is given up.
    public var maximumSteps: Int

    /// What a byte reads as that the packet does not have, where reading never traps.
    ///
    /// In the kernel that is 0 or whatever lies there. A program whose result changes with this number depends on it.
    public var strayByte: UInt8

    /// The number of functions that can be active at a time (`MAX_CALL_FRAMES`).
    public static let maximumFrames = 8

    /// The number of bytes of each function's stack (`MAX_BPF_STACK`).
    public static let stackSize = 512

    /// Makes a machine. The kernel's verifier gives a program up after a million instructions, too.
    public init(byteOrder: ByteOrder = .little, maximumSteps: Int = 1_000_000, strayByte: UInt8 = 0) {
        self.byteOrder = byteOrder
        self.maximumSteps = maximumSteps
        self.strayByte = strayByte
    }

    /// The result of `program` on `packet`: the lower half of `r0` at its end.
    ///
    /// - Parameters:
    ///   - program: The program.
    ///   - packet: The packet. For XDP its linear part is the first buffer, and its interface the one it came in by.
    ///   - context: What the program is given a pointer to.
    /// - Throws: ``Trap`` at the instruction that cannot be executed.
    /// - Complexity: O(*n*) in the size of the program plus the number of instructions executed.
    public func run(
        _ program: ExtendedBPF.Program, on packet: Packet, context: ContextKind = .socketBuffer
    ) throws(Trap) -> UInt32 {
        try execute(program, on: packet, context: context).result
    }

    /// The result of `program` on `packet` and the number of instructions that took; calling a helper or kernel
    /// function is one.
    ///
    /// - Parameters:
    ///   - program: The program.
    ///   - packet: The packet. For XDP its linear part is the first buffer, and its interface the one it came in by.
    ///   - context: What the program is given a pointer to.
    /// - Throws: ``Trap`` at the instruction that cannot be executed.
    /// - Complexity: O(*n*) in the size of the program plus the number of instructions executed.
    public func execute(
        _ program: ExtendedBPF.Program, on packet: Packet, context: ContextKind = .socketBuffer
    ) throws(Trap) -> Execution {
        let code = program.functions.map(Code.init)
        var state = ExtendedState(code: code, data: program.data, packet: packet, context: context, machine: self)
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
