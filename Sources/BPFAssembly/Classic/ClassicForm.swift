import ClassicBPF

/// The forms that classic programs come in, by the names of the files in `Grammar/` that define them.
public enum ClassicForm: String, CaseIterable, Sendable {
    /// What `tcpdump -d` prints.
    case tcpdumpD = "tcpdump-d"
    /// What `tcpdump -dd` prints.
    case tcpdumpDD = "tcpdump-dd"
    /// What `tcpdump -ddd` prints.
    case tcpdumpDDD = "tcpdump-ddd"
    /// The line that iptables' bpf match and `tc … bpf bytecode` take.
    case xtBPF = "xt-bpf"
    /// What the kernel's bpf_asm reads.
    case bpfAsm = "bpf-asm"
    /// Initialisers of `struct sock_filter` in C.
    case cArray = "c-array"
    /// `struct sock_filter[]`, in the byte order of the host.
    case sockFilter = "sock-filter"
    /// The file format of libpcap's draft for saving filters.
    case savefile = "cbpf-savefile"
}

/// A classic program that was read from a text or file. It has not been validated.
public struct ClassicSource: Hashable, Sendable {
    /// The instructions, in order.
    public var instructions: [Instruction]
    /// By instruction, the line it stands in, counted from 1; empty for binary forms.
    public var lines: [Int]
}
