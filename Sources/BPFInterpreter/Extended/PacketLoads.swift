import ClassicBPF
import ExtendedBPF

// The classic packet loads that eBPF has kept. Source: RFC 9669 §5.5; the implicit operands are the Linux verifier's.

extension ExtendedState {
    /// Loads from the packet into `r0`, or ends the active function with 0 where the packet has no such bytes.
    ///
    /// Returns what ``exit()`` returns if that ends the program.
    mutating func loadPacket(_ instruction: ExtendedBPF.Instruction) throws(Trap.Reason) -> UInt64? {
        guard context.kind == .socketBuffer else {
            throw .unavailable("opcode 0x\(String(instruction.opcode.rawValue, radix: 16))", context.kind)
        }
        guard try read(.r6) == AddressSpace.context else { throw .notTheContext(.r6) }
        var offset = UInt32(bitPattern: instruction.imm)
        if instruction.opcode.mode == .ind {
            offset &+= UInt32(truncatingIfNeeded: try read(instruction.srcReg))
        }
        // The conformance check lets no doubleword come here.
        let size = Operation.Size(rawValue: UInt32(instruction.opcode.size.bytes))!
        destroyArguments()
        guard let value = packet.classicLoad(size, at: offset) else {
            try write(.r0, 0)
            return try exit()
        }
        try write(.r0, UInt64(value))
        return nil
    }
}
