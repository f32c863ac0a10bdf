#if os(Linux)
    import BPFKernel
    import ClassicBPF
    import ExtendedBPF
    import Foundation
    @testable import PacketFilter
    import TestSupport
    import Testing

    /// What is said of each hook is what the running kernel and libbpf do.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct HookLoadingTests {
        static let hooks: [Hook] =
            Hook.packetHooks + [.tpBTF("kfree_skb"), .rawTP("kfree_skb"), .fentry("ip_rcv"), .kprobe("ip_rcv")]

        /// Some kernels refuse every program for the entry of a function, so that nothing is known about it there.
        private static let machineRefuses: Set<Hook> = {
            let hook = Hook.fentry("ip_rcv")
            do {
                _ = try returning(0, on: hook).load()
                return []
            } catch {
                return (error as? KernelError)?.errno == .notPermitted ? [hook] : []
            }
        }()

        private static func program(
            _ instructions: [ExtendedInstruction], on hook: Hook
        ) throws -> CompiledProgram {
            let filter = try PacketFilter(ClassicProgram([ClassicInstruction(.result(.constant(1)))]))
            return CompiledProgram(
                filter: filter, target: Target(hook: hook) ?? Target(hook: hook, match: hook.verdicts[0]),
                program: ExtendedProgram(functions: [
                    Function(
                        name: "trivial", instructions: instructions, references: [:],
                        lines: [LineMark(instruction: 0, line: 1)])
                ]))
        }

        private static func returning(_ result: UInt32, on hook: Hook) throws -> CompiledProgram {
            try program([.move32(.r0, result), .exit], on: hook)
        }

        /// Whether the verifier takes the program; what else the kernel may refuse is an error.
        private func isAccepted(
            _ program: CompiledProgram, license: String = "GPL"
        ) throws -> Bool {
            do {
                _ = try program.load(license: license)
                return true
            } catch let error as KernelError where !error.log.isEmpty {
                return false
            }
        }

        // MARK: Loading

        @Test(arguments: hooks) func ourLoaderTellsTheKernelWhatItWants(hook: Hook) throws {
            let program = try Self.returning(0, on: hook)
            guard !Self.machineRefuses.contains(hook) else {
                #expect(try bpftool(program).errors.contains("Operation not permitted"), "libbpf is refused too")
                return
            }
            #expect(try program.load().information().type == hook.programType)
        }

        /// The kernel wants the place a program is for from the start, and would refuse to attach it elsewhere.
        @Test(
            arguments: [
                (.tpBTF("no_such_thing"), "alias"), (.fentry("no_such_thing"), "function"),
            ] as [(Hook, String)])
        func aPlaceTheKernelDoesNotHaveIsNamed(hook: Hook, kind: String) throws {
            let error = #expect(throws: (any Error).self) { _ = try Self.returning(0, on: hook).load() }
            let name = kind == "alias" ? "btf_trace_no_such_thing" : "no_such_thing"
            #expect(error.map { "\($0)" } == "there is no \(kind) named \"\(name)\"")
        }

        @Test func aFunctionIsNoProgram() throws {
            let error = #expect(throws: NotLoadable.self) { _ = try Self.returning(0, on: .function(.xdp)).load() }
            #expect(
                error.map { "\($0)" }
                    == "'function:xdp' is a function, no program: link its object with one that calls it, and load that"
            )
        }

        /// The verifier refuses the next number above those it lets programs return.
        @Test(arguments: hooks) func resultsAreThoseTheVerifierAllows(hook: Hook) throws {
            if Self.machineRefuses.contains(hook) { return }
            let allowed = hook.allowedResults ?? 0...0xffff_ffff
            for result in [allowed.lowerBound, allowed.upperBound] + hook.verdicts.map(\.value) {
                #expect(try isAccepted(Self.returning(result, on: hook)), "\(result)")
            }
            if hook.allowedResults != nil {
                #expect(try !isAccepted(Self.returning(allowed.upperBound + 1, on: hook)))
            }
        }

        /// libbpf finds type and place by the section; it is asked through bpftool.
        @Test(arguments: hooks) func libbpfKnowsTheSection(hook: Hook) throws {
            let result = try bpftool(Self.returning(0, on: hook))
            // Before 1.3 libbpf knew some of them not at all; then only our own loader is left to prove them.
            let recent: Set<Hook> = [.tcxIngress, .tcxEgress, .netkitPrimary, .netkitPeer, .netfilter]
            if recent.contains(hook), result.errors.contains("failed to guess program type from ELF section") { return }
            if Self.machineRefuses.contains(hook) { return }
            #expect(result.status == 0, "\(result.errors)")
            let types: [ProgramType: String] = [
                .socketFilter: "socket_filter", .schedCls: "sched_cls", .xdp: "xdp", .cgroupSkb: "cgroup_skb",
                .lwtIn: "lwt_in", .lwtOut: "lwt_out", .lwtXmit: "lwt_xmit", .netfilter: "netfilter",
                .tracing: "tracing", .rawTracepoint: "raw_tracepoint", .kprobe: "kprobe",
            ]
            #expect(result.text.contains(": \(types[hook.programType] ?? "?")  name trivial"), "\(result.text)")
        }

        private func bpftool(_ program: CompiledProgram) throws -> ToolResult {
            let folder = try TemporaryFolder()
            let file = try folder.file("program.o", containing: program.object().bytes)
            let script = """
                mount -t bpf bpf /sys/fs/bpf
                bpftool prog load "$1" /sys/fs/bpf/program
                bpftool prog show pinned /sys/fs/bpf/program
                """
            return try run("unshare", ["-m", "sh", "-ec", script, "sh", file.path])
        }

        // MARK: What is found there

        @Test(arguments: hooks) func packetLoadsAreThereForProgramsOfSocketsAndClassifiers(hook: Hook) throws {
            if Self.machineRefuses.contains(hook) { return }
            let program = try Self.program(
                [.move64(.r6, .r1), .loadPacket(.halfword, at: 12), .move32(.r0, 0), .exit], on: hook)
            #expect(try isAccepted(program) == hook.hasPacketLoads)
        }

        @Test(arguments: Hook.packetHooks) func pointersToThePacketAreThereWhereItSays(hook: Hook) throws {
            let (data, end): (Int16, Int16) = hook.context == .xdp ? (0, 4) : (76, 80)
            let program = try Self.program(
                [
                    .load(.word, .r2, .r1, data), .load(.word, .r3, .r1, end), .move64(.r4, .r2),
                    .alu64(.add, .r4, 1), .move32(.r0, 0), .jump64(if: .r4, .greater, .r3, 1),
                    .load(.byte, .r5, .r2, 0), .exit,
                ], on: hook)
            #expect(try isAccepted(program) == hook.hasDirectPacketAccess)
        }

        /// The members of `struct __sk_buff` and `struct xdp_md` by extension, and the helper functions.
        private static let fields: [ClassicBPF.Extension: Int16] = [
            .proto: 16, .type: 4, .ifidx: 40, .mark: 8, .queue: 12, .rxhash: 68, .vlanTCI: 24, .vlanAvail: 20,
            .vlanTPID: 28,
        ]

        @Test(arguments: hooks) func whatTheContextSuppliesCanBeRead(hook: Hook) throws {
            if Self.machineRefuses.contains(hook) { return }
            for (ext, helper) in [(ClassicBPF.Extension.cpu, Int32(8)), (.rand, 7)] {
                let program = try Self.program([.call(helper: helper), .move32(.r0, 0), .exit], on: hook)
                #expect(hook.extensions.contains(ext))
                #expect(try isAccepted(program), "\(ext)")
            }
            for (ext, offset) in Self.fields where hook.extensions.contains(ext) {
                switch hook.context {
                case .socketBuffer:
                    #expect(try reads(.load(.word, .r2, .r1, offset), on: hook), "\(ext)")
                case .xdp:
                    #expect(ext == .ifidx)
                    #expect(try reads(.load(.word, .r2, .r1, 12), on: hook))
                case .netfilter, .tracing: break
                }
            }
            #expect(hook.extensions.isDisjoint(with: [.poff, .nla, .nlan]))
        }

        private func reads(_ load: ExtendedInstruction, on hook: Hook) throws -> Bool {
            try isAccepted(Self.program([load, .move32(.r0, 0), .exit], on: hook))
        }

        /// Where the packet is behind the kernel's own structure, the verifier looks at the license.
        @Test(arguments: [Hook.netfilter, .tpBTF("kfree_skb")]) func theKernelsStructuresAreForTheGPL(hook: Hook) throws
        {
            #expect(hook.needsGPL)
            let layout = try KernelLayout.running()
            let entry = Function(
                name: "length",
                instructions: [
                    .load(.doubleword, .r2, .r1, hook == .netfilter ? 8 : 0), .load(.word, .r3, .r2, 0),
                    .move32(.r0, 0), .exit,
                ],
                references: [1: .kernelField(structure: "sk_buff", member: "len")], lines: [])
            let resolved = try layout.resolve(ExtendedProgram(functions: [entry]))
            let program = try Self.program(resolved.instructions, on: hook)
            #expect(try isAccepted(program, license: "GPL"))
            #expect(try !isAccepted(program, license: "Proprietary"))
        }

        /// A probe reads with a helper function that is for the GPL.
        @Test(arguments: [Hook.rawTP("kfree_skb"), .kprobe("ip_rcv")]) func probesReadUnderTheGPL(hook: Hook) throws {
            #expect(hook.needsGPL)
            let program = try Self.program(
                [
                    .move64(.r3, .r1), .move64(.r1, .r10), .alu64(.add, .r1, -8), .move32(.r2, 8),
                    .call(helper: 113), .move32(.r0, 0), .exit,
                ], on: hook)
            #expect(try isAccepted(program, license: "GPL"))
            #expect(try !isAccepted(program, license: "Proprietary"))
        }

        @Test(arguments: Hook.packetHooks.filter { !$0.needsGPL }) func otherPacketsAreForAll(hook: Hook) throws {
            let load: ExtendedInstruction = .load(.word, .r2, .r1, 0)
            #expect(try isAccepted(Self.program([load, .move32(.r0, 0), .exit], on: hook), license: "Proprietary"))
        }

        // MARK: Numbers

        /// The verdicts that the kernel describes in its own types, and the numbers of programs and places.
        @Test func numbersAreTheRunningKernels() throws {
            let types = try run("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"]).text
            var numbers: [Substring: Int64] = [:]
            for match in types.matches(of: /\t([A-Z][A-Z0-9_]+) = (-?\d+),/) { numbers[match.1] = Int64(match.2) }
            func expect(_ name: String, _ value: UInt32) {
                #expect(numbers[Substring(name)].map { UInt32(truncatingIfNeeded: $0) } == value, "\(name)")
            }
            for verdict in TCXVerdict.allCases {
                expect("TCX_\(verdict.rawValue.uppercased())", verdict.value)
                // Not every kernel is built with netkit; its numbers are those of tcx.
                if numbers["NETKIT_NEXT"] != nil { expect("NETKIT_\(verdict.rawValue.uppercased())", verdict.value) }
            }
            for verdict in XDPVerdict.allCases { expect("XDP_\(verdict.rawValue.uppercased())", verdict.value) }
            expect("BPF_OK", LWTVerdict.ok.value)
            expect("BPF_DROP", LWTVerdict.drop.value)
            expect("BPF_LWT_REROUTE", LWTVerdict.reroute.value)
            let places: [String: Hook] = [
                "BPF_TCX_INGRESS": .tcxIngress, "BPF_TCX_EGRESS": .tcxEgress, "BPF_NETKIT_PRIMARY": .netkitPrimary,
                "BPF_NETKIT_PEER": .netkitPeer, "BPF_XDP": .xdp, "BPF_CGROUP_INET_INGRESS": .cgroupIngress,
                "BPF_CGROUP_INET_EGRESS": .cgroupEgress, "BPF_NETFILTER": .netfilter, "BPF_TRACE_RAW_TP": .tpBTF("a"),
                "BPF_TRACE_FENTRY": .fentry("a"),
            ]
            for (name, hook) in places { expect(name, try #require(hook.attachType).rawValue) }
        }

        /// The verdicts that are macros, in the headers of the C compiler.
        @Test func macrosAreTheCompilers() throws {
            let names =
                TCVerdict.allCases.map { "TC_ACT_\($0.rawValue.uppercased())" }
                + NetfilterVerdict.allCases.map { "NF_\($0.rawValue.uppercased())" }
            let lines = names.map { "    printf(\"%u\\n\", (unsigned)\($0));\n" }.joined()
            let folder = try TemporaryFolder()
            let source = try folder.file(
                "numbers.c",
                containing: Array(
                    "#include <stdio.h>\n#include <linux/netfilter.h>\n#include <linux/pkt_cls.h>\nint main(void) {\n\(lines)}\n"
                        .utf8))
            #expect(try run("gcc", ["-o", folder.path("numbers"), source.path]).status == 0)
            let numbers = try run(folder.path("numbers")).text.split(separator: "\n").map { UInt32($0) }
            #expect(numbers == TCVerdict.allCases.map(\.value) + NetfilterVerdict.allCases.map(\.value))
        }
    }
#endif
