#if os(Linux)
    import Foundation
    import Glibc
    import PacketFilter
    import TestSupport
    import Testing

    /// `capture` as a process, with real traffic.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("tcpdump").allowsRunning, "needs tcpdump"), .serialized)
    struct CaptureTests {
        private let folder = try! TemporaryFolder()
        private var ourFile: String { folder.path("our.pcapng") }
        private var theirFile: String { folder.path("their.pcap") }

        /// The packets of a capture file as libpcap reads them.
        private func packets(_ path: String) throws -> [CaptureFile.Packet] {
            var file = try CaptureFile(path: path)
            var packets: [CaptureFile.Packet] = []
            while let packet = try file.next() { packets.append(packet) }
            return packets
        }

        private func time(_ packet: CaptureFile.Packet) -> Double {
            Double(packet.seconds) + Double(packet.nanoseconds) / 1e9
        }

        /// Sends datagrams of so many bytes each to a port that is closed, from the control group.
        private func send(_ sizes: [Int], to port: Int = 9, from group: ControlGroup? = nil) throws {
            let script = """
                import os, socket, sys
                if sys.argv[1]: open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()))
                sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for size in sys.argv[3:]:
                    try: sender.sendto(bytes(at % 251 for at in range(int(size))), ('127.0.0.1', int(sys.argv[2])))
                    except PermissionError: pass
                """
            let result = try run("python3", ["-c", script, group?.path ?? "", "\(port)"] + sizes.map(String.init))
            #expect(result.status == 0, "\(result.errors)")
        }

        /// Frames that an interface takes; one that ends within its tag is dropped by the kernel.
        private static let frames = Frames.all.filter {
            (14...1514).contains($0.bytes.count) && !($0.name.contains("vlan") && $0.name.contains(" cut to "))
        }

        /// Byte for byte what tcpdump has beside it, where the kernel has tags in the bytes and where it has not.
        @Test(arguments: ["xdp", "tcx-ingress", "tc --direction egress --clsact", "socket"])
        func theBytesAreTcpdumps(hook: String) throws {
            let goesOut = hook.contains("egress")
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let side = goesOut ? veth.first : veth.second
                let dump = try TcpdumpBeside(["-i", veth.second, "-w", theirFile])
                let tool = try BackgroundTool(
                    ["capture", "-i", side, "-w", ourFile, "--hook"] + hook.split(separator: " ").map(String.init))
                let sender = try PacketSocket(at: veth.first)
                for frame in Self.frames { try sender.send(frame.bytes) }
                try dump.wait(forPackets: Self.frames.count, in: theirFile)
                tool.signal(SIGINT)
                #expect(try tool.status() == 0)
                let report = "\(Self.frames.count) packets captured, none lost\n"
                #expect(tool.messages == "capturing at \(side), Ctrl-C ends it\n" + report)
            }
            let (ours, theirs) = (try packets(ourFile), try packets(theirFile))
            #expect(ours.map(\.bytes) == theirs.map(\.bytes))
            #expect(ours.map(\.wireLength) == theirs.map(\.wireLength))
            #expect(ours.count == Self.frames.count)
            #expect(zip(ours, theirs).allSatisfy { abs(time($0) - time($1)) < 0.1 })
            let file = try PcapngFile(ourFile)
            #expect(file.application == "cbpf2ebpf")
            let length = hook == "xdp" ? 65_535 : 262_144
            #expect(
                file.interfaces == [
                    .init(linktype: 1, snaplen: length, name: goesOut ? "left" : "right", resolution: 9)
                ])
            #expect(Set(file.packets.map { $0.flags & 3 }) == [goesOut ? 2 : 1])
            #expect(file.statistics.map(\.received) == [ours.count] && file.statistics[0].dropped == 0)
            #expect(file.packets.allSatisfy { (file.statistics[0].start...file.statistics[0].end).contains($0.time) })
        }

        /// Whole ones, of which the kernel has most outside the linear part, and why they were dropped.
        @Test(.enabled(if: Requirement.kernel(6, 4).allowsRunning, "needs Linux 6.4"))
        func droppedPacketsHaveTheirReason() throws {
            let sizes = [10, 1472, 3000, 60_000]
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let dump = try TcpdumpBeside(["-i", "lo", "-w", theirFile, "udp"])
                let tool = try BackgroundTool([
                    "capture", "--hook", "tp_btf:kfree_skb", "-w", ourFile, "-c", "8", "udp dst port 47113 or 47114",
                ])
                try send(sizes, to: 47113)
                try dump.wait(forPackets: sizes.count, in: theirFile)
                // A packet that has no Ethernet header yet.
                let dropping = try BackgroundTool([
                    "attach", "--hook", "netfilter", "--family", "ipv4", "--hook-point", "output", "--match", "drop",
                    "udp port 47114",
                ])
                try send(sizes, to: 47114)
                #expect(try tool.status() == 0)
                dropping.signal(SIGINT)
                #expect(try dropping.status() == 0)
            }
            let file = try PcapngFile(ourFile)
            #expect(file.interfaces.map(\.linktype) == [1, 101])
            #expect(file.interfaces.first?.name == "lo")
            let theirs = try packets(theirFile).map(\.bytes)
            let ours = file.packets.prefix(4)
            #expect(ours.map(\.bytes) == theirs.map(\.hexadecimal))
            #expect(ours.allSatisfy { $0.interface == 0 && $0.comment == "drop reason: NO_SOCKET" })
            let dropped = file.packets.suffix(4)
            #expect(dropped.map(\.length) == sizes.map { $0 + 28 })
            #expect(dropped.map(\.bytes.count) == sizes.map { 2 * ($0 + 28) })
            // Behind the headers.
            #expect(zip(dropped, ours).allSatisfy { $0.bytes.dropFirst(56) == $1.bytes.dropFirst(84) })
            #expect(dropped.allSatisfy { $0.interface == 1 && $0.comment == "drop reason: NETFILTER_DROP" })
        }

        /// IP packets without a header in front, whole ones, by hooks at which they have none.
        @Test(.enabled(if: Requirement.kernel(6, 4).allowsRunning, "needs Linux 6.4"))
        func controlGroupsAndNetfilterShowIPPackets() throws {
            let sizes = [10, 60_000]
            let group = try ControlGroup()
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                for (number, place) in [
                    ["netfilter", "--hook-point", "input"], ["cgroup-egress", "--cgroup", group.path],
                ].enumerated() {
                    let file = folder.path("\(number).pcapng")
                    let dump = try TcpdumpBeside(["-i", "lo", "-w", folder.path("\(number).pcap"), "udp"])
                    let tool = try BackgroundTool(
                        ["capture", "-c", "2", "-w", file, "udp", "and", "dst", "port", "9", "--hook"] + place)
                    try send(sizes, from: group)
                    #expect(try tool.status() == 0)
                    try dump.wait(forPackets: 2, in: folder.path("\(number).pcap"))
                    let ours = try PcapngFile(file)
                    let snapshot = PacketCapture.usualSnapshotLength
                    #expect(
                        ours.interfaces == [
                            .init(
                                linktype: 101, snaplen: snapshot, name: "lo", filter: "udp and dst port 9",
                                resolution: 9)
                        ])
                    let theirs = try packets(folder.path("\(number).pcap")).map { $0.bytes.dropFirst(14).hexadecimal }
                    #expect(ours.packets.map(\.bytes) == theirs)
                    #expect(ours.packets.map(\.length) == sizes.map { $0 + 28 })
                    #expect(ours.packets.allSatisfy { $0.flags & 3 == (number == 0 ? 1 : 2) })
                }
            }
        }

        /// README's command, and what it shows of it.
        @Test func theReportIsREADMEs() throws {
            let readme = try String(contentsOf: projectFolder.appending(path: "README.md"), encoding: .utf8)
            let lines = readme.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            let command = "$ cbpf2ebpf capture -i eth0 --hook xdp -w dns.pcapng --for 1s udp port 53"
            let place = try #require(lines.firstIndex(of: command))
            let words = command.replacing("dns.pcapng", with: ourFile).split(separator: " ").dropFirst(2).map(
                String.init)
            try withNetworkNamespace {
                let veth = try VethPair("eth0", "eth1", mtu: 1500)
                let tool = try BackgroundTool(words)
                let sender = try PacketSocket(at: veth.second)
                for _ in 0..<6 {
                    for name in ["udp to 53", "tcp to 22", "udp from 53"] { try sender.send(Frames.named(name).bytes) }
                }
                #expect(try tool.status() == 0)
                #expect(tool.messages == lines[(place + 1)...(place + 2)].map { $0 + "\n" }.joined())
            }
            #expect(try packets(ourFile).count == 12)
        }

        @Test func theSnapshotLengthAndTheCountAreLimits() throws {
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let tool = try BackgroundTool(["capture", "-i", "lo", "-s", "50", "-c3", "-w", ourFile, "udp"])
                try send([100, 1, 200, 300, 400])
                #expect(try tool.status() == 0)
                #expect(tool.messages.contains("\n3 packets captured, none lost\n"))
            }
            let found = try packets(ourFile)
            #expect(found.map(\.bytes.count) == [50, 43, 50])
            #expect(found.map(\.wireLength) == [142, 43, 242])
        }

        /// The rest of a script in a namespace, behind a start of the tool that is waited for.
        private func script(_ text: String, _ options: [String] = []) throws -> ToolResult {
            let setUp = """
                cd "$1"; tool="$0"; ip link set lo up
                begin() {
                    env --default-signal=INT,TERM,HUP "$tool" capture -i lo "$@" 2>errors & echo $! >pid
                    wait $!; echo $? >status
                }
                begun() { until grep -qs '^capturing at' errors; do [ ! -e status ] || break; sleep 0.02; done; }
                finish() { kill -INT $(cat pid); until [ -e status ]; do sleep 0.02; done; }
                send() {
                    python3 -c "
                import socket
                sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                for number in range($1): sender.sendto(bytes($2), ('127.0.0.1', 9))"
                }
                """
            return try run(
                "unshare", ["-n"] + options + ["bash", "-c", setUp + "\n" + text, builtTool, folder.path("")])
        }

        /// While nobody reads the pipe the kernel goes on, and what has no room is counted.
        @Test func whatDoesNotFitIsCountedAsLost() throws {
            let sent = 10_000
            let result = try script(
                """
                begin -w - --hook xdp --buffer-size 64K -s 60 udp | (until [ -e go ]; do sleep 0.02; done; cat >our.pcapng) &
                begun; send \(sent) 18; touch go; sleep 0.3; finish
                wait; cat errors status
                """)
            let report = try #require(
                result.text.firstMatch(of: /(\d+) packets captured, (\d+) lost while the buffer was full\n0\n/),
                "\(result)")
            let (captured, lost) = (Int(report.1)!, Int(report.2)!)
            #expect(captured + lost == sent && captured > 500 && lost > 5000, "\(report.0)")
            let file = try PcapngFile(ourFile)
            #expect(file.packets.count == captured)
            #expect(file.statistics.map(\.received) == [sent] && file.statistics.map(\.dropped) == [lost])
            #expect(try packets(ourFile).count == captured)
        }

        @Test func aFullDiskLeavesAValidFile() throws {
            let result = try script(
                """
                mkdir small; mount -t tmpfs -o size=128k small small
                begin -w small/our.pcapng udp & begun; send 4 60000
                until [ -e status ]; do sleep 0.02; done
                cat errors status; cp small/our.pcapng .
                """, ["-m"])
            #expect(
                result.text.hasSuffix(
                    "\n2 packets captured, none lost\n"
                        + "cbpf2ebpf: cannot write small/our.pcapng: No space left on device\n1\n"), "\(result)")
            #expect(try packets(ourFile).map(\.bytes.count) == [60_042, 60_042])
            #expect(try PcapngFile(ourFile).packets.count == 2)
        }

        @Test func aReaderThatGoesEndsIt() throws {
            let result = try script(
                "begin -w - udp | head -c 100 >part & begun; send 5 1000; sleep 0.1; send 5 1000; wait; cat errors status"
            )
            #expect(result.text.hasSuffix("cbpf2ebpf: cannot write standard output: Broken pipe\n1\n"), "\(result)")
        }

        /// A reader sees each packet as it comes.
        @Test func tcpdumpReadsThePipe() throws {
            let result = try script(
                """
                begin -w - udp | tcpdump -l -n -t -r - >lines 2>/dev/null & begun; send 1 7
                for turn in $(seq 100); do grep -q 'length 7' lines && break; sleep 0.02; done; cat lines; finish; wait
                """)
            #expect(try /IP 127\.0\.0\.1\.\d+ > 127\.0\.0\.1\.9: UDP, length 7\n/.wholeMatch(in: result.text) != nil)
        }

        @Test func anInterfaceThatGoesEndsIt() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let tool = try BackgroundTool(["capture", "-i", veth.second, "--hook", "xdp", "-w", ourFile, "udp"])
                let sender = try PacketSocket(at: veth.first)
                try sender.send(Frames.named("udp to 53").bytes)
                usleep(50_000)
                try ip("link", "delete", veth.first)
                #expect(try tool.status() == 1)
                #expect(
                    tool.messages.hasSuffix(
                        "1 packets captured, none lost\n"
                            + "cbpf2ebpf: the interface 'right' is gone, or somebody has detached the program\n"))
            }
            #expect(try packets(ourFile).map(\.bytes) == [Frames.named("udp to 53").bytes])
        }

        @Test func aTerminalGetsNoPackets() throws {
            let result = try run("script", ["-qec", "'\(builtTool)' capture -i lo -w - udp", "/dev/null"])
            #expect(
                result.text.contains(
                    "packets are no text for a terminal: name a file with -w, or pipe them to a reader"))
        }

        @Test(
            arguments: [
                (["-w", "x"], "The socket hook needs -i."),
                (["-w", "x", "-i", "lo", "-c", "0"], "-c takes a number from 1 on."),
                (
                    ["-w", "x", "-i", "lo", "--buffer-size", "1T"],
                    "'1T' is no size for --buffer-size, which takes 512K, 16M or 1G."
                ),
                (
                    ["-w", "x", "-i", "lo", "--buffer-size", "4K"],
                    "a buffer of 4096 bytes is too small for a packet, 262184 bytes hold one of the snapshot length"
                ),
                (
                    ["-w", "x", "-i", "lo", "--buffer-size", "2G"],
                    "a buffer of 2147483648 bytes is too large for the kernel, 1073741824 bytes are possible"
                ),
                (
                    ["-w", "x", "-i", "lo", "-s", "262145"],
                    "262145 bytes of a packet cannot be captured, 1 to 262144 can"
                ),
                (["-w", "/nowhere/x", "-i", "lo"], "cannot write /nowhere/x: No such file or directory"),
                (["-w", "x", "-i", "nothing"], "there is no interface 'nothing'"),
            ])
        func whatCannotBeIsSaid(arguments: [String], message: String) throws {
            let result = try ToolRun(["capture"] + arguments)
            #expect(result.status != 0 && result.errors.contains(message), "\(result.errors)")
        }
    }

    extension Sequence where Element == UInt8 {
        fileprivate var hexadecimal: String {
            map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }
#endif
