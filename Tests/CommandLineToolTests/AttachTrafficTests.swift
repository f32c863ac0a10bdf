#if os(Linux)
    import Foundation
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// What `attach` does to live traffic, and that nothing of it is left however it ends.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct AttachTrafficTests {
        /// Frames that an interface takes; one that ends within its tag is dropped by the kernel.
        private static let frames = Frames.all.filter {
            (14...1514).contains($0.bytes.count) && !($0.name.contains("vlan") && $0.name.contains(" cut to "))
        }

        /// The numbers of the frames that arrive at `receiver`, and of those that the kernel's own classic filter lets
        /// through where they leave.
        private func arrivals(_ sender: PacketSocket, _ filtered: PacketSocket, _ receiver: PacketSocket) throws
            -> (arrive: [Bool], match: [Bool])
        {
            var (arrive, match): ([Bool], [Bool]) = ([], [])
            for frame in Self.frames {
                // A program that drops it as it leaves makes an error of that.
                try? sender.send(frame.bytes)
                arrive.append(try receiver.receive(timeout: 20) != nil)
                match.append(try filtered.receive(timeout: 0) != nil)
            }
            return (arrive, match)
        }

        private func classicSocket(_ expression: String, at interface: String) throws -> PacketSocket {
            let instructions = try PacketFilter(expression).classic.instructions.flatMap { $0.bytes(.host) }
            return try PacketSocket(at: interface) { descriptor in
                let status = instructions.withUnsafeBufferPointer { code in
                    // struct sock_fprog
                    var filter = (UInt16(code.count / 8), UnsafeRawPointer(code.baseAddress!))
                    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &filter, socklen_t(16))
                }
                #expect(status == 0)
            }
        }

        @Test(arguments: ["udp", "icmp or arp", "tcp port 80", "not ip", "ip[2:2] > 60"])
        func xdpDropsWhatMatches(_ expression: String) throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let (sender, receiver) = (try PacketSocket(at: veth.first), try PacketSocket(at: veth.second))
                let filtered = try classicSocket(expression, at: veth.first)
                let tool = try BackgroundTool(
                    ["attach", "--hook", "xdp", "--match", "drop", "-i", veth.second, "--statistics", expression])
                let during = try arrivals(sender, filtered, receiver)
                #expect(during.match.contains(true) && during.match.contains(false))
                for (index, frame) in Self.frames.enumerated() {
                    #expect(during.arrive[index] == !during.match[index], "\(expression) on \(frame)")
                }
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
                let runs = tool.output.firstMatch(of: /^detached after \d+\.\d s, (\d+) runs, \d+ ns each\n$/)
                #expect(runs.flatMap { Int($0.1) } == Self.frames.count, "\(tool.output)")
                #expect(try arrivals(sender, filtered, receiver).arrive.allSatisfy { $0 })
            }
        }

        /// Frames in several buffers, which differ far behind the first.
        @Test func xdpFragsLooksIntoAllBuffers() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 9000)
                let (sender, receiver) = (try PacketSocket(at: veth.first), try PacketSocket(at: veth.second))
                let tool = try BackgroundTool(
                    ["attach", "--hook", "xdp-frags", "--match", "drop", "-i", veth.second, "ether[8000] = 7"])
                for number in [7, 8, 7, 9] as [UInt8] {
                    var frame = [UInt8](repeating: 0xff, count: 12) + [0x88, 0xb5]
                    frame += [UInt8](repeating: 0, count: 8986)
                    frame[8000] = number
                    try sender.send(frame, linearLength: 200)
                    #expect(try (receiver.receive(timeout: 100) == nil) == (number == 7))
                }
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
            }
        }

        /// Where the kernel has netkit; elsewhere it says so.
        @Test(.enabled(if: Requirement.kernel(6, 7).allowsRunning, "needs Linux 6.7"))
        func netkitTakesItsPrograms() throws {
            try withNetworkNamespace {
                let made =
                    try run(
                        "ip", ["link", "add", "name", "kit", "type", "netkit"]
                    ).status == 0
                guard made else {
                    let result = try ToolRun([
                        "attach", "--hook", "netkit-primary", "--match", "drop", "-i", "lo", "udp",
                    ])
                    #expect(result.status == 1 && result.errors.hasSuffix(": lo is no primary netkit device\n"))
                    let types = try run("bpftool", ["btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"])
                    #expect(!types.text.contains("struct netkit {"), "this kernel has netkit")
                    return
                }
                let tool = try BackgroundTool(
                    ["attach", "--hook", "netkit-primary", "--match", "drop", "-i", "kit", "udp"])
                let link = try run("bpftool", ["link", "show"]).text
                #expect(link.contains("prog \(tool.program)"), "\(link)")
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
            }
        }

        /// What leaves is dropped before it is sent.
        @Test(.enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"))
        func tcxDropsWhatMatches() throws {
            try withNetworkNamespace {
                let veth = try VethPair()
                let (sender, receiver) = (try PacketSocket(at: veth.first), try PacketSocket(at: veth.second))
                let filtered = try classicSocket("udp", at: veth.first)
                // Frames that leave are shown to sockets behind the program.
                let before = try arrivals(sender, filtered, receiver)
                let tool = try BackgroundTool(
                    ["attach", "--hook", "tcx-egress", "--match", "drop", "-i", veth.first, "udp"])
                let during = try arrivals(sender, filtered, receiver)
                #expect(during.arrive == before.match.map { !$0 })
                tool.signal(SIGTERM)
                #expect(try tool.status() == 0)
            }
        }

        /// Whether a datagram to that port of the loopback interface arrives (R) or not (-), or is refused when it is
        /// sent (E).
        private func datagram(to port: Int, from group: ControlGroup? = nil) throws -> String {
            let script = """
                import os, socket, sys
                if len(sys.argv) > 2: open(sys.argv[2] + '/cgroup.procs', 'w').write(str(os.getpid()))
                receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                receiver.bind(('127.0.0.1', int(sys.argv[1])))
                receiver.settimeout(0.2)
                try:
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', int(sys.argv[1])))
                    receiver.recv(9)
                    print('R')
                except PermissionError: print('E')
                except TimeoutError: print('-')
                """
            let result = try run("python3", ["-c", script, "\(port)"] + (group.map { [$0.path] } ?? []))
            return result.text.trimmingCharacters(in: .newlines)
        }

        private static let loopback: [[String]] = [
            ["tcx-ingress", "--match", "drop", "-i", "lo"],
            ["netfilter", "--match", "drop", "--family", "ipv4", "--hook-point", "input", "--priority", "-5"],
            ["xdp", "--match", "drop", "-i", "lo", "--xdp-mode", "generic"],
        ]

        @Test(
            .enabled(if: Requirement.kernel(6, 17).allowsRunning, "needs Linux 6.17"),
            .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"), arguments: loopback)
        func datagramsAreDropped(_ hook: [String]) throws {
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                #expect(try datagram(to: 5001) == "R")
                let tool = try BackgroundTool(["attach", "--hook"] + hook + ["udp port 5001"])
                #expect(try datagram(to: 5001) == "-")
                #expect(try datagram(to: 5002) == "R")
                tool.signal(SIGHUP)
                #expect(try tool.status() == 0)
                #expect(try datagram(to: 5001) == "R")
            }
        }

        @Test(.enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"))
        func controlGroupsAreDenied() throws {
            let group = try ControlGroup()
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let tool = try BackgroundTool(
                    ["attach", "--hook", "cgroup-egress", "--match", "deny", "--cgroup", group.path, "udp port 5001"])
                #expect(try datagram(to: 5001, from: group) == "E")
                #expect(try datagram(to: 5002, from: group) == "R")
                #expect(try datagram(to: 5001) == "R")
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
                #expect(try datagram(to: 5001, from: group) == "R")
            }
        }

        @Test func tracepointsRunIt() throws {
            try withNetworkNamespace {
                let veth = try VethPair()
                let tool = try BackgroundTool(["attach", "--hook", "tp_btf:net_dev_queue", "--statistics", "udp"])
                for _ in 0..<100 { try PacketSocket(at: veth.first).send(Self.frames[0].bytes) }
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
                let runs = tool.output.firstMatch(of: /, (\d+) runs, \d+ ns each\n$/)
                #expect(runs.flatMap { Int($0.1) }.map { $0 >= 100 } == true, "\(tool.output)")
            }
        }

        // MARK: The end

        private func isLoaded(_ program: String) throws -> Bool {
            try run("bpftool", ["prog", "show", "id", program]).status == 0
        }

        /// The kernel frees programs some time after their last holder is gone.
        private func goes(_ program: String) throws -> Bool {
            for _ in 0..<300 {
                if try !isLoaded(program) { return true }
                usleep(10_000)
            }
            return false
        }

        @Test(
            .enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"),
            arguments: [SIGKILL, SIGINT, SIGTERM, SIGHUP, SIGQUIT])
        func nothingIsLeft(_ signal: CInt) throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let tool = try BackgroundTool(["attach", "--hook", "xdp", "--match", "drop", "-i", veth.second, ""])
                let program = tool.program
                #expect(try isLoaded(program))
                let receiver = try PacketSocket(at: veth.second)
                let sender = try PacketSocket(at: veth.first)
                try sender.send(Self.frames[0].bytes)
                #expect(try receiver.receive(timeout: 50) == nil)
                tool.signal(signal)
                let status = try tool.status()
                #expect(status == (signal == SIGKILL || signal == SIGQUIT ? 128 + Int(signal) : 0))
                #expect(try goes(program))
                try sender.send(Self.frames[0].bytes)
                #expect(try receiver.receive() != nil)
            }
        }

        @Test(.enabled(if: Requirement.tool("bpftool").allowsRunning, "needs bpftool"))
        func theTimeEnds() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let start = ContinuousClock.now
                let tool = try BackgroundTool(
                    ["attach", "--hook", "xdp", "--match", "drop", "-i", veth.second, "--for", "1500ms", "ip"])
                let program = tool.program
                #expect(try tool.status() == 0)
                #expect(ContinuousClock.now - start >= .milliseconds(1500))
                #expect(tool.output == "detached after 1.5 s; --statistics would tell how often it ran\n")
                #expect(try goes(program))
            }
        }

        /// Both run, each for what it matches, and one goes without the other.
        @Test(
            .enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"),
            .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"))
        func twoInstancesAreAtOneHook() throws {
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let hook = ["attach", "--hook", "tcx-ingress", "--match", "drop", "-i", "lo"]
                let first = try BackgroundTool(hook + ["udp port 5001"])
                let second = try BackgroundTool(hook + ["udp port 5002"])
                #expect(try [5001, 5002, 5003].map { try datagram(to: $0) } == ["-", "-", "R"])
                first.signal(SIGINT)
                #expect(try first.status() == 0)
                #expect(try [5001, 5002].map { try datagram(to: $0) } == ["R", "-"])
                second.signal(SIGKILL)
                _ = try second.status()
                #expect(try datagram(to: 5002) == "R")
            }
        }

        @Test func aRemovedControlGroupEndsIt() throws {
            let group = try ControlGroup()
            let tool = try BackgroundTool(
                ["attach", "--hook", "cgroup-egress", "--match", "deny", "--cgroup", group.path, "udp"])
            let counting = try BackgroundTool(["count", "--hook", "cgroup-ingress", "--cgroup", group.path, "udp"])
            let folder = try TemporaryFolder()
            let capturing = try BackgroundTool(
                ["capture", "--hook", "cgroup-ingress", "--cgroup", group.path, "-w", folder.path("file")])
            #expect(rmdir(group.path) == 0)
            #expect(try capturing.status() == 1)
            #expect(capturing.messages.hasSuffix(" is gone, or somebody has detached the program\n"))
            #expect(try tool.status() == 1)
            #expect(
                tool.messages.hasSuffix(
                    "\ncbpf2ebpf: the program was detached, or what it was attached to is gone\n"))
            #expect(try counting.status() == 1)
            let gone = "cbpf2ebpf: the control group '\(group.path)' is gone, or somebody has detached the program\n"
            #expect(counting.messages.hasSuffix("\n" + gone), "\(counting.messages)")
            #expect(counting.output.hasSuffix("udp           0      0          0        0\n"))
        }

        @Test func aVanishedInterfaceEndsIt() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let tool = try BackgroundTool(["attach", "--hook", "xdp", "--match", "drop", "-i", veth.second, "ip"])
                try ip("link", "del", veth.first)
                #expect(try tool.status() == 1)
                #expect(
                    tool.messages.hasSuffix(
                        "\ncbpf2ebpf: the program was detached, or what it was attached to is gone\n"))
            }
        }
    }
#endif
