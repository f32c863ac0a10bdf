import ClassicBPF
import ExtendedBPF

/// Runs classic programs as Linux runs them.
///
/// What Linux refuses to attach but libpcap runs has libpcap's meaning: `ja` goes backward, M[] is 0 before it is
/// written, unknown extensions lie outside the packet. A shift by a constant of 32 or more, which libpcap leaves to
/// the C compiler, is one by the constant modulo 32, as the kernel does it with X.
/// The extension `poff` follows the headers that Linux 6.18 follows.
public struct ClassicMachine: Hashable, Sendable {
    /// The byte order of the host, which netlink attributes are read in.
    public var byteOrder: ByteOrder

    /// The number of instructions after which a run is given up.
    public var maximumSteps: Int

    /// Makes a machine. Only a program with a backward jump can run for more instructions than it has.
    public init(byteOrder: ByteOrder = .little, maximumSteps: Int = 1_000_000) {
        self.byteOrder = byteOrder
        self.maximumSteps = maximumSteps
    }

    /// The result of `program` on `packet`: how many bytes to keep, 0 to drop it.
    ///
    /// - Throws: ``Trap`` after ``maximumSteps``.
    /// - Complexity: O(*n*) in the number of instructions executed.
    public func run(_ program: ClassicBPF.Program, on packet: Packet) throws(Trap) -> UInt32 {
        try execute(program, on: packet).result
    }

    /// The result of `program` on `packet` and the number of instructions that took.
    ///
    /// - Throws: ``Trap`` after ``maximumSteps``.
    /// - Complexity: O(*n*) in the number of instructions executed.
    public func execute(_ program: ClassicBPF.Program, on packet: Packet) throws(Trap) -> Execution {
        var state = ClassicState(packet: packet, byteOrder: byteOrder)
        var index = 0
        for step in 1...max(1, maximumSteps) {
            switch state.perform(program.operation(at: index)) {
            case .next: index += 1
            case .skip(let distance): index += 1 + distance
            case .jump(let distance): index = program.jumpTarget(from: index, distance: distance)
            case .end(let result): return Execution(result: result, instructionCount: step)
            }
        }
        throw Trap(.tooManySteps(limit: maximumSteps), at: index)
    }
}
