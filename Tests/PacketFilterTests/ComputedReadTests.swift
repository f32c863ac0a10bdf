#if os(Linux)
    import BPFKernel
    import ExtendedBPF
    import Foundation
    import Glibc
    import PacketFilter
    import SystemPackage
    import TestSupport
    import Testing

    /// Many filters in one program, which read where the packet says and beyond its end: each counts as tcpdump does that
    /// has no other filter, and as the kernel's own classic filter on a socket.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"), .serialized)
    struct ComputedReadTests {
        private static let filterCount = 40

        /// Expressions that libpcap takes and the kernel what it makes of them, each once.
        private static func expressions(isEthernet: Bool, for test: String) -> [String] {
            var generator = SeededGenerator(for: test)
            let reads = RandomReads(isEthernet: isEthernet)
            var expressions: [String] = []
            while expressions.count < filterCount {
                let expression = reads.next(using: &generator)
                let linkType = isEthernet ? LinkType.ethernet : .rawIP
                guard !expressions.contains(expression), let filter = try? PacketFilter(expression, linkType: linkType),
                    filter.classic.count > 1, filter.classic.rules.contains(.kernel)
                else { continue }
                expressions.append(expression)
            }
            return expressions
        }

        /// UDP over IPv4 whose data is `number` and what fills it up to `count` bytes.
        private static func datagram(_ number: UInt32, _ count: Int) -> [UInt8] {
            let data = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
            return Frames.datagram(to: 53, data + [UInt8](repeating: 0x5a, count: count))
        }

        /// Without VLAN tags, which the kernel takes out of the bytes in between.
        private static let frames =
            [Frames.ipv4, Frames.fragments, Frames.ipv6, Frames.other].flatMap { $0 }.map(\.bytes).filter {
                $0.count <= 3000 && !$0[12...].starts(with: [0x81, 0]) && !$0[12...].starts(with: [0x88, 0xa8])
            }
            + [(0, 0), (1, 20), (30, 40), (60, 700), (1400, 1450), (70_000, 100), (0x5a, 2900)].map(datagram)

        private static let places: [(place: CountingPlace, interface: String)] = [
            (.packetSocket(interface: "left"), "left"), (.packetSocket(interface: "right"), "right"),
            (.interface("right", .xdp), "right"), (.interface("right", .xdpFrags), "right"),
            (.interface("right", .tcxIngress), "right"), (.interface("left", .tcxEgress), "left"),
            (.traffic(interface: "right", .ingress, .clsact()), "right"),
            (.traffic(interface: "left", .egress, .clsact()), "left"),
        ]

        /// Frames in one piece and in several over a veth pair.
        @Test(arguments: places.indices) func eachCountIsThatOfTheFilterAlone(index: Int) throws {
            let (place, interface) = Self.places[index]
            let expressions = Self.expressions(isEthernet: true, for: "\(place)")
            let folder = try TemporaryFolder()
            try withNetworkNamespace {
                _ = try VethPair(mtu: 3000)
                let sockets = try expressions.map { expression in
                    let code = try PacketFilter(expression).classic.instructions.flatMap { $0.bytes(.host) }
                    return try PacketSocket(at: interface) { socket in
                        try SocketFilter.attach(classic: code, to: FileDescriptor(rawValue: socket))
                    }
                }
                let all = try PacketSocket(at: interface)
                let counter = try PacketCounter(expressions + [""], at: place)
                let sender = try PacketSocket(at: "left")
                for frame in Self.frames { try sender.send(frame) }
                // Once one socket has had all frames, so have the others; classifiers come behind sockets.
                for _ in Self.frames { try #require(try all.receive(timeout: 5_000) != nil) }
                for _ in 0..<1000 {
                    if try counter.counts().filters.last!.packets == Self.frames.count { break }
                    usleep(1_000)
                }
                try folder.file("frames.pcap", containing: captureFile(of: Self.frames))
                var counts: Set<UInt64> = []
                for (expression, socket) in zip(expressions, sockets) {
                    let count = try #require(try counter.counts().filters.first { $0.name == expression }).packets
                    let received = try socket.receiveAll(timeout: 0, quiet: 0).count
                    #expect(count == UInt64(received), "the kernel: \(expression)")
                    #expect(
                        try count == UInt64(tcpdumpCount(of: expression, in: folder.path("frames.pcap"))),
                        "tcpdump: \(expression)")
                    counts.insert(count)
                }
                #expect(counts.count > 5, "most filters match the same")
            }
        }

        /// Sends datagrams with small numbers as data to a port of its own, from a process that may be in a control group.
        private static let sender = """
            import os, socket, struct, sys
            if len(sys.argv) > 2: open(sys.argv[2] + '/cgroup.procs', 'w').write(str(os.getpid()))
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind(('127.0.0.1', int(sys.argv[1])))
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            for number in [0, 1, 2, 9, 30, 40, 60, 100, 1000, 1400, 70000]:
                for size in [0, 3, 60, 1400, 9000]:
                    sender.sendto(struct.pack('>I', number) + b'Z' * size, receiver.getsockname())
                    receiver.recv(10000)
            """
        private static let sent = 55

        private static func send(_ arguments: String...) throws {
            let result = try run("python3", ["-c", sender] + arguments)
            try #require(result.status == 0, "\(result.errors)")
        }

        /// Compares what counters have counted with tcpdump's counts of the packets that came in by the loopback interface.
        private static func compare(
            _ counters: [PacketCounter], _ expressions: [String], with socket: PacketSocket, isEthernet: Bool = false
        ) throws {
            let folder = try TemporaryFolder()
            // Each packet is seen when it goes out, type 4, and when it comes in.
            let packets = try socket.receiveAll().filter { $0.packetType != 4 }.map(\.bytes)
            #expect(packets.count == sent)
            try folder.file(
                "packets.pcap",
                containing: isEthernet
                    ? captureFile(of: packets)
                    : captureFile(of: packets.map { Array($0.dropFirst(14)) }, linkType: 101))
            for expression in expressions {
                let expected = UInt64(try tcpdumpCount(of: expression, in: folder.path("packets.pcap")))
                for counter in counters {
                    let count = try counter.counts().filters.first { $0.name == expression }
                    #expect(count?.packets == expected, "\(counter.place): \(expression)")
                }
            }
        }

        @Test func netfilterCountsAsEachFilterAlone() throws {
            let expressions = Self.expressions(isEthernet: false, for: "netfilter")
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let hooks: [NetfilterPlace.Hook] = [.output, .postrouting, .prerouting, .input]
                let counters = try hooks.map { try PacketCounter(expressions, at: .netfilter($0)) }
                let socket = try PacketSocket(at: "lo")
                try Self.send("4003")
                try Self.compare(counters, expressions, with: socket)
            }
        }

        @Test func aControlGroupCountsAsEachFilterAlone() throws {
            let expressions = Self.expressions(isEthernet: false, for: "control group")
            let group = try ControlGroup()
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let counters = try [Hook.cgroupEgress, .cgroupIngress].map {
                    try PacketCounter(expressions, at: .cgroup(path: group.path, $0))
                }
                let socket = try PacketSocket(at: "lo")
                try Self.send("4004", group.path)
                try Self.compare(counters, expressions, with: socket)
            }
        }

        /// A tracepoint shows the packets of all namespaces: those of the test have a port of their own.
        @Test func tracepointsCountAsEachFilterAlone() throws {
            let expressions = Self.expressions(isEthernet: true, for: "tracepoint").map {
                "udp dst port 47816 and (\($0))"
            }.filter { (try? PacketFilter($0)) != nil }
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let counters = try [Hook.tpBTF("net_dev_queue"), .rawTP("net_dev_queue")].map {
                    try PacketCounter(expressions, at: .tracing($0))
                }
                let socket = try PacketSocket(at: "lo")
                try Self.send("47816")
                try Self.compare(counters, expressions, with: socket, isEthernet: true)
            }
        }
    }
#endif
