// One function per instruction that programs are made of, documented by what it does.
// `u32` and `u64` are memory reads of that width; w0 … w10 are the lower halves of the registers.

extension Instruction {
    /// `dst = src`, 64 bits.
    public static func move64(_ dst: Register, _ src: Register) -> Instruction {
        alu64(.move, dst, src)
    }

    /// `dst = imm`, sign-extended to 64 bits.
    public static func move64(_ dst: Register, _ imm: Int32) -> Instruction {
        alu64(.move, dst, imm)
    }

    /// `dst = (u32) src`.
    public static func move32(_ dst: Register, _ src: Register) -> Instruction {
        alu32(.move, dst, src)
    }

    /// `dst = (u32) imm`.
    public static func move32(_ dst: Register, _ imm: UInt32) -> Instruction {
        alu32(.move, dst, Int32(bitPattern: imm))
    }

    /// `dst = dst op src`, 64 bits.
    public static func alu64(_ op: ArithmeticOperator, _ dst: Register, _ src: Register) -> Instruction {
        Instruction(Opcode(.alu64, op.rawValue, .register), dstReg: dst, srcReg: src)
    }

    /// `dst = dst op imm`, 64 bits.
    public static func alu64(_ op: ArithmeticOperator, _ dst: Register, _ imm: Int32) -> Instruction {
        Instruction(Opcode(.alu64, op.rawValue, .immediate), dstReg: dst, imm: imm)
    }

    /// `dst = (u32) dst op (u32) src`.
    public static func alu32(_ op: ArithmeticOperator, _ dst: Register, _ src: Register) -> Instruction {
        Instruction(Opcode(.alu, op.rawValue, .register), dstReg: dst, srcReg: src)
    }

    /// `dst = (u32) dst op imm`.
    public static func alu32(_ op: ArithmeticOperator, _ dst: Register, _ imm: Int32) -> Instruction {
        Instruction(Opcode(.alu, op.rawValue, .immediate), dstReg: dst, imm: imm)
    }

    /// `dst = (u32) -dst`.
    public static func negate32(_ dst: Register) -> Instruction {
        alu32(.negate, dst, 0)
    }

    /// `dst = htobeN(dst)`: the lower 16, 32 or 64 bits between host and big-endian order, the rest becomes 0.
    ///
    /// - Precondition: `bits` is 16, 32 or 64.
    public static func bigEndian(_ dst: Register, bits: Int32) -> Instruction {
        precondition([16, 32, 64].contains(bits), "be16, be32 or be64")
        return Instruction(Opcode(.alu, ArithmeticOperator.byteSwap.rawValue, .register), dstReg: dst, imm: bits)
    }

    /// `dst = *(size *)(src + offset)`, zero-extended.
    public static func load(_ size: Size, _ dst: Register, _ src: Register, _ offset: Int16) -> Instruction {
        Instruction(Opcode(.ldx, .mem, size), dstReg: dst, srcReg: src, offset: offset)
    }

    /// `*(size *)(dst + offset) = src`.
    public static func store(_ size: Size, _ dst: Register, _ offset: Int16, _ src: Register) -> Instruction {
        Instruction(Opcode(.stx, .mem, size), dstReg: dst, srcReg: src, offset: offset)
    }

    /// `*(size *)(dst + offset) = imm`.
    public static func store(_ size: Size, _ dst: Register, _ offset: Int16, _ imm: Int32) -> Instruction {
        Instruction(Opcode(.st, .mem, size), dstReg: dst, offset: offset, imm: imm)
    }

    /// `*(size *)(dst + offset) op= src` in one step, and what else ``AtomicOperator`` says.
    ///
    /// - Precondition: `size` is ``Size/word`` or ``Size/doubleword``.
    public static func atomic(
        _ op: AtomicOperator, _ size: Size, _ dst: Register, _ offset: Int16, _ src: Register
    ) -> Instruction {
        precondition(size == .word || size == .doubleword, "32 or 64 bits")
        return Instruction(Opcode(.stx, .atomic, size), dstReg: dst, srcReg: src, offset: offset, imm: op.rawValue)
    }

