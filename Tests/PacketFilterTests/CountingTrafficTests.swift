#if os(Linux)
    import BPFKernel
    import Foundation
    import Glibc
    import PacketFilter
    import SystemPackage
    import TestSupport
    import Testing

    /// Counts of live traffic, beside those of packet sockets with the kernel's classic filters, and the interfaces' own.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct CountingTrafficTests {
        private static let expressions = [
            "", "ip", "ip6", "udp", "tcp port 80", "icmp", "host 10.0.0.1", "arp", "greater 100", "not ip",
            "udp port 53",
        ]

        /// Without VLAN tags, which the kernel takes out of the bytes in between.
        private static let frames = [Frames.ipv4, Frames.fragments, Frames.ipv6, Frames.other].flatMap { $0 }
            .map(\.bytes).filter {
                $0.count <= 3000 && !$0[12...].starts(with: [0x81, 0]) && !$0[12...].starts(with: [0x88, 0xa8])
            }

        private static let places: [(place: CountingPlace, interface: String)] = [
            (.packetSocket(interface: "left"), "left"), (.packetSocket(interface: "right"), "right"),
            (.interface("right", .xdp), "right"), (.interface("right", .xdpFrags), "right"),
            (.interface("right", .tcxIngress), "right"), (.interface("left", .tcxEgress), "left"),
        ]

        /// Frames of several kinds, large ones in several pieces too, over a veth pair.
        @Test(arguments: places.indices) func theCountsAreThoseOfPacketSockets(index: Int) throws {
            let (place, interface) = Self.places[index]
            try withNetworkNamespace {
                _ = try VethPair(mtu: 3000)
                let sockets = try Self.expressions.map { expression in
                    let filter = try PacketFilter(expression)
                    return try PacketSocket(at: interface) { socket in
                        try SocketFilter.attach(
                            classic: kernelBytes(filter.classic), to: FileDescriptor(rawValue: socket))
                    }
                }
                let counter = try PacketCounter(Self.expressions, at: place)
                let before = try Self.interfaceCounts(interface)
                let sender = try PacketSocket(at: "left")
                for _ in 0..<5 { for frame in Self.frames { try sender.send(frame) } }
                for (socket, expression) in zip(sockets, Self.expressions) {
                    let received = try socket.receiveAll()
                    let bytes = received.reduce(0) { $0 + $1.originalLength }
                    let count = try #require(try counter.counts().filters.first { $0.name == expression })
                    #expect(
                        count
                            == FilterCount(name: expression, packets: UInt64(received.count), bytes: UInt64(bytes)))
                }
                let all = try counter.counts().filters[0]
                let after = try Self.interfaceCounts(interface)
                #expect(all.packets == UInt64(5 * Self.frames.count))
                #expect(all.packets == after.packets - before.packets)
                // With a program at XDP a veth counts what is behind the Ethernet header.
                let uncounted = place.hook.context == .xdp ? 14 * all.packets : 0
                #expect(all.bytes == after.bytes - before.bytes + uncounted)
            }
        }

        private func kernelBytes(_ program: ClassicProgram) -> [UInt8] {
            program.instructions.flatMap { instruction in
                withUnsafeBytes(of: instruction.code) { Array($0) } + [instruction.jt, instruction.jf]
                    + withUnsafeBytes(of: instruction.k) { Array($0) }
            }
        }

        /// What the interface has counted, as `ip` tells it, in both directions.
        private static func interfaceCounts(_ name: String) throws -> (packets: UInt64, bytes: UInt64) {
            struct Interface: Decodable {
                struct Numbers: Decodable { var packets, bytes: UInt64 }
                struct Directions: Decodable { var rx, tx: Numbers }
                var stats64: Directions
            }
            let json = try run("ip", ["-s", "-j", "link", "show", name]).output
            let numbers = try JSONDecoder().decode([Interface].self, from: Data(json))[0].stats64
            return (numbers.rx.packets + numbers.tx.packets, numbers.rx.bytes + numbers.tx.bytes)
        }

        /// Datagrams of 100 bytes from a process to itself.
        private static let sender = """
            import os, socket, sys
            if len(sys.argv) > 2: open(sys.argv[2] + '/cgroup.procs', 'w').write(str(os.getpid()))
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind(('127.0.0.1', int(sys.argv[1])))
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for number in range(500):
                sender.sendto(bytes(100), receiver.getsockname())
                receiver.recv(200)
            """

        private static func send(_ arguments: String...) throws {
            let result = try run("python3", ["-c", sender] + arguments)
            try #require(result.status == 0, "\(result.errors)")
        }

        /// IP begins where packets have no Ethernet header there; at the loopback interface each is seen once.
        @Test func netfilterAndLoopbackSeeEachPacketOnce() throws {
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let expressions = ["udp", "tcp", "dst port 4000"]
                let hooks: [NetfilterPlace.Hook] = [.output, .postrouting, .prerouting, .input, .forward]
                let counters = try hooks.map { try PacketCounter(expressions, at: .netfilter($0)) }
                let loopback = try PacketCounter(expressions, at: .packetSocket(interface: "lo"))
                try Self.send("4000")
                for (hook, counter) in zip(hooks, counters) {
                    let passed: UInt64 = hook == .forward ? 0 : 500
                    let counts = try counter.counts().filters
                    #expect(counts.map(\.packets) == [passed, 0, passed], "\(hook)")
                    #expect(counts.map(\.bytes) == [128 * passed, 0, 128 * passed], "\(hook)")
                }
                #expect(try loopback.counts().filters.map(\.packets) == [500, 0, 500])
                #expect(try loopback.counts().filters.map(\.bytes) == [71_000, 0, 71_000])
            }
        }

        @Test func aControlGroupsPacketsAreCounted() throws {
            let group = try ControlGroup()
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let counters = try [Hook.cgroupEgress, .cgroupIngress].map {
                    try PacketCounter(["udp", "port 4001"], at: .cgroup(path: group.path, $0))
                }
                try Self.send("4001", group.path)
                try Self.send("4002")  // by a process that is not in it
                for counter in counters {
                    #expect(try counter.counts().filters.map(\.packets) == [500, 500])
                    #expect(try counter.counts().filters.map(\.bytes) == [64_000, 64_000])
                }
            }
        }

        /// A tracepoint shows the packets of all namespaces: those of the test have a port of their own.
        @Test(arguments: [Hook.tpBTF("net_dev_queue"), .rawTP("net_dev_queue")])
        func tracepointsAreCounted(hook: Hook) throws {
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let counter = try PacketCounter(["udp dst port 47811", "udp dst port 47812"], at: .tracing(hook))
                try Self.send("47811")
                #expect(try counter.counts().filters.map(\.packets) == [500, 0])
                #expect(try counter.counts().filters.map(\.bytes) == [71_000, 0])
            }
        }

        /// A device whose packets begin with their IP header.
        @Test func packetsWithoutEthernetHeadersAreCounted() throws {
            try withNetworkNamespace {
                let tunnel = try Tunnel()
                let counters = try [
                    CountingPlace.packetSocket(interface: tunnel.name), .interface(tunnel.name, .tcxIngress),
                ]
                .map { try PacketCounter(["udp", "udp port 53", "tcp"], at: $0) }
                let packet = Array(Frames.named("udp to 53").bytes.dropFirst(14))
                for _ in 0..<20 { try tunnel.receive(packet) }
                for counter in counters {
                    #expect(try counter.counts().filters.map(\.packets) == [20, 20, 0])
                    #expect(try counter.counts().filters[0].bytes == UInt64(20 * packet.count))
                }
            }
        }

        @Test func whoAsksForUpdatesGetsThem() async throws {
            let port = "47813"
            let counter = try PacketCounter(["udp dst port \(port)"], at: .packetSocket(interface: "lo"))
            let start = ContinuousClock.now
            var seen: [UInt64] = []
            var last = 0.0
            for try await counts in counter.updates(every: .milliseconds(50)) {
                #expect(counts.time > last && abs(counts.time - Date().timeIntervalSince1970) < 5)
                last = counts.time
                seen.append(counts.filters[0].packets)
                if seen.count == 1 { try Self.send(port) }
                if seen.count == 4 { break }
            }
            #expect(seen.first == 0 && seen.last == 500 && seen == seen.sorted())
            #expect(ContinuousClock.now - start >= .milliseconds(200))
        }

        /// When the interface goes, so does what is counted there; the counts stay.
        @Test func anInterfaceThatGoesIsNoticed() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let counters = try [CountingPlace.packetSocket(interface: "left"), .interface("left", .xdp)].map {
                    try PacketCounter([""], at: $0)
                }
                try PacketSocket(at: veth.second).send(Self.frames[0])
                usleep(10_000)
                for counter in counters { #expect(counter.isAttached) }
                try ip("link", "delete", veth.first)
                for counter in counters {
                    #expect(!counter.isAttached)
                    #expect(try counter.counts().filters[0].packets == 1)
                }
            }
        }

        /// Many times, one after the other: nothing is left open.
        @Test func nothingIsLeftBehind() throws {
            func open() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
            try withNetworkNamespace {
                _ = try VethPair(mtu: 1500)
                let places: [CountingPlace] = [
                    .packetSocket(interface: "left"), .interface("left", .xdp), .interface("left", .tcxEgress),
                    .netfilter(.input),
                ]
                for place in places { _ = try PacketCounter(["udp"], at: place) }
                let before = try open()
                var identifiers: [UInt32] = []
                for place in places {
                    for _ in 0..<10 {
                        let counter = try PacketCounter(["udp", "tcp"], at: place, histogram: .interarrival)
                        identifiers.append(try counter.programInformation().identifier)
                    }
                }
                // Other tests of this process may open some meanwhile.
                #expect(try open() < before + 50)
                // The kernel frees programs a while after their last user has gone.
                usleep(500_000)
                let rest = "\n" + (try run("bpftool", ["prog", "show"]).text)
                for identifier in identifiers { #expect(!rest.contains("\n\(identifier): ")) }
                #expect(!(try run("ip", ["link", "show", "left"]).text.contains("xdp")))
            }
        }
    }
#endif
