import ClassicBPF
import ExtendedBPF

/// Translates classic programs into eBPF, one instruction after the other, as the kernel's converter does.
public enum Translator {
    /// Returns `program` in `dialect`; a loadable one is for a hook with ``Hook/hasPacketLoads``.
    ///
    /// Line 1 of the result's line marks is the prologue, line *n* + 2 the classic instruction *n*.
    ///
    /// - Parameter name: The name of the entry function, a C identifier.
    /// - Throws: ``CompilerError`` at the first instruction that cannot be translated.
    /// - Complexity: O(*n*) in the number of instructions.
    public static func translate(
        _ program: ClassicBPF.Program, to dialect: Dialect, named name: String = "filter"
    ) throws(CompilerError) -> ExtendedBPF.Program {
        guard isIdentifier(name) else { throw CompilerError(.invalidName(name)) }
        do {
            try RuleSet.kernel.validate(program.instructions)
        } catch {
            throw CompilerError(.notAKernelFilter(error.reason), at: error.instruction)
        }
        switch dialect {
        case .kernel:
            return ExtendedBPF.Program(functions: [try Translation(program, dialect, named: name).run()])
        case .loadable(let target):
            guard target.hook.hasPacketLoads, !target.hook.isFunction else {
                throw CompilerError(.notTranslatable(target.hook))
            }
            if let view = target.vlan, view != .bytes { throw CompilerError(.viewNeedsOptimizer(view)) }
            return try VerdictWrapper(target).translate(program, named: name)
        }
    }

    /// The functions inside the kernel that programs of the kernel dialect can refer to.
    public static let kernelSymbols = [
        "bpf_skb_load_helper_8", "bpf_skb_load_helper_16", "bpf_skb_load_helper_32", "bpf_skb_get_pay_offset",
        "bpf_skb_get_nlattr", "bpf_skb_get_nlattr_nest", "bpf_get_raw_cpu_id", "bpf_user_rnd_u32",
    ]

    /// Whether `name` can name a program: a C identifier.
    public static func isIdentifier(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
