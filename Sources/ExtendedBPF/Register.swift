/// An eBPF register, also the four-bit field of an instruction that names one.
///
/// Source: RFC 9669 §2.2 and the Linux calling convention.
public enum Register: UInt8, Hashable, Sendable, CaseIterable {
    /// The result of calls and of the program.
    case r0
    /// The first argument of calls; at entry the context.
    case r1
    /// Arguments two to five of calls; calls destroy `r0` to `r5`.
    case r2, r3, r4, r5
    /// Calls keep these four.
    case r6, r7, r8, r9
    /// The frame pointer: the end of the 512-byte stack, read only.
    case r10
}