    /// `dst = value`, a wide instruction.
    public static func loadWide(_ dst: Register, _ value: UInt64) -> Instruction {
        Instruction(
            .loadWide, dstReg: dst, imm: Int32(truncatingIfNeeded: value),
            nextImm: Int32(truncatingIfNeeded: value >> 32))
    }

    /// `dst = function`, the address of the program-local function that starts `distance` slots after the first one
    /// behind this instruction's first (`BPF_PSEUDO_FUNC`).
    public static func loadAddress(_ dst: Register, ofLocalAt distance: Int32) -> Instruction {
        var instruction = loadWide(dst, 0)
        instruction.srcReg = .r4
        instruction.imm = distance
        return instruction
    }

    /// `r0 = ntohN(*(size *)skb[k])`, or the function ends with 0 where that is outside the packet.
    ///
    /// The context must be in `r6`; `r1` to `r5` are destroyed. Source: RFC 9669 §5.5.
    public static func loadPacket(_ size: Size, at k: UInt32) -> Instruction {
        Instruction(Opcode(.ld, .abs, size), imm: Int32(bitPattern: k))
    }

    /// `r0 = ntohN(*(size *)skb[src + k])`, or the function ends with 0 where that is outside the packet.
    ///
    /// The context must be in `r6`; `r1` to `r5` are destroyed. Source: RFC 9669 §5.5.
    public static func loadPacket(_ size: Size, at src: Register, plus k: UInt32) -> Instruction {
        Instruction(Opcode(.ld, .ind, size), srcReg: src, imm: Int32(bitPattern: k))
    }

    /// `goto +offset`, counted in slots from the next instruction.
    public static func jump(_ offset: Int16) -> Instruction {
        Instruction(.jump, offset: offset)
    }

    /// `gotol +distance`, counted in slots from the next instruction (ISA v4).
    public static func jumpLong(_ distance: Int32) -> Instruction {
        Instruction(.jumpLong, imm: distance)
    }

    /// `may_goto +offset`, counted in slots from the next instruction: taken once the program has come by such
    /// instructions 8,388,608 times, or from Linux 6.15 on for a quarter of a second.
    public static func mayGoto(_ offset: Int16) -> Instruction {
        Instruction(.mayGoto, offset: offset)
    }

    /// `if dst condition src goto +offset`, comparing 64 bits.
    public static func jump64(
        if dst: Register, _ condition: JumpCondition, _ src: Register, _ offset: Int16
    ) -> Instruction {
        Instruction(Opcode(.jmp, condition.rawValue, .register), dstReg: dst, srcReg: src, offset: offset)
    }

    /// `if dst condition imm goto +offset`, comparing 64 bits with the sign-extended constant.
    public static func jump64(
        if dst: Register, _ condition: JumpCondition, _ imm: Int32, _ offset: Int16
    ) -> Instruction {
        Instruction(Opcode(.jmp, condition.rawValue, .immediate), dstReg: dst, offset: offset, imm: imm)
    }

    /// `if (u32) dst condition (u32) src goto +offset` (ISA v3).
    public static func jump32(
        if dst: Register, _ condition: JumpCondition, _ src: Register, _ offset: Int16
    ) -> Instruction {
        Instruction(Opcode(.jmp32, condition.rawValue, .register), dstReg: dst, srcReg: src, offset: offset)
    }

    /// `if (u32) dst condition (u32) imm goto +offset` (ISA v3).
    public static func jump32(
        if dst: Register, _ condition: JumpCondition, _ imm: Int32, _ offset: Int16
    ) -> Instruction {
        Instruction(Opcode(.jmp32, condition.rawValue, .immediate), dstReg: dst, offset: offset, imm: imm)
    }

    /// `r0 = helper(r1 … r5)`, the helper function with that number.
    public static func call(helper number: Int32) -> Instruction {
        Instruction(.call, imm: number)
    }

    /// `r0 = function(r1 … r5)`, the program-local function that starts `distance` slots after the next instruction.
    public static func call(localAt distance: Int32) -> Instruction {
        Instruction(.call, srcReg: .r1, imm: distance)
    }

    /// `return r0`.
    public static let exit = Instruction(.exit)
}
