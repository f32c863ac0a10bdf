import ClassicBPF

/// Writes filters as C, for people who have to review or embed source.
///
/// What is written wants `<linux/bpf.h>` and nothing else; `clang -O2 -target bpf` makes an object of it that decides as
/// the compiler's own programs do. The function that decides follows the optimiser's graph, each classic instruction in
/// front of what became of it.
public enum CSource {
    /// The hooks that C is written for.
    public static let hooks: [Hook] = [.xdp, .tc]

    /// Returns `filter` as a C program for `target`.
    ///
    /// - Parameters:
    ///   - name: The name of the program, a C identifier.
    ///   - license: What the object is to state.
    ///   - title: What the filter was written as, for a comment.
    ///   - lines: By classic instruction, how it reads.
    ///   - passes: The optimiser's passes to run.
    /// - Throws: ``CompilerError`` for another hook and at the first instruction that the hook has nothing for.
    public static func text(
        _ filter: Program, for target: Target, named name: String = "filter", license: String, title: String,
        lines: [String], passes: [String] = Optimizer.passNames
    ) throws(CompilerError) -> String {
        guard hooks.contains(target.hook), case .verdict(let match, let noMatch) = target.result else {
            throw CompilerError(.notInC(target.hook))
        }
        guard Translator.isIdentifier(name), !reserved.contains(name),
            !name.hasPrefix("\(functionName)_")
        else { throw CompilerError(.invalidName(name)) }
        let graph = try Optimizer(passes: passes).graphForC(filter, at: target.hook)
        var body = CFunction(graph, target.hook, lines)
        let function = try body.text(named: functionName)
        let context = "struct \(target.hook.contextType) *ctx"
        return """
            /*
             * \(comment(title))
             *
             *     clang -O2 -target bpf -c \(name).c
             */
            \(CPrelude.text(for: target.hook, helpers: body.helpers))
            \(body.tables)/* The number of the filter: 0 for packets that do not match. */
            static __attribute__((always_inline)) u32 \(functionName)(\(context))
            \(function)
            SEC("\(target.hook.section)")
            int \(name)(\(context))
            {
                return \(functionName)(ctx) ? \(constant(match, target.hook)) : \(constant(noMatch, target.hook));
            }

            char _license[] SEC("license") = \(quoted(license));

            """
    }

    /// The function that decides; tables are named after it.
    static let functionName = "matches"

    /// Names that a program cannot have in C: the language's and our own.
    private static let reserved = Set(
        """
        auto break case char const continue default do double else enum extern float for goto if inline int long
        register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
        asm typeof u8 u16 u32 u64 matches packet length_of PARTS16 PARTS32 _license SEC KEEP NTOH16 NTOH32 LOAD8 LOAD16 LOAD32
        bpf_skb_load_bytes bpf_get_prandom_u32 bpf_get_smp_processor_id XDP_ABORTED XDP_DROP XDP_PASS XDP_TX
        XDP_REDIRECT
        """.split(whereSeparator: \.isWhitespace).map(String.init))

    private static func constant(_ verdict: Verdict, _ hook: Hook) -> String {
        if hook == .xdp, hook.verdicts.contains(verdict) { return "XDP_\(verdict.name.uppercased())" }
        let number = "\(Int32(bitPattern: verdict.value))"
        return verdict.name == String(verdict.value) ? number : "\(number) /* \(verdict.name) */"
    }

    /// The text as it can stand in a comment.
    static func comment(_ text: String) -> String {
        text.replacing("*/", with: "* /").replacing("/*", with: "/ *").replacing("\\", with: "\\ ")
            .split(whereSeparator: \.isNewline).joined(separator: "\n * ")
    }

    /// The text as a C string.
    private static func quoted(_ text: String) -> String {
        let bytes = text.utf8.map { byte -> String in
            switch byte {
            case 0x22, 0x5c, 0x3f: "\\" + String(UnicodeScalar(byte))
            case 0x20...0x7e: String(UnicodeScalar(byte))
            default: "\\" + String([6, 3, 0].map { Character("\(byte >> $0 & 7)") })
            }
        }
        return "\"\(bytes.joined())\""
    }
}

extension Optimizer {
    /// The graph of `filter` as C can be written for it.
    fileprivate func graphForC(_ filter: Program, at hook: Hook) throws(CompilerError) -> Graph {
        var graph = GraphBuilder.build(filter)
        _ = ParameterPruning.run(on: &graph)
        _ = ConstantFolding.run(on: &graph)
        InterfaceLowering.run(on: &graph)
        AddressLowering.run(
            on: &graph, hook == .xdp ? .offsets(linkLayer: 0, network: 14) : .classicLoads(by: .helpers))
        // What clang makes of a bounded loop the verifier does not follow to its end.
        guard DominatorTree(graph).isAcyclic else { throw CompilerError(.loopInC) }
        _ = runPasses(on: &graph)
        // Of shorter lists clang makes a tree itself, and they can be read.
        _ = EqualityChains.run(on: &graph, leastSet: 32, makesTrees: false)
        var tables = SearchTables()
        // Numbers are in the order of the host in C, on all of them.
        _ = SetLowering.run(on: &graph, &tables, .big)
        _ = BoundsChecks.run(
            on: &graph,
            BoundsChecks.Limits(windowSize: 64, packetSize: hook == .xdp ? 0xffff : .max, aligned: false))
        _ = DeadCode.run(on: &graph)
        return graph
    }
}
