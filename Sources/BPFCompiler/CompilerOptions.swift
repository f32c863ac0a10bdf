import ExtendedBPF

/// How programs are made, apart from what they are for.
public struct CompilerOptions: Hashable, Sendable {
    /// How much is done.
    public var level: OptimizationLevel
    /// The instructions that may be used.
    public var isa: InstructionSet
    /// The order of bytes of the machine that will run the program.
    public var byteOrder: ByteOrder
    /// Which of the optimiser's passes run, by name.
    public var passes: [String]
    /// The oldest kernel that is to take the program; nil for ``KernelVersion/usual``, and where the hook or what it
    /// takes to read packets there came later, for that one.
    public var kernel: KernelVersion?
    /// On hooks that look at packets passing in the kernel, which argument is the packet's `struct sk_buff`, counted
    /// from 0; nil for what is known of the place.
    public var socketBufferArgument: Int?
    /// The kind of processor that will run the program, where that matters.
    public var architecture: Architecture
    /// Whether the program may read tables of constants, for which what it is written to must have a place: an object
    /// has, the bytes of the instructions alone have not. Long lists are looked up in them.
    public var allowsTables: Bool
    /// What the functions that filters become are to the program.
    var role = FunctionRole.filter
    /// Whether loops are bounded even where a helper function is there to run them.
    var boundsLoops = false
    /// What the packets of one function of the program begin with, where the hook shows several kinds.
    var linkLayer: Hook.LinkLayer?

    /// Makes options.
    public init(
        level: OptimizationLevel = .optimized, isa: InstructionSet = .v3, byteOrder: ByteOrder = .host,
        passes: [String] = Optimizer.passNames, kernel: KernelVersion? = nil, socketBufferArgument: Int? = nil,
        architecture: Architecture = .host, allowsTables: Bool = true
    ) {
        self.level = level
        self.isa = isa
        self.byteOrder = byteOrder
        self.passes = passes
        self.kernel = kernel
        self.socketBufferArgument = socketBufferArgument
        self.architecture = architecture
        self.allowsTables = allowsTables
    }

    /// The permit to end functions for `hook` by reading packets, where their role gives it.
    func permit(on hook: Hook) -> EndingPermit? { .permit(for: role, on: hook) }

    /// The oldest kernel that is to take a program for `hook`.
    func kernel(for hook: Hook) -> KernelVersion {
        kernel ?? max(.usual, hook.minimumKernel, hook.wholePacketKernel)
    }

    /// Whether programs for `hook` read tables.
    func hasTables(on hook: Hook) -> Bool { allowsTables && kernel(for: hook) >= KernelHistory.tables }

    /// What loops of programs for `hook` become.
    func loops(on hook: Hook) -> LoopForm {
        let kernel = kernel(for: hook)
        if kernel >= .mayGoto { return .leftToRun }
        let hasOwnEntry = role == .filter && !hook.isFunction
        let context = hook.context
        return kernel >= .loopCalls && hasOwnEntry && !boundsLoops && (context == .socketBuffer || context == .xdp)
            ? .called : .bounded
    }
}

/// What becomes of loops, so that the kernel's verifier sees that they end.
enum LoopForm: Hashable, Sendable {
    /// They count their rounds. The verifier walks through each of them.
    case bounded
    /// A helper function calls a round over and over (`bpf_loop`).
    case called
    /// The kernel stops what runs for too long (`may_goto`).
    case leftToRun
}

extension KernelVersion {
    /// What programs are made for unless it is said: the oldest kernel that many still run.
    public static let usual = KernelVersion(5, 15)

    /// Where programs may copy any memory of the kernel to their stack (`bpf_probe_read_kernel`).
    static let probes = KernelVersion(5, 5)

    /// Where programs may load from the stack at a place that only they know.
    static let computedStackLoads = KernelVersion(5, 12)

    /// Where the kernel tells of a packet's VLAN tag by a member that has a place of its own (`vlan_all`).
    static let tagMember = KernelVersion(6, 2)

    /// Where a helper function runs loops (`bpf_loop`).
    static let loopCalls = KernelVersion(5, 17)

    /// Where the verifier looks at what a helper function calls as often as there are different states to call it with.
    static let followedCalls = KernelVersion(6, 7)

    /// Where loops may be left to run until they end, within limits (`may_goto`).
    static let mayGoto = KernelVersion(6, 9)

    /// Where programs get at the kernel's own structure behind their context (`bpf_cast_to_kern_ctx`).
    static let kernelContext = KernelVersion(6, 2)

    /// Where the kernel began to follow all the headers to a packet's payload that it does now, CFM's the last.
    static let payloadHeaders = KernelVersion(6, 5)

    /// Where classic loads in the header areas reach what is not in a packet's linear part.
    static let wholeHeaderAreas = KernelVersion(6, 16)

    /// Where programs may read any memory of the kernel by plain loads (`bpf_rdonly_cast` to a type of 0).
    static let plainKernelMemory = KernelVersion(6, 17)

    /// Where the pointers to a packet's bytes in the kernel's own structures need no cast for that.
    static let plainPacketPointers = KernelVersion(6, 18)
}

/// How much is done to make a program small and fast.
public enum OptimizationLevel: Hashable, Sendable {
    /// Each classic instruction is translated, as the kernel's own converter does (`-O0`).
    case mirror
    /// The filter is compiled through a graph of its values (`-O1`).
    case optimized
}

/// The versions of the eBPF instruction set, by the names of `clang -mcpu`.
///
/// Source: RFC 9669 §2.4 (conformance groups) and LLVM's documentation of the BPF target.
public enum InstructionSet: String, Hashable, Sendable, CaseIterable, Comparable {
    /// The first.
    case v1
    /// With jumps where a number is less (Linux 4.14).
    case v2
    /// With jumps that compare 32 bits (Linux 5.1).
    case v3
    /// With jumps over more than 32,767 instructions and more (Linux 6.6).
    case v4

    /// Whether there are jumps where a number is less, or less or equal.
    public var hasLess: Bool { self >= .v2 }
    /// Whether there are jumps that compare 32 bits.
    public var hasJump32: Bool { self >= .v3 }
    /// Whether there is a jump of any distance.
    public var hasLongJump: Bool { self >= .v4 }

    /// Whether `left` is the smaller set.
    public static func < (left: InstructionSet, right: InstructionSet) -> Bool { left.rawValue < right.rawValue }
}
