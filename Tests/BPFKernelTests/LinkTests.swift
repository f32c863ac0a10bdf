#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import Glibc
    import SystemPackage
    import TestSupport
    import Testing

    /// What is attached shows among the links that bpftool lists, and no longer when the link has ended. That programs
    /// run there is for the tests of live traffic.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"), .serialized)
    struct LinkTests {
        /// The links of the program with that number, as bpftool lists them.
        private func links(of program: borrowing BPFKernel.Program) throws -> [[String: Any]] {
            let identifier = try program.information().identifier
            // It stops at a link that goes while it lists them, of a test beside this one.
            var shown = try run("bpftool", ["-j", "link", "show"])
            for _ in 0..<50 where shown.status != 0 { shown = try run("bpftool", ["-j", "link", "show"]) }
            let text = shown.output
            let all = try #require(try JSONSerialization.jsonObject(with: Data(text)) as? [[String: Any]])
            return all.filter { ($0["prog_id"] as? Int).map(UInt32.init) == identifier }
        }

        private func expectLink(
            of program: borrowing BPFKernel.Program, at place: AttachPlace, type: String
        ) throws {
            try attach(program, at: place, type: type)
            #expect(try links(of: program).isEmpty)
        }

        private func attach(_ program: borrowing BPFKernel.Program, at place: AttachPlace, type: String) throws {
            let link = try Link(attaching: program, at: place)
            let shown = try links(of: program)
            #expect(shown.count == 1)
            // bpftool knows the kinds of its time by name, later ones by number.
            let shownType = shown.first?["type"].map { "\($0)" }
            #expect(shownType == type, "\(shown)")
            _ = consume link
        }

        @Test func rawTracepoints() throws {
            let program = try load(returning(0), as: .rawTracepoint)
            try expectLink(of: program, at: .rawTracepoint("kfree_skb"), type: "raw_tracepoint")
            let error = #expect(throws: KernelError.self) {
                _ = try Link(attaching: program, at: .rawTracepoint("no_such_thing"))
            }
            #expect(
                error?.description
                    == "bpf(BPF_RAW_TRACEPOINT_OPEN): no such file or directory (2), this kernel has no such tracepoint"
            )
        }

        @Test func typedTracepoints() throws {
            let types = try run("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux"]).text
            let match = try #require(types.firstMatch(of: /\[(\d+)\] TYPEDEF 'btf_trace_kfree_skb'/))
            let program = try load(returning(0), as: .tracing) {
                $0.expectedAttachType = .traceRawTracepoint
                $0.attachTypeID = UInt32(match.1)!
            }
            try expectLink(of: program, at: .loadedFor, type: "raw_tracepoint")
        }

        @Test func controlGroups() throws {
            let group = try ControlGroup()
            defer { withExtendedLifetime(group) {} }
            let folder = FileDescriptor(rawValue: group.descriptor)
            for type in [AttachType.cgroupInetIngress, .cgroupInetEgress] {
                let program = try load(returning(1), as: .cgroupSkb) { $0.expectedAttachType = type }
                try expectLink(of: program, at: .cgroup(folder, type), type: "cgroup")
            }
            let program = try load(returning(0), as: .socketFilter)
            let error = #expect(throws: KernelError.self) {
                _ = try Link(attaching: program, at: .cgroup(folder, .cgroupInetIngress))
            }
            #expect(
                error?.description
                    == "bpf(BPF_LINK_CREATE): invalid argument (22), the program was loaded for another place, or this "
                    + "kernel makes no links there")
        }

        @Test(.enabled(if: Requirement.kernel(6, 4).allowsRunning, "needs Linux 6.4"))
        func netfilter() throws {
            let program = try load(returning(1), as: .netfilter) { $0.expectedAttachType = .netfilter }
            try withNetworkNamespace {
                for family in NetfilterPlace.Family.allCases {
                    for hook in NetfilterPlace.Hook.allCases {
                        let place = NetfilterPlace(family, hook, priority: -7)
                        let link = try Link(attaching: program, at: .netfilter(place))
                        let information = try String(
                            contentsOfFile: "/proc/self/fdinfo/\(link.descriptor.rawValue)", encoding: .utf8)
                        let words = information.split { $0 == "\t" || $0 == "\n" }
                        func number(_ name: String) -> Int? {
                            words.firstIndex { $0 == "\(name):" }.flatMap { Int(words[$0 + 1]) }
                        }
                        #expect(number("pf") == Int(family.rawValue), "\(information)")
                        #expect(number("hooknum") == Int(hook.rawValue))
                        #expect(number("prio") == -7)
                        // Two at one place would have no order.
                        let error = #expect(throws: KernelError.self) {
                            _ = try Link(attaching: program, at: .netfilter(place))
                        }
                        #expect(error?.errno == .resourceBusy)
                        _ = consume link
                    }
                }
                try expectLink(of: program, at: .netfilter(NetfilterPlace(.ipv4, .input)), type: "10")
            }
        }

        @Test(.enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"))
        func devices() throws {
            try withNetworkNamespace {
                // Frames that do not fit a page are none for XDP.
                let veth = try VethPair(mtu: 1500)
                let index = if_nametoindex(veth.first)
                let xdp = try load(returning(2), as: .xdp) { $0.expectedAttachType = .xdp }
                try expectLink(of: xdp, at: .interface(index, .xdp), type: "xdp")
                for type in [AttachType.tcxIngress, .tcxEgress] {
                    let program = try load(returning(0), as: .schedCls) { $0.expectedAttachType = type }
                    try expectLink(of: program, at: .interface(index, type), type: "11")
                }
                let link = try Link(attaching: xdp, at: .interface(index, .xdp))
                let error = #expect(throws: KernelError.self) {
                    _ = try Link(attaching: xdp, at: .interface(index, .xdp))
                }
                #expect(error?.errno == .resourceBusy)
                _ = consume link
            }
        }
    }
#endif
