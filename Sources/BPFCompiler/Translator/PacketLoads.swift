import ClassicBPF
import ExtendedBPF

extension Translation {
    /// `A = P[k:size]`, or the filter ends with 0 where that is outside the packet.
    mutating func emitPacketLoad(_ size: Operation.Size, at k: UInt32) {
        guard dialect == .kernel else {
            assembler.append(.loadPacket(size.machine, at: k))
            return
        }
        if Int32(bitPattern: k) >= 0 { emitLinearLoad(size, at: Int32(k)) }
        emitHelperLoad(size) { assembler in assembler.append(.move64(.r4, Int32(bitPattern: k))) }
    }

    /// `A = P[X + k:size]`, or the filter ends with 0 where that is outside the packet.
    mutating func emitIndirectPacketLoad(_ size: Operation.Size, plus k: UInt32) {
        guard dialect == .kernel else {
            assembler.append(.loadPacket(size.machine, at: x, plus: k))
            return
        }
        emitHelperLoad(size) { [x] assembler in
            assembler.append(.move64(.r4, x))
            if k != 0 { assembler.append(.alu64(.add, .r4, Int32(bitPattern: k))) }
        }
    }

    /// `X = 4 * (P[k:1] & 15)`, A being kept: the byte is loaded through A while X holds A.
    mutating func emitHeaderLength(at k: UInt32) {
        assembler.append(.move64(x, a))
        emitPacketLoad(.byte, at: k)
        assembler.append(.alu32(.and, a, 15))
        assembler.append(.alu32(.shiftLeft, a, 2))
        assembler.append(.move64(temporary, x))
        assembler.append(.move64(x, a))
        assembler.append(.move64(a, temporary))
    }

    /// The number of instructions ``emitHelperLoad(_:offset:)`` makes of an offset that takes one.
    private var helperLoadLength: Int16 { 8 }

    /// The kernel's fast path: a load from the linear part, which then jumps over the helper's.
    private mutating func emitLinearLoad(_ size: Operation.Size, at k: Int32) {
        let slow = assembler.makeLabel()
        assembler.append(.move64(temporary, headLength))
        if k != 0 { assembler.append(.alu64(.subtract, temporary, k)) }
        assembler.append(.jump64(if: temporary, .signedLess, Int32(size.rawValue), 0), to: slow)
        if let offset = Int16(exactly: k) {
            assembler.append(.load(size.machine, a, data, offset))
        } else {
            assembler.append(.move64(temporary, data))
            assembler.append(.alu64(.add, temporary, k))
            assembler.append(.load(size.machine, a, temporary, 0))
        }
        if size != .byte { assembler.append(.bigEndian(a, bits: Int32(size.rawValue) * 8)) }
        assembler.append(.jump(helperLoadLength))
        assembler.place(slow)
    }

    /// The kernel's slow path: a function that reads from anywhere in the packet and returns a negative number where
    /// there is nothing. `offset` leaves the place in `r4`.
    private mutating func emitHelperLoad(_ size: Operation.Size, offset: (inout Assembler) -> Void) {
        assembler.append(.move64(.r1, context))
        assembler.append(.move64(.r2, data))
        assembler.append(.move64(.r3, headLength))
        offset(&assembler)
        assembler.append(.call(helper: 0), .kernelSymbol("bpf_skb_load_helper_\(size.rawValue * 8)"))
        assembler.append(.jump64(if: a, .signedGreaterOrEqual, 0, 2))
        emitReturnZero()
    }
}
