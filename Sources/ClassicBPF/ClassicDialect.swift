/// Something that takes classic programs, by rules of its own.
///
/// Whether it takes a program is all that is told here. What the program then reads is another matter: an extension of
/// Linux is to libpcap and FreeBSD an offset beyond every packet, and a filter of packets means nothing to seccomp.
public enum ClassicDialect: String, Hashable, Sendable, CaseIterable {
    /// Linux' sockets, `SO_ATTACH_FILTER`: ``RuleSet/kernel``, which most others in Linux ask for too.
    case socket
    /// The bpf match of iptables, of at most 64 instructions. Source: `XT_BPF_MAX_NUM_INSTR` of
    /// `<linux/netfilter/xt_bpf.h>`; the match came with Linux 3.9 ("netfilter: add xt_bpf xtables match").
    case xtBPF = "xt-bpf"
    /// The bpf classifier and action of tc. Source: tc-bpf(8); the classifier came with Linux 3.13 ("net: sched:
    /// cls_bpf: add BPF-based classifier").
    case tc
    /// System call filters, which read words of `struct seccomp_data` instead of packets and have no `mod`.
    /// Source: seccomp(2), Linux 3.5, and the kernel's `seccomp_check_filter`.
    case seccomp
    /// libpcap's own interpreter: ``RuleSet/libpcap``.
    case libpcap
    /// FreeBSD's BPF devices: no `mod`, no `xor`, at most 512 instructions unless `net.bpf.maxinsns` allows more,
    /// shifts of any distance, M[] unwritten. Source: `bpf_validate` in FreeBSD's `sys/net/bpf_filter.c` and
    /// `BPF_MAXINSNS` in its `<net/bpf.h>`.
    case freeBSD = "freebsd"

    /// The most instructions it takes, nil where there is no limit.
    public var maximumInstructions: Int? {
        switch self {
        case .socket, .tc, .seccomp: RuleSet.maximumKernelInstructions
        case .xtBPF: 64
        case .libpcap: nil
        case .freeBSD: 512
        }
    }

    /// The release of Linux that it came with; nil where it is none of Linux.
    public var release: LinuxRelease? {
        switch self {
        case .socket: .earliest
        case .xtBPF: LinuxRelease(3, 9)
        case .tc: LinuxRelease(3, 13)
        case .seccomp: LinuxRelease(3, 5)
        case .libpcap, .freeBSD: nil
        }
    }
}

/// What a dialect says to a program.
public struct DialectVerdict: Hashable, Sendable {
    /// Something that not all releases of Linux have.
    public struct Need: Hashable, Sendable {
        /// Its name, such as `mod` or `the extension poff`.
        public var name: String
        /// The first instruction that uses it.
        public var instruction: Int

        /// Makes a need of its name and an instruction's index.
        public init(name: String, instruction: Int) {
            self.name = name
            self.instruction = instruction
        }
    }

    /// Who says it.
    public var dialect: ClassicDialect
    /// Why the program is refused, the first reason; nil where it is accepted.
    public var refusal: ValidationError?
    /// From which release of Linux on it is accepted; nil where it is refused, or not by Linux.
    public var release: LinuxRelease?
    /// What makes that release later than the dialect's own; nil where nothing does.
    public var need: Need?
}

extension ClassicDialect {
    /// Whether the dialect takes `instructions`, and from which release of Linux on.
    ///
    /// - Complexity: O(*n*).
    public func verdict(on instructions: [Instruction]) -> DialectVerdict {
        do throws(ValidationError) {
            try validate(instructions)
        } catch {
            return DialectVerdict(dialect: self, refusal: error)
        }
        guard var release else { return DialectVerdict(dialect: self) }
        var need: DialectVerdict.Need?
        for (index, instruction) in instructions.enumerated() {
            guard let addition = instruction.operation?.addition, addition.release > release else { continue }
            release = addition.release
            need = DialectVerdict.Need(name: addition.name, instruction: index)
        }
        return DialectVerdict(dialect: self, release: release, need: need)
    }

    private func validate(_ instructions: [Instruction]) throws(ValidationError) {
        if let limit = maximumInstructions, instructions.count > limit {
            throw ValidationError(.tooManyInstructions(count: instructions.count, limit: limit))
        }
        switch self {
        case .socket, .xtBPF, .tc: try RuleSet.kernel.validate(instructions)
        case .libpcap: try RuleSet.libpcap.validate(instructions)
        case .seccomp:
            try RuleSet.kernel.validate(instructions)
            for (index, instruction) in instructions.enumerated() {
                if let reason = instruction.operation?.seccompRefusal { throw ValidationError(reason, at: index) }
            }
        case .freeBSD:
            try RuleSet.libpcap.validate(instructions)
            for (index, instruction) in instructions.enumerated() {
                if let reason = instruction.operation?.freeBSDRefusal(at: index, of: instructions.count) {
                    throw ValidationError(reason, at: index)
                }
            }
        }
    }
}

extension Operation {
    /// What seccomp has against it, or nil.
    fileprivate var seccompRefusal: ValidationError.Reason? {
        switch self {
        case .load(.absolute(.word, let offset)) where offset % 4 == 0 && offset < 64: nil
        case .load(.absolute(let size, let offset)):
            .notInSeccompData(bytes: size.rawValue, offset: offset)
        case .load(.extension(let known)): .unavailable("the extension \(known.name)", in: .seccomp)
        case .load(.indirect): .unavailable("a load at X", in: .seccomp)
        case .loadIndex(.headerLength): .unavailable("a load of a header's length", in: .seccomp)
        case .arithmetic(.modulo, _): .unavailable("mod", in: .seccomp)
        default: nil
        }
    }

    /// What FreeBSD has against it that libpcap has not, or nil.
    fileprivate func freeBSDRefusal(at index: Int, of count: Int) -> ValidationError.Reason? {
        switch self {
        case .arithmetic(.modulo, _): .unavailable("mod", in: .freeBSD)
        case .arithmetic(.xor, _): .unavailable("xor", in: .freeBSD)
        case .jump(let distance) where Int64(index) + 1 + Int64(distance) >= count:
            .jumpOutOfRange(target: Int64(index) + 1 + Int64(Int32(bitPattern: distance)), count: count)
        default: nil
        }
    }
}
