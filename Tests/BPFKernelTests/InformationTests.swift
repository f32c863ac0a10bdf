#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import Testing
    import TestSupport

    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
    struct InformationTests {
        @Test(arguments: [
            (ProgramType.socketFilter, "socket_filter"), (.schedCls, "sched_cls"), (.xdp, "xdp"),
            (.cgroupSkb, "cgroup_skb"),
        ])
        func agreesWithBpftool(_ type: ProgramType, _ name: String) throws {
            let loaded = try load(returning(1), as: type) { $0.name = "a_name_of_more_than_15_bytes" }
            let info = try loaded.information()
            let output = try run("bpftool", ["-j", "prog", "show", "id", "\(info.identifier)"]).output
            let shown = try #require(try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any])
            #expect(shown["type"] as? String == name)
            #expect(shown["name"] as? String == info.name)
            #expect(info.name == "a_name_of_more_")
            #expect(shown["tag"] as? String == info.tag.map { String(format: "%02x", $0) }.joined())
            #expect(shown["bytes_xlated"] as? Int == info.translatedSize)
            #expect(shown["bytes_jited"] as? Int ?? 0 == info.jitedSize)
            #expect(info.type == type)
        }

        @Test func takesTheEntryFunctionsName() throws {
            #expect(try load(returning(1)).information().name == "main")
        }

        /// The numbers of the types against the running kernel's own type information.
        @Test func numbersAreTheKernels() throws {
            let header = try run("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"]).text
            let types: [(ProgramType, String)] = [
                (.socketFilter, "SOCKET_FILTER"), (.kprobe, "KPROBE"), (.schedCls, "SCHED_CLS"),
                (.schedAct, "SCHED_ACT"),
                (.xdp, "XDP"), (.cgroupSkb, "CGROUP_SKB"), (.lwtIn, "LWT_IN"), (.lwtOut, "LWT_OUT"),
                (.lwtXmit, "LWT_XMIT"), (.rawTracepoint, "RAW_TRACEPOINT"), (.tracing, "TRACING"), (.extension, "EXT"),
                (.netfilter, "NETFILTER"),
            ]
            #expect(types.map(\.0) == ProgramType.allCases)
            for (type, name) in types { #expect(header.contains("\tBPF_PROG_TYPE_\(name) = \(type.rawValue),\n")) }
            let places: [(AttachType, String)] = [
                (.cgroupInetIngress, "CGROUP_INET_INGRESS"), (.cgroupInetEgress, "CGROUP_INET_EGRESS"),
                (.traceRawTracepoint, "TRACE_RAW_TP"), (.traceFunctionEntry, "TRACE_FENTRY"),
                (.traceFunctionExit, "TRACE_FEXIT"), (.xdp, "XDP"), (.netfilter, "NETFILTER"),
                (.tcxIngress, "TCX_INGRESS"), (.tcxEgress, "TCX_EGRESS"), (.netkitPrimary, "NETKIT_PRIMARY"),
                (.netkitPeer, "NETKIT_PEER"),
            ]
            #expect(places.map(\.0) == AttachType.allCases)
            for (place, name) in places { #expect(header.contains("\tBPF_\(name) = \(place.rawValue),\n")) }
        }
    }
#endif
