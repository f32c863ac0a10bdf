#if os(Linux)
    import BPFKernel
    import Foundation
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// Programs for tracing hooks before the running kernel's verifier, and how they find their packet.
    ///
    /// Where programs can be attached and run, ``TracingTrafficTests`` has them run.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct TracingLoadTests {
        /// Without loads from the kernel's memory, with them, and without casts to it.
        static let kernels = [KernelVersion(5, 15), KernelVersion(6, 17), KernelVersion(6, 18)]
            .filter { $0 <= KernelVersion.running! }

        /// The corpus for a hook; some filters ask for what the hook, or a kernel that old, does not have.
        ///
        /// - Parameter step: Every how manieth of them.
        private func programs(
            for hook: Hook, _ kernel: KernelVersion, every step: Int = 1
        ) throws -> [(name: String, CompiledProgram)] {
            let all =
                try Corpus.expressions.map { ($0.name, try PacketFilter($0.text, linkType: LinkType($0.linkType))) }
                + Corpus.programs.map { ($0.name, PacketFilter($0.program)) }
            let filters = stride(from: 0, to: all.count, by: step).map { all[$0] }
            let programs = try filters.compactMap { name, filter -> (String, CompiledProgram)? in
                do {
                    return (
                        name, try filter.compile(for: Target(hook: hook)!, options: CompilerOptions(kernel: kernel))
                    )
                } catch let error as CompilerError {
                    switch error.reason {
                    case .unavailableExtension, .needsKernel: return nil
                    default: throw error
                    }
                }
            }
            #expect(programs.count >= 230 / step)
            return programs
        }

        /// Those at typed ones that are for later kernels are in ``KernelBufferTests``.
        @Test(arguments: kernels.map { (Hook.rawTP("kfree_skb"), $0) } + [(.tpBTF("kfree_skb"), kernels[0])])
        func everyFilterPassesTheVerifierAtTracepoints(hook: Hook, kernel: KernelVersion) throws {
            for (name, program) in try programs(for: hook, kernel) {
                #expect(throws: Never.self, "\(name)") { _ = try program.load() }
            }
        }

        /// The kernels at hand attach nothing to probes: what the programs do there is known from raw tracepoints, whose
        /// programs differ in the place of the argument only.
        @Test(arguments: kernels)
        func everyFilterPassesTheVerifierAtProbesButDoesNotRun(kernel: KernelVersion) throws {
            for (name, program) in try programs(for: .kprobe("ip_rcv"), kernel, every: 3) {
                #expect(throws: Never.self, "\(name)") { _ = try program.load() }
            }
        }

        /// Where the kernel refuses all programs at the entry of functions, these are shown to the verifier as programs
        /// for a tracepoint, whose first argument is a packet too; and they do not run.
        @Test(arguments: kernels)
        func everyFilterPassesTheVerifierForFunctionEntriesButDoesNotRun(kernel: KernelVersion) throws {
            for (name, program) in try programs(for: .fentry("ip_rcv"), kernel, every: 3) {
                do {
                    _ = try program.load()
                } catch let error as KernelError where error.errno == .notPermitted {
                    var request = LoadRequest(
                        try KernelLayout.loadable(program.program), type: program.target.hook.programType)
                    try request.prepare(for: .tpBTF("kfree_skb"))
                    #expect(throws: Never.self, "\(name)") { _ = try BPFKernel.Program(loading: request) }
                }
            }
        }

        /// At some tracepoints the packet may be missing.
        @Test(arguments: [Hook.rawTP("tcp_send_reset"), .tpBTF("tcp_send_reset")], kernels)
        func aPacketThatMayBeMissingIsAsked(hook: Hook, kernel: KernelVersion) throws {
            for expression in ["", "ip", "tcp port 80", "len > 60"] {
                let program = try PacketFilter(expression).compile(
                    for: Target(hook: hook)!, options: CompilerOptions(kernel: kernel))
                #expect(throws: Never.self, "\(expression)") { _ = try program.load() }
            }
        }

        // MARK: Objects

        /// libbpf fills in this kernel's numbers.
        @Test(
            .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"),
            arguments: [Hook.rawTP("kfree_skb"), .kprobe("ip_rcv"), .tpBTF("kfree_skb")], kernels)
        func libbpfLoadsObjects(hook: Hook, kernel: KernelVersion) throws {
            let folder = try TemporaryFolder()
            for (place, expression) in ["tcp port 80", "len > 60 and ip[40] = 1"].enumerated() {
                let program = try PacketFilter(expression).compile(
                    for: Target(hook: hook)!, options: CompilerOptions(kernel: kernel))
                try program.object().write(to: .init(folder.path("\(place).o")))
                let script = "mount -t bpf bpf /sys/fs/bpf; bpftool prog load \"$1\" /sys/fs/bpf/program"
                let result = try run("unshare", ["-m", "sh", "-ec", script, "sh", folder.path("\(place).o")])
                #expect(result.status == 0, "\(expression): \(result.errors)")
            }
        }

        // MARK: The packet among the arguments

        private static let known: [Hook] =
            [
                "kfree_skb", "consume_skb", "netif_receive_skb", "netif_receive_skb_entry", "netif_rx",
                "netif_rx_entry", "napi_gro_receive_entry", "net_dev_queue", "net_dev_start_xmit",
                "skb_copy_datagram_iovec",
            ].map { .tpBTF($0) }
            + [
                "consume_skb", "icmp_rcv", "ip6_output", "ip_forward", "ip_local_deliver", "ip_output", "ip_rcv",
                "ipv6_rcv", "netif_receive_skb", "netif_rx", "tcp_v4_rcv", "udp_rcv", "__dev_queue_xmit",
            ].map { .kprobe($0) }

        @Test(arguments: known) func whatIsKnownIsTheRunningKernels(hook: Hook) throws {
            #expect(hook.usualSocketBufferArgument != nil)
            #expect(try KernelLayout.packetArgument(of: hook) == hook.usualSocketBufferArgument)
        }

        @Test(
            arguments: [
                (Hook.rawTP("tcp_probe"), 1), (.tpBTF("tcp_send_reset"), 1), (.kprobe("nf_hook_slow"), 0),
                (.fentry("ip_local_out"), 2), (.kprobe("no_such_function"), nil), (.rawTP("net_dev_xmit"), nil),
            ] as [(Hook, Int?)])
        func othersAreAskedOfTheRunningKernel(hook: Hook, argument: Int?) throws {
            #expect(hook.usualSocketBufferArgument == nil)
            #expect(try PacketFilter.packetArgument(of: hook) == argument)
        }

        @Test(
            arguments: [
                (
                    Hook.tpBTF("sched_switch"),
                    "no argument of tp_btf:sched_switch is a packet (struct sk_buff *): 1 bool, 2 struct task_struct *, 3 struct task_struct *, 4 unsigned int"
                ),
                (.kprobe("tcp_init"), "no argument of kprobe:tcp_init is a packet (struct sk_buff *): it has none"),
                (
                    .fentry("skb_gro_receive"),
                    "2 arguments of fentry:skb_gro_receive are packets (struct sk_buff *), which of them has to be said (--skb-argument): 1 struct sk_buff *p, 2 struct sk_buff *skb"
                ),
                (
                    .rawTP("net_dev_xmit"),
                    "which argument at raw_tp:net_dev_xmit is the packet is not known, it has to be said (--skb-argument)"
                ),
                (
                    .kprobe("no_such_function"),
                    "which argument at kprobe:no_such_function is the packet is not known, it has to be said (--skb-argument)"
                ),
            ] as [(Hook, String)])
        func theChoicesAreNamed(hook: Hook, message: String) throws {
            let error = #expect(throws: (any Error).self) {
                _ = try PacketFilter("ip").compile(for: Target(hook: hook)!)
            }
            #expect(error.map { "\($0)" } == message)
            let options = CompilerOptions(socketBufferArgument: 1)
            #expect(throws: Never.self) {
                _ = try PacketFilter("ip").compile(for: Target(hook: hook)!, options: options)
            }
        }
    }
#endif
