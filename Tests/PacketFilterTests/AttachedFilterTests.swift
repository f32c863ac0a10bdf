#if os(Linux)
    import BPFKernel
    import Foundation
    import PacketFilter
    import SystemPackage
    import TestSupport
    import Testing

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct AttachedFilterTests {
        @Test func theFilterOfARunningTcpdumpIsFound() throws {
            try withNetworkNamespace {
                try run("ip", ["link", "set", "lo", "up"])
                let folder = try TemporaryFolder()
                let script = """
                    cd "$0"
                    tcpdump -Z root -i lo udp port 53 >/dev/null 2>log </dev/null & echo $! >pid
                    until grep -q 'listening on' log; do kill -0 $(cat pid) || exit 1; sleep 0.05; done
                    """
                let started = try run("sh", ["-c", script, folder.path("")])
                try #require(
                    started.status == 0, "\((try? String(contentsOf: folder.url("log"), encoding: .utf8)) ?? "")")
                let text = try String(contentsOf: folder.url("pid"), encoding: .utf8)
                let process = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
                defer { kill(process, SIGKILL) }

                let sockets = try AttachedFilter.ofPacketSockets()
                let socket = try #require(sockets.first { $0.owners.contains { $0.process == process } })
                #expect(sockets.count == 1, "the namespace has no other")
                #expect(socket.interface == "lo")
                #expect(!socket.isCooked)
                #expect(socket.meaning == "udp port 53")
                let expected = try PacketFilter("udp port 53")
                #expect(socket.filter?.listing == expected.listing)

                let descriptor = try #require(socket.owners.first).descriptor
                let same = try PacketFilter(attachedTo: descriptor, ofProcess: process)
                #expect(same?.classic == socket.filter?.classic)
            }
        }

        @Test func filtersOfOneselfAreFound() throws {
            try withNetworkNamespace {
                let mine = ProcessInfo.processInfo.processIdentifier
                let plain = try PacketSocket(at: "lo")
                #expect(try PacketFilter(attachedTo: plain.descriptor, ofProcess: mine) == nil)
                let filter = try PacketFilter("ip6 and ether[20] = 58 and ether[54] = 128")
                try SocketFilter.attach(
                    classic: kernelBytes(filter.classic), to: FileDescriptor(rawValue: plain.descriptor))
                #expect(try PacketFilter(attachedTo: plain.descriptor, ofProcess: mine)?.classic == filter.classic)
                let listed = try AttachedFilter.ofPacketSockets()
                #expect(listed.map(\.filter?.classic) == [filter.classic])
                #expect(listed.first?.meaning == "ip6 and ether[20] = 58 and ether[54] = 128")

                let loaded = try PacketFilter("arp").compile(for: .socket).load()
                try SocketFilter.attach(loaded, to: FileDescriptor(rawValue: plain.descriptor))
                let isProgram = #expect(throws: KernelError.self) {
                    try PacketFilter(attachedTo: plain.descriptor, ofProcess: mine)
                }
                #expect(
                    isProgram?.description == "getsockopt(SO_GET_FILTER): permission denied (13), "
                        + "the socket's filter is an eBPF program, which has no classic form")
            }
        }

        @Test(arguments: [
            (999_999_999 as Int32, 0 as Int32, "pidfd_getfd: no such process (3), there is no such process"),
            (0, 0, "pidfd_getfd: invalid argument (22)"),
            (-1, 9_999, "pidfd_getfd: bad file descriptor (9), the process has no such descriptor"),
            (-1, -2, "getsockopt(SO_GET_FILTER): socket operation on non-socket (88)"),
        ])
        func whatIsNotThereIsAnError(_ process: Int32, _ descriptor: Int32, _ message: String) throws {
            let file = open("/dev/null", O_RDONLY)
            defer { close(file) }
            // −1 stands for this process, −2 for a file that is no socket.
            let error = #expect(throws: KernelError.self) {
                try PacketFilter(
                    attachedTo: descriptor == -2 ? file : descriptor,
                    ofProcess: process == -1 ? ProcessInfo.processInfo.processIdentifier : process)
            }
            #expect(error?.description == message)
        }

        private func kernelBytes(_ program: ClassicProgram) -> [UInt8] {
            program.instructions.flatMap { instruction in
                withUnsafeBytes(of: instruction.code) { Array($0) } + [instruction.jt, instruction.jf]
                    + withUnsafeBytes(of: instruction.k) { Array($0) }
            }
        }
    }
#endif
