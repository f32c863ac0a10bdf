import BPFObject
import ExtendedBPF
import Testing
import TestSupport

/// Programs that are called with something else than a packet.
@Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
struct TracingTests {
    /// The first argument's `len`; a program that may not follow it gives its address.
    private func object(
        section: String, contextType: String, argument: Int16 = 0, follows: Bool, field: Reference? = nil
    ) throws -> Object {
        var code = Assembler(functionNamed: "observe")
        code.append(.load(.doubleword, .r1, .r1, argument), field)
        if follows { code.append(.load(.word, .r1, .r1, 0), .kernelField(structure: "sk_buff", member: "len")) }
        code.append(.move64(.r0, 0))
        code.append(.exit)
        return Object(
            program: Program(functions: [try code.finish()]), section: section, source: oneLine,
            contextType: contextType)
    }

    @Test(arguments: ["unsigned long long", "void"])
    func typedTracepointsHaveTypedArguments(contextType: String) throws {
        let object = try object(section: "tp_btf/netif_receive_skb", contextType: contextType, follows: true)
        #expect(
            try load(object) == "name=observe section=tp_btf/netif_receive_skb type=tracing functions=1 lines=1 gpl=1\n"
        )
    }

    @Test(arguments: ["raw_tp/netif_receive_skb", "raw_tracepoint/netif_receive_skb"])
    func rawTracepoints(section: String) throws {
        let object = try object(section: section, contextType: "unsigned long long", follows: false)
        #expect(try load(object) == "name=observe section=\(section) type=raw_tracepoint functions=1 lines=1 gpl=1\n")
    }

    /// The argument is where this machine's calling convention has it; x86-64 here.
    #if arch(x86_64)
        @Test func probes() throws {
            var object = try object(
                section: "kprobe/ip_rcv", contextType: "pt_regs", follows: false,
                field: .kernelField(structure: "pt_regs", member: "di"))
            object.kernelVersion = 6 << 16 | 18 << 8
            #expect(try load(object) == "name=observe section=kprobe/ip_rcv type=kprobe functions=1 lines=1 gpl=1\n")
            let file = try ObjectFolder(object)
            #expect(try file.section("version") == [0, 18, 6, 0])
            let text = try withPins(file, "bpftool prog load \"$1\" $pin; bpftool prog dump xlated pinned $pin")
            let distance = try kernelTypes().byteOffset(of: "di", in: "pt_regs")
            #expect(text.contains("r1 = *(u64 *)(r1 +\(distance))"), "\(text)")
            #expect(text.contains("int observe(struct pt_regs * ctx):"))
        }
    #endif

    /// Some machines forbid programs at functions' entries; libbpf has found the function then, and the verifier is not
    /// what refused.
    @Test func entriesOfFunctions() throws {
        let object = try object(section: "fentry/ip_rcv", contextType: "unsigned long long", follows: true)
        let file = try ObjectFolder(object)
        let result = try runWithPins(file.path, "bpftool prog load \"$1\" $pin")
        if result.status != 0 {
            #expect(
                result.errors.contains("-EPERM") || result.errors.contains("Operation not permitted"),
                "\(result.errors)")
            #expect(!result.errors.contains("processed"), "\(result.errors)")
        }
    }

    /// libbpf before 1.3 does not know the section and has to be told what it means.
    @Test func netfilterContextsAreFollowed() throws {
        var code = Assembler(functionNamed: "observe")
        code.append(
            .load(.doubleword, .r1, .r1, 0), .kernelField(structure: "bpf_nf_ctx", member: "skb"))
        code.append(.load(.word, .r0, .r1, 0), .kernelField(structure: "sk_buff", member: "len"))
        code.append(.move64(.r0, 1))
        code.append(.exit)
        let object = Object(
            program: Program(functions: [try code.finish()]), section: "netfilter", source: oneLine,
            contextType: "bpf_nf_ctx")
        // BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER
        let text = try load(object, ["32", "45"])
        #expect(text.hasPrefix("name=observe section=netfilter type="))
        #expect(text.hasSuffix(" functions=1 lines=1 gpl=1\n"), "\(text)")
    }

    private func load(_ object: Object, _ arguments: [String] = []) throws -> String {
        let file = try ObjectFolder(object)
        let tool = file.folder.path("load-object")
        _ = try output("gcc", ["-Wall", "-Werror", "-o", tool, corpusC("load-object.c"), "-lbpf"])
        let result = try run(tool, [file.path] + arguments)
        #expect(result.status == 0)
        #expect(result.errors == "")
        return result.text
    }
}
