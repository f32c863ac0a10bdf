/// What a classic instruction means: the 49 codes Linux accepts, with their operands.
///
/// `P[i:n]` stands for the `n` bytes of the packet from offset `i`, read as a big-endian number.
public enum Operation: Hashable, Sendable {
    /// `A = ` a value from the packet, the scratch memory or the instruction itself (`BPF_LD`).
    case load(Source)

    /// `X = ` a value (`BPF_LDX`).
    case loadIndex(IndexSource)

    /// `M[k] = A` (`BPF_ST`).
    case store(UInt32)

    /// `M[k] = X` (`BPF_STX`).
    case storeIndex(UInt32)

    /// `A = A operator operand`, modulo 2³² (`BPF_ALU`).
    case arithmetic(ArithmeticOperator, Operand)

    /// `A = −A`, modulo 2³² (`BPF_ALU | BPF_NEG`).
    case negate

    /// Continues `k + 1` instructions further (`BPF_JMP | BPF_JA`).
    ///
    /// The kernel reads the distance as unsigned, so it only goes forward; libpcap reads it as signed.
    case jump(UInt32)

    /// Continues `jt + 1` instructions further where the comparison of A holds, else `jf + 1` (`BPF_JMP`).
    case branch(Comparison, Operand, jt: UInt8, jf: UInt8)

    /// Ends the filter with a number: how many bytes of the packet to keep, 0 to drop it (`BPF_RET`).
    case result(ReturnValue)

    /// `X = A` (`BPF_MISC | BPF_TAX`).
    case transferAToX

    /// `A = X` (`BPF_MISC | BPF_TXA`).
    case transferXToA

    /// Where a load of A takes its value from.
    public enum Source: Hashable, Sendable {
        /// The constant k (`BPF_IMM`).
        case immediate(UInt32)
        /// `P[k:size]` (`BPF_ABS`), where k is none of the kernel's extensions.
        case absolute(Size, UInt32)
        /// `P[X + k:size]` (`BPF_IND`).
        case indirect(Size, UInt32)
        /// `M[k]` (`BPF_MEM`).
        case memory(UInt32)
        /// The packet's length in bytes (`BPF_LEN`).
        case length
        /// What the kernel knows of the packet besides its bytes (`BPF_ABS` with `SKF_AD_OFF`).
        case `extension`(Extension)
    }

    /// Where a load of X takes its value from.
    public enum IndexSource: Hashable, Sendable {
        /// The constant k (`BPF_IMM`).
        case immediate(UInt32)
        /// `M[k]` (`BPF_MEM`).
        case memory(UInt32)
        /// The packet's length in bytes (`BPF_LEN`).
        case length
        /// `4 * (P[k:1] & 15)`, the length of an IPv4 header at k (`BPF_MSH`).
        case headerLength(UInt32)
    }

    /// The width of a packet load. The raw value is the number of bytes.
    public enum Size: UInt32, Hashable, Sendable, CaseIterable {
        /// One byte (`BPF_B`).
        case byte = 1
        /// Two bytes (`BPF_H`).
        case half = 2
        /// Four bytes (`BPF_W`).
        case word = 4
    }

    /// The second operand of arithmetic and of comparisons.
    public enum Operand: Hashable, Sendable {
        /// The constant k (`BPF_K`).
        case constant(UInt32)
        /// The register X (`BPF_X`).
        case index
    }

    /// The binary operators of `BPF_ALU`, all on unsigned 32-bit numbers. The raw value is the code's upper nibble.
    public enum ArithmeticOperator: UInt16, Hashable, Sendable, CaseIterable {
        /// Addition (`BPF_ADD`).
        case add = 0x00
        /// Subtraction (`BPF_SUB`).
        case subtract = 0x10
        /// Multiplication (`BPF_MUL`).
        case multiply = 0x20
        /// Division; by X = 0 it ends the filter with 0 (`BPF_DIV`).
        case divide = 0x30
        /// Bitwise or (`BPF_OR`).
        case or = 0x40
        /// Bitwise and (`BPF_AND`).
        case and = 0x50
        /// Shift left; the kernel takes a distance in X modulo 32 (`BPF_LSH`).
        case shiftLeft = 0x60
        /// Logical shift right; the kernel takes a distance in X modulo 32 (`BPF_RSH`).
        case shiftRight = 0x70
        /// Remainder; by X = 0 it ends the filter with 0 (`BPF_MOD`).
        case modulo = 0x90
        /// Bitwise exclusive or (`BPF_XOR`).
        case xor = 0xa0
    }

    /// The comparisons of A with an operand, unsigned. The raw value is the code's upper nibble.
    public enum Comparison: UInt16, Hashable, Sendable, CaseIterable {
        /// `A == operand` (`BPF_JEQ`).
        case equal = 0x10
        /// `A > operand` (`BPF_JGT`).
        case greater = 0x20
        /// `A >= operand` (`BPF_JGE`).
        case greaterOrEqual = 0x30
        /// `A & operand != 0` (`BPF_JSET`).
        case anyBitSet = 0x40
    }

    /// What a filter ends with.
    public enum ReturnValue: Hashable, Sendable {
        /// The constant k (`BPF_RET | BPF_K`).
        case constant(UInt32)
        /// The register A (`BPF_RET | BPF_A`).
        case a
    }
}

extension Operation.ArithmeticOperator {
    /// The sign that C and pcap-filter(7) have for it.
    package var symbol: String {
        switch self {
        case .add: "+"
        case .subtract: "-"
        case .multiply: "*"
        case .divide: "/"
        case .modulo: "%"
        case .or: "|"
        case .and: "&"
        case .xor: "^"
        case .shiftLeft: "<<"
        case .shiftRight: ">>"
        }
    }
}
