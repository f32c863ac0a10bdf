/// The two forms of eBPF the translator writes.
public enum Dialect: Hashable, Sendable {
    /// What the kernel's own converter makes of the filter, instruction by instruction: for reading and comparing.
    ///
    /// Distances into kernel structures and addresses of kernel functions are references. No kernel loads this form,
    /// it reads registers it has not written, fills reserved fields and reaches into `struct sk_buff`.
    case kernel

    /// The same translation as a program that `bpf(2)` loads for a hook: packet loads are `LD_ABS` and `LD_IND`,
    /// extensions come from `struct __sk_buff`, dead code is left out.
    case loadable(Target)
}
