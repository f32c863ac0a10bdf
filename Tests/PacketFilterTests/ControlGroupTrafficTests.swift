#if os(Linux)
    import BPFKernel
    import Foundation
    @testable import PacketFilter
    import SystemPackage
    import TestSupport
    import Testing

    /// Programs of a control group, on what a process in it sends and receives over the loopback interface: what they deny
    /// is what the kernel's classic filter, on a packet socket, lets through of the same packets.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.tool("python3").allowsRunning, "needs python3"), .serialized)
    struct ControlGroupTrafficTests {
        private static let expressions = [
            "", "ip", "ip6", "udp", "tcp", "tcp port 80", "udp port 53", "host 127.0.0.1", "not udp",
            "portrange 1-100", "ip[2:2] > 60", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "ip6 and udp port 5000",
            "udp[5000] = 0x5a or ip[2:2] = 48", "udp[20000:4] = 0x5a5a5a5a", "ip6[20040] = 0x5a",
        ]

        /// Sends packets, each with its number in it, and tells of each whether sending was refused (E), the packet was
        /// received (R), or neither (-).
        private static let script = """
            import os, socket, struct, sys
            open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()))
            def attempt(number, family, kind, protocol, source, target, size):
                host = '127.0.0.1' if family == socket.AF_INET else '::1'
                payload = b'cbpf%04d' % number + b'Z' * size
                sender = socket.socket(family, kind, protocol)
                receiver = socket.socket(family, kind, protocol)
                if kind == socket.SOCK_DGRAM:
                    sender.bind((host, source))
                    receiver.bind((host, target))
                else:
                    # A TCP header, by hand: no connection is wanted. The checksum is nobody's business here.
                    payload = struct.pack('!HHIIBBHHH', source, target, number, 0, 0x50, 2, 512, 0, 0) + payload
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                receiver.settimeout(0.02)
                try:
                    sender.sendto(payload, (host, target if kind == socket.SOCK_DGRAM else 0))
                except PermissionError:
                    return 'E'
                try:
                    while payload[-len(payload) + 20:] not in receiver.recv(1 << 16): pass
                    return 'R'
                except TimeoutError:
                    return '-'
            number = 0
            text = ''
            for family in (socket.AF_INET, socket.AF_INET6):
                for kind, protocol in ((socket.SOCK_DGRAM, 0), (socket.SOCK_RAW, 6)):
                    for source, target in ((5000, 53), (53, 5001), (5002, 80), (81, 5003), (5004, 5005)):
                        for size in (12, 3000, 30000):
                            text += attempt(number, family, kind, protocol, source, target, size)
                            number += 1
            print(text)
            """
        private static let count = 60

        @Test func whatTheClassicFilterLetsThroughIsDenied() throws {
            let controlGroup = try ControlGroup()
            let (group, folder) = (controlGroup.path, FileDescriptor(rawValue: controlGroup.descriptor))
            defer { withExtendedLifetime(controlGroup) {} }
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                let sockets = try Self.expressions.map { try classicSocket(PacketFilter($0)) }
                #expect(try outcomes(in: group) == String(repeating: "R", count: Self.count))
                let matches = try sockets.map { try numbers(receivedBy: $0) }
                #expect(matches[0].count == Self.count)
                for (expression, matches) in zip(Self.expressions, matches) {
                    let filter = try PacketFilter(expression, linkType: .rawIP)
                    let places: [(Target, AttachType, Character)] = [
                        (.cgroupEgress(match: .deny), .cgroupInetEgress, "E"),
                        (.cgroupIngress(match: .deny), .cgroupInetIngress, "-"),
                    ]
                    for (target, type, denied) in places {
                        let program = try filter.compile(for: target).load()
                        let link = try BPFKernel.Link(attaching: program, at: .cgroup(folder, type))
                        let expected = (0..<Self.count).map { matches.contains($0) ? denied : "R" }
                        #expect(try outcomes(in: group) == String(expected), "\(target.hook) \(expression)")
                        _ = consume link
                    }
                }
            }
        }

        private func outcomes(in group: String) throws -> String {
            let result = try run("python3", ["-c", Self.script, group])
            try #require(result.status == 0, "\(result.errors)")
            return result.text.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        private func classicSocket(_ filter: PacketFilter) throws -> PacketSocket {
            try PacketSocket(at: "lo") { descriptor in
                let classic = filter.classic.instructions.flatMap { $0.bytes(.host) }
                try SocketFilter.attach(classic: classic, to: .init(rawValue: descriptor))
            }
        }

        /// The numbers of the packets that a socket has received.
        private func numbers(receivedBy socket: PacketSocket) throws -> Set<Int> {
            var numbers: Set<Int> = []
            while let packet = try socket.receive(timeout: 0) {
                let text = String(decoding: packet.bytes.prefix(200), as: UTF8.self)
                if let match = text.firstMatch(of: /cbpf(\d{4})/), let number = Int(match.1) { numbers.insert(number) }
            }
            return numbers
        }
    }
#endif
