import BPFInterpreter
import ExtendedBPF

/// A program of one function.
func program(_ instructions: [Instruction]) -> Program {
    Program(functions: [Function(name: "filter", instructions: instructions)])
}

/// The packet a socket filter sees in a test run: the frame from byte 14 on, the Ethernet header before it.
func socketPacket(_ frame: [UInt8]) -> Packet {
    Packet(Array(frame[14...]), headroom: Array(frame[..<14]), networkHeaderOffset: 0, linkLayerHeaderOffset: -14)
}

extension Instruction {
    /// An instruction by its opcode's number, for what has no builder.
    static func raw(
        _ opcode: UInt8, _ dst: Register = .r0, _ src: Register = .r0, offset: Int16 = 0, imm: Int32 = 0
    ) -> Instruction {
        Instruction(Opcode(rawValue: opcode), dstReg: dst, srcReg: src, offset: offset, imm: imm)
    }

    /// `r0 = skb_load_bytes(r6, offset, r10 - below, count)`.
    static func loadBytes(_ offset: UInt32, toStackBelow below: Int32, count: Int32) -> [Instruction] {
        [
            .move64(.r1, .r6), .move32(.r2, offset), .move64(.r3, .r10), .alu64(.add, .r3, -below),
            .move64(.r4, count), .call(helper: 26),
        ]
    }

    /// Both halves of `r0` into its lower one, in a way that few changes survive.
    static let foldR0: [Instruction] = [
        .move64(.r1, .r0), .alu64(.shiftRight, .r1, 32), .alu64(.multiply, .r0, 0x0100_0193), .alu64(.xor, .r0, .r1),
    ]
}

/// The registers that a program may write.
let writable = Register.allCases.filter { $0 != .r10 }
