#if os(Linux)
    import BPFKernel
    import Foundation
    @testable import PacketFilter
    import SystemPackage
    import TestSupport
    import Testing

    /// What is attached and detached again and again leaves nothing: no descriptor, program, map or link, no filter at
    /// clsact, no memory. `Tests/Benchmarks/leaks.sh` does it a thousand times, alone.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"),
        .enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"), .serialized)
    struct LeakTests {
        /// Alone it can be told exactly; other tests beside this one have descriptors and memory too.
        private static let cycles = ProcessInfo.processInfo.environment["LEAK_CYCLES"].flatMap { Int($0) }

        private static func descriptors() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }

        /// Resident memory in KiB.
        private static func memory() throws -> Int {
            let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
            let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
            return line.flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) } ?? 0
        }

        /// One of each way to be attached. Returns the numbers of the programs.
        private static func attachAll(_ programs: [(CompiledProgram, HookOwner)], _ veth: VethPair) throws -> [UInt32] {
            var identifiers: [UInt32] = []
            for (program, owner) in programs {
                identifiers.append(try program.attach(to: owner).program.information().identifier)
            }
            for place in [
                CountingPlace.packetSocket(interface: veth.first), .interface(veth.second, .tcxIngress),
                .traffic(interface: veth.second, .egress, .clsact()),
            ] {
                let counter = try PacketCounter(["udp", "tcp"], at: place, histogram: .interarrival)
                identifiers.append(try counter.programInformation().identifier)
            }
            return identifiers
        }

        @Test func nothingIsLeft() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let filter = try PacketFilter("udp")
                let programs: [(CompiledProgram, HookOwner)] = [
                    (try filter.compile(for: .xdp(match: .drop)), .interface(veth.second)),
                    (try filter.compile(for: .tcxEgress(match: .drop)), .interface(veth.second)),
                    (try filter.compile(for: .tc(match: .shot)), .traffic(veth.second, .ingress, .clsact())),
                    (
                        try PacketFilter("udp", linkType: .rawIP).compile(
                            for: .netfilter(match: .drop), options: CompilerOptions(kernel: .running)),
                        .netfilter(NetfilterPlace(.ipv4, .input, priority: -7))
                    ),
                ]
                // What is made once and kept, such as memory for reuse, is there behind the first ones.
                for _ in 0..<(Self.cycles == nil ? 1 : 5) { _ = try Self.attachAll(programs, veth) }
                let (descriptors, memory) = (try Self.descriptors(), try Self.memory())
                var identifiers: Set<UInt32> = []
                for _ in 0..<(Self.cycles ?? 2) { identifiers.formUnion(try Self.attachAll(programs, veth)) }
                let (descriptorsAfter, memoryAfter) = (try Self.descriptors(), try Self.memory())
                if Self.cycles != nil {
                    #expect(descriptorsAfter == descriptors)
                    #expect(memoryAfter < memory + 2048, "\(memoryAfter - memory) KiB more")
                    print("\(identifiers.count) programs, \(memoryAfter - memory) KiB more")
                } else {
                    #expect(descriptorsAfter < descriptors + 50)
                }
                #expect(try run("tc", ["qdisc", "show", "dev", veth.second]).text.contains("clsact") == false)
                #expect(try Self.areGone(identifiers))
                // Programs hold their maps, so that these are gone with them; nobody else has any.
                let maps = try run("bpftool", ["-j", "map", "show"]).text
                let ours = "\"pid\":\(ProcessInfo.processInfo.processIdentifier),"
                if Self.cycles != nil { #expect(!maps.contains(ours), "\(maps)") }
            }
        }

        /// The kernel frees programs some time after their last holder is gone.
        private static func areGone(_ identifiers: Set<UInt32>) throws -> Bool {
            for _ in 0..<300 {
                let isLeft = identifiers.contains { identifier in
                    (try? LoadedProgram(identifier: identifier).information()) != nil
                }
                if !isLeft { return true }
                usleep(10_000)
            }
            return false
        }
    }
#endif
