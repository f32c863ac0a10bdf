import BPFCompiler
import ClassicBPF
import Testing

/// The names of hooks, and the targets that are made of them.
@Suite struct HookTests {
    /// One hook of each kind, functions of all.
    static let hooks: [Hook] =
        Hook.packetHooks + [
            .tpBTF("kfree_skb"), .rawTP("net_dev_queue"), .fentry("ip_rcv"), .kprobe("ip_rcv_core.isra.0"),
        ] + Hook.packetHooks.map { .function($0) }

    @Test(arguments: hooks) func namesAreReadBack(hook: Hook) throws {
        #expect(try Hook(named: hook.description) == hook)
        #expect(Hook(hook.description) == hook)
        let kind = hook.description.split(separator: ":")[0]
        #expect(Hook.names.count { $0.split(separator: ":")[0] == kind } == 1, "help has the name once")
    }

    @Test func everyHookIsAmongThem() {
        #expect(Set(Hook.packetHooks).count == 14)
        #expect(
            Hook.names == [
                "socket", "tc", "tcx-ingress", "tcx-egress", "netkit-primary", "netkit-peer", "xdp", "xdp-frags",
                "cgroup-ingress", "cgroup-egress", "lwt-in", "lwt-out", "lwt-xmit", "netfilter", "tp_btf:TRACEPOINT",
                "raw_tp:TRACEPOINT", "fentry:FUNCTION", "kprobe:FUNCTION", "function:HOOK",
            ])
    }

    private static let packetHooks =
        "socket, tc, tcx-ingress, tcx-egress, netkit-primary, netkit-peer, xdp, xdp-frags, cgroup-ingress, "
        + "cgroup-egress, lwt-in, lwt-out, lwt-xmit, netfilter"

    @Test(arguments: ["", "XDP", "xdp ", "tcx", "netkit", "tp_btf", "function", "xdp:eth0", "uprobe:main"])
    func anUnknownHookIsRefused(name: String) {
        #expect(
            message(name)
                == "there is no hook '\(name)', the hooks are \(Self.packetHooks), tp_btf:TRACEPOINT, "
                + "raw_tp:TRACEPOINT, fentry:FUNCTION, kprobe:FUNCTION, function:HOOK")
        #expect(Hook(name) == nil)
    }

    @Test(arguments: ["", "foo", "kprobe:ip_rcv", "function:xdp"])
    func functionsAreOfHooksThatPacketsPass(name: String) {
        #expect(
            message("function:\(name)")
                == "there are no functions of '\(name)', after function: comes one of \(Self.packetHooks)")
    }

    @Test(arguments: [
        ("tp_btf", "", "tracepoint"), ("raw_tp", "net/dev", "tracepoint"), ("fentry", "a.b", "function"),
        ("kprobe", ".a", "function"), ("kprobe", "a..b c", "function"), ("kprobe", "ip_rcv+4", "function"),
    ])
    func namesOfTheKernelAreNames(kind: String, name: String, argument: String) {
        #expect(
            message("\(kind):\(name)")
                == "'\(name)' names no kernel \(argument), a hook is written \(kind):\(argument.uppercased())")
    }

    private func message(_ name: String) -> String? {
        do throws(CompilerError) {
            _ = try Hook(named: name)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// A target that lets packets pass on no match, as its default.
    @Test(
        arguments: [
            (.tc(match: .shot), "tc", 2, 0), (.tcxIngress(match: .drop), "tcx-ingress", 2, 0xffff_ffff),
            (.tcxEgress(match: .pass), "tcx-egress", 0, 0xffff_ffff),
            (.netkitPrimary(match: .drop), "netkit-primary", 2, 0xffff_ffff),
            (.netkitPeer(match: .redirect), "netkit-peer", 7, 0xffff_ffff),
            (.xdp(match: .drop), "xdp", 1, 2), (.xdpFrags(match: .tx), "xdp-frags", 3, 2),
            (.cgroupIngress(match: .deny), "cgroup-ingress", 0, 1),
            (.cgroupEgress(match: .deny), "cgroup-egress", 0, 1),
            (.lwtIn(match: .drop), "lwt-in", 2, 0), (.lwtOut(match: .drop), "lwt-out", 2, 0),
            (.lwtXmit(match: .reroute), "lwt-xmit", 128, 0), (.netfilter(match: .drop), "netfilter", 0, 1),
            (.tpBTF("kfree_skb"), "tp_btf:kfree_skb", 1, 0), (.rawTP("kfree_skb"), "raw_tp:kfree_skb", 1, 0),
            (.fentry("ip_rcv"), "fentry:ip_rcv", 0, 0), (.kprobe("ip_rcv"), "kprobe:ip_rcv", 1, 0),
            (.function(.xdp), "function:xdp", 1, 0), (.function(.socket), "function:socket", 1, 0),
            (.socket(match: Verdict(value: 96)), "socket", 96, 0),
        ] as [(Target, String, UInt32, UInt32)])
    func targetsLetOthersPass(target: Target, hook: String, match: UInt32, noMatch: UInt32) {
        #expect("\(target.hook)" == hook)
        guard case .verdict(let first, let second) = target.result else {
            Issue.record("no verdicts")
            return
        }
        #expect(first.value == match)
        #expect(second.value == noMatch)
        #expect(target.hook.needsMatch == (Target(hook: target.hook) == nil))
    }

    @Test func theNumberIsTheSocketsResult() {
        #expect(Target(hook: .socket) == .socket)
        #expect(Target.socket.result == .number)
        #expect(Self.hooks.filter(\.givesNumber) == [.socket])
    }

    @Test(arguments: hooks) func aHookThatNeedsAVerdictNamesOne(hook: Hook) {
        #expect(hook.needsMatch == !hook.verdicts.isEmpty)
        #expect(Set(hook.verdicts.map(\.value)).count == hook.verdicts.count)
        for verdict in hook.verdicts + [hook.defaultNoMatch] {
            #expect(hook.allowedResults?.contains(verdict.value) != false)
        }
    }

    /// Without the optimiser, programs are there for the hooks with LD_ABS.
    @Test(arguments: hooks) func withoutOptimiserTheHookMustHavePacketLoads(hook: Hook) throws {
        let target = Target(hook: hook) ?? Target(hook: hook, match: hook.verdicts[1])
        let program = try Program([Instruction(.load(.absolute(.half, 12))), Instruction(.result(.a))])
        if Hook.packetHooks.prefix(6).contains(hook) {
            #expect(throws: Never.self) { try Translator.translate(program, to: .loadable(target)) }
        } else {
            let error = #expect(throws: CompilerError.self) {
                try Translator.translate(program, to: .loadable(target))
            }
            #expect(
                error.map { "\($0)" }
                    == "-O0 makes no program for the \(hook) hook, its packet loads exist on socket, tc, tcx and netkit "
                    + "hooks only")
        }
    }
}
