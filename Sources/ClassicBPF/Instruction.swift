/// One classic BPF instruction as it is written in memory, in files and in listings: `struct sock_filter`.
///
/// The four fields are kept as they came, also where the instruction does not use them, because the kernel
/// accepts such leftovers and its converter copies some of them. ``operation`` gives the meaning.
///
/// Source: the kernel's Documentation/networking/filter.
public struct Instruction: Hashable, Sendable {
    /// The operation code, all 16 bits of it; the kernel compares the whole value.
    public var code: UInt16

    /// How many instructions to skip, counted from the next one, when a branch is taken: 0 … 255.
    public var jt: UInt8

    /// How many instructions to skip, counted from the next one, when a branch is not taken: 0 … 255.
    public var jf: UInt8

    /// The generic field: a constant, an offset into the packet, an index into M[] or a jump distance.
    public var k: UInt32

    /// Makes an instruction of its four fields. Nothing is checked; ``Program`` validates.
    public init(code: UInt16, jt: UInt8 = 0, jf: UInt8 = 0, k: UInt32 = 0) {
        self.code = code
        self.jt = jt
        self.jf = jf
        self.k = k
    }
}
