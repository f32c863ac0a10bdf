#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import TestSupport
    import Testing

    /// What the kernel is found to offer, beside what bpftool finds.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
    struct KernelFeatureTests {
        private struct Probes: Decodable {
            var program_types, map_types: [String: Bool]
            var helpers: [String: [String]]
        }

        private static let probes = Result {
            try JSONDecoder().decode(Probes.self, from: Data(run("bpftool", ["feature", "probe", "-j"]).text.utf8))
        }

        private static let programs: [(ProgramType, String)] = [
            (.socketFilter, "socket_filter"), (.kprobe, "kprobe"), (.schedCls, "sched_cls"), (.schedAct, "sched_act"),
            (.xdp, "xdp"), (.cgroupSkb, "cgroup_skb"), (.lwtIn, "lwt_in"), (.lwtOut, "lwt_out"),
            (.lwtXmit, "lwt_xmit"), (.rawTracepoint, "raw_tracepoint"),
        ]

        private static let maps: [(MapDeclaration.Kind, String)] = [
            (.hash, "hash"), (.array, "array"), (.perCPUHash, "percpu_hash"), (.perCPUArray, "percpu_array"),
            (.lruHash, "lru_hash"), (.longestPrefixMatch, "lpm_trie"), (.ringBuffer, "ringbuf"),
        ]

        @Test func typesAndMapsAreBpftools() throws {
            let probes = try Self.probes.get()
            for (type, name) in Self.programs {
                let isThere = RunningKernel.availability(of: .programs(type)) == .available
                #expect(probes.program_types["have_\(name)_prog_type"] == isThere, "\(name)")
            }
            for (kind, name) in Self.maps {
                let isThere = RunningKernel.availability(of: .maps(kind)) == .available
                #expect(probes.map_types["have_\(name)_map_type"] == isThere, "\(name)")
            }
        }

        /// Helpers by the numbers that the kernel's own types give them.
        ///
        /// A bpftool older than the kernel does not know the words in which the verifier refuses helpers of other types, and
        /// takes those for there; then only what it misses counts.
        @Test func helpersAreBpftools() throws {
            let probes = try Self.probes.get()
            let types = try run("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"]).text
            var numbers: [String: Int32] = [:]
            for match in types.matches(of: /\tBPF_FUNC_([a-z0-9_]+) = (\d+),/) {
                numbers["bpf_" + match.1] = Int32(match.2)
            }
            #expect(numbers.count > 200)
            for (type, name) in [(ProgramType.xdp, "xdp"), (.socketFilter, "socket_filter"), (.schedCls, "sched_cls")] {
                let known = Set(try #require(probes.helpers["\(name)_available_helpers"]))
                let isExact = !known.contains("bpf_sysctl_get_name")
                for (helper, number) in numbers where number <= 208 && number % 5 == 0 {
                    let found = RunningKernel.availability(of: .helper(number, type)) == .available
                    #expect(isExact ? found == known.contains(helper) : !found || known.contains(helper), "\(helper)")
                }
            }
        }

        /// Source: bpf-helpers(7), and the types of programs that it names.
        @Test(arguments: [
            (6, ProgramType.socketFilter, true), (26, .socketFilter, true), (9, .socketFilter, false),
            (9, .schedCls, true), (189, .schedCls, false), (189, .xdp, true), (26, .xdp, false), (44, .xdp, true),
            (130, .xdp, true), (113, .kprobe, true), (26, .kprobe, false), (100_000, .xdp, false),
        ])
        func helpersAreThoseOfTheirTypes(number: Int32, type: ProgramType, isThere: Bool) {
            #expect((RunningKernel.availability(of: .helper(number, type)) == .available) == isThere)
        }

        @Test func theRestIsWhatTheSystemShows() throws {
            func expect(_ feature: KernelFeature, _ isThere: Bool) {
                #expect(RunningKernel.availability(of: feature) == (isThere ? .available : .missing), "\(feature)")
            }
            expect(.kernelTypes, FileManager.default.fileExists(atPath: "/sys/kernel/btf/vmlinux"))
            expect(
                .kprobeEvents, FileManager.default.fileExists(atPath: "/sys/bus/event_source/devices/kprobe"))
            expect(.links, Requirement.kernel(5, 8).allowsRunning)
            expect(.tcx, Requirement.kernel(6, 6).allowsRunning)
            expect(.batches, Requirement.kernel(5, 6).allowsRunning)
            expect(.sharedArrays, Requirement.kernel(5, 5).allowsRunning)
            expect(.programs(.netfilter), Requirement.kernel(6, 4).allowsRunning)
            #expect(RunningKernel.availability(of: .programs(.tracing)) == .available)
        }

        /// A thousand trials would take seconds.
        @Test func theAnswerStays() {
            let feature = KernelFeature.helper(44, .lwtXmit)
            let first = RunningKernel.availability(of: feature)
            for _ in 0..<1000 { #expect(RunningKernel.availability(of: feature) == first) }
        }
    }
#endif
