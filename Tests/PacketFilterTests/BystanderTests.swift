#if os(Linux)
    import Foundation
    import Glibc
    import PacketFilter
    import struct PacketFilter.Attachment  // and not of Testing
    import SystemPackage
    import TestSupport
    import Testing

    /// Counters and captures in front of a program that drops: whatever their filters ask of a packet, it is dropped, and
    /// without that program it arrives. The kernel's own numbers say how many have.
    @Suite(
        .enabled(if: Requirement.root.allowsRunning, "needs root"),
        .enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"), .serialized)
    struct BystanderTests {
        /// What looks on: a counter, a counter of clauses, or a capture, with filters that read beyond the packet or where it
        /// says.
        enum Bystander: String, CaseIterable {
            case count
            case countOfClauses
            case capture

            /// What looks on at `place`, as long as what each makes is there; one at a time.
            func lookers(at place: CountingPlace) throws -> [() throws -> AnyObject] {
                let linkType = try place.linkType
                let expressions = Self.expressions(for: linkType)
                switch self {
                case .count:
                    return [{ try PacketCounter(expressions, at: place) }]
                case .countOfClauses:
                    let clauses = try ClauseFilters(
                        of: expressions.map { "(\($0))" }.joined(separator: " or "), linkType: linkType)
                    return [{ try PacketCounter(clauses.counted, at: place) }]
                case .capture:
                    return expressions.map { expression in
                        {
                            try PacketCapture(
                                PacketFilter(expression, linkType: linkType), at: place, bufferSize: 1 << 20)
                        }
                    }
                }
            }

            private static func expressions(for linkType: LinkType) -> [String] {
                // The data of the datagrams is 0xffffff00 and so on: nowhere in a packet and in no area.
                [
                    "udp[udp[8:4]] = 1", "udp[udp[8:4] & 0xffff:2] = 1", "ip[len] = 1", "ip[1500] = 1",
                    "udp[70000] = 1", "ip[len - ip[8]:4] = 1", "udp port 53",
                ] + (linkType == .ethernet ? ["ether[len] = 1", "ether[0xfff00400] = 1"] : [])
            }
        }

        /// A place to look on, and one where packets that have passed it are dropped.
        enum Place: String, CaseIterable {
            case tcxIngress, tcxEgress, tcByLink, clsactIngress, clsactEgress, tcxBeforeClsact
            case xdpBeforeTcx, xdpFragsBeforeTcx, packetSocketBeforeTcx, tracepointBeforeTcx, netfilter

            var bystander: CountingPlace {
                switch self {
                case .tcxIngress, .tcxBeforeClsact: .interface("right", .tcxIngress)
                case .tcxEgress: .interface("left", .tcxEgress)
                case .tcByLink: .traffic(interface: "right", .ingress)
                case .clsactIngress: .traffic(interface: "right", .ingress, .clsact(priority: 1))
                case .clsactEgress: .traffic(interface: "left", .egress, .clsact(priority: 1))
                case .xdpBeforeTcx: .interface("right", .xdp)
                case .xdpFragsBeforeTcx: .interface("right", .xdpFrags)
                case .packetSocketBeforeTcx: .packetSocket(interface: "right")
                case .tracepointBeforeTcx: .tracing(.tpBTF("net_dev_queue"))
                case .netfilter: .netfilter(.input, priority: -10)
                }
            }

            func drop(_ filter: PacketFilter) throws -> Attachment {
                // Behind the bystanders, of which there may be as many as filters.
                let last = TrafficWay.clsact(priority: 60_000)
                switch self {
                case .tcxIngress, .xdpBeforeTcx, .xdpFragsBeforeTcx, .packetSocketBeforeTcx, .tracepointBeforeTcx:
                    return try filter.attach(to: .tcxIngress(interface: "right"), match: .drop)
                case .tcxEgress: return try filter.attach(to: .tcxEgress(interface: "left"), match: .drop)
                case .tcByLink: return try filter.attach(to: .tc(interface: "right", .ingress), match: .shot)
                case .clsactIngress, .tcxBeforeClsact:
                    return try filter.attach(to: .tc(interface: "right", .ingress, way: last), match: .shot)
                case .clsactEgress:
                    return try filter.attach(to: .tc(interface: "left", .egress, way: last), match: .shot)
                case .netfilter:
                    let place = NetfilterPlace(.ipv4, .input, priority: 10)
                    return try PacketFilter(filter.expression!, linkType: .rawIP)
                        .attach(to: .netfilter(place), match: .drop)
                }
            }
        }

        /// Ten datagrams for 10.0.0.2, where nobody has the port: the kernel counts those that come so far.
        private static let frames: [[UInt8]] = (0..<10 as Range<UInt8>).map { number in
            let data: [UInt8] = [0xff, 0xff, 0xff, number, 0xff, 0xff, 0xff, 0xf0]
            // To all, so that the interface takes them.
            return [UInt8](repeating: 0xff, count: 6) + Frames.datagram(to: 53, data).dropFirst(6)
        }

        /// How many datagrams the kernel of this namespace has had for ports that nobody has.
        private static func delivered() throws -> Int {
            let text = try String(contentsOfFile: "/proc/thread-self/net/snmp", encoding: .utf8)
            let lines = text.split(separator: "\n").filter { $0.hasPrefix("Udp:") }.map { $0.split(separator: " ") }
            let place = try #require(lines.first?.firstIndex(of: "NoPorts"))
            return try #require(Int(lines[1][place]))
        }

        /// Whether all datagrams come through, at once or in a while.
        ///
        /// A program that has been detached stays as long as some process holds it: one that another test is just starting
        /// does for a moment.
        private func allArrive(from sender: PacketSocket, at receiver: PacketSocket) throws -> Bool {
            for _ in 0..<50 {
                if try arrivals(from: sender, at: receiver) == Self.frames.count { return true }
                usleep(50_000)
            }
            return false
        }

        /// How many of the datagrams come through.
        private func arrivals(from sender: PacketSocket, at receiver: PacketSocket) throws -> Int {
            let before = try Self.delivered()
            // What is dropped on the way out the kernel says it has no room for.
            for frame in Self.frames { try? sender.send(frame) }
            // Behind them comes one that nothing drops.
            let last = [UInt8](repeating: 0xff, count: 12) + [0x88, 0xb5, 1]
            try sender.send(last)
            while let frame = try receiver.receive(timeout: 5_000), frame.bytes != last {}
            // Another processor may still be busy with some of them.
            usleep(20_000)
            return try Self.delivered() - before
        }

        @Test(arguments: Bystander.allCases, Place.allCases)
        func whatIsDroppedBehindOneStaysDropped(bystander: Bystander, place: Place) throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                try ip("addr", "add", "10.0.0.2/24", "dev", veth.second)
                let (sender, receiver) = (try PacketSocket(at: veth.first), try PacketSocket(at: veth.second))
                #expect(try allArrive(from: sender, at: receiver))
                for (number, look) in try bystander.lookers(at: place.bystander).enumerated() {
                    let looker = try look()
                    #expect(try allArrive(from: sender, at: receiver), "bystander \(number) alone")
                    let attachment = try place.drop(PacketFilter("udp"))
                    #expect(try arrivals(from: sender, at: receiver) == 0, "a drop behind bystander \(number)")
                    _ = consume attachment
                    withExtendedLifetime(looker) {}
                }
                #expect(try allArrive(from: sender, at: receiver))
            }
        }

        /// What a process sends, and how much of that is refused and how much arrives.
        private static let sender = """
            import os, socket, sys
            open(sys.argv[1] + '/cgroup.procs', 'w').write(str(os.getpid()))
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind(('127.0.0.1', 53))
            receiver.settimeout(0.05)
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            arrived = 0
            for number in range(10):
                try:
                    sender.sendto(bytes([255, 255, 255, number]), receiver.getsockname())
                    receiver.recv(100)
                    arrived += 1
                except (PermissionError, TimeoutError): pass
            print(arrived)
            """

        @Test(arguments: Bystander.allCases, [Hook.cgroupEgress, .cgroupIngress])
        func aControlGroupsDropStays(bystander: Bystander, hook: Hook) throws {
            let group = try ControlGroup()
            try withNetworkNamespace {
                try ip("link", "set", "lo", "up")
                func arrivals() throws -> Int? {
                    let result = try run("python3", ["-c", Self.sender, group.path])
                    try #require(result.status == 0, "\(result.errors)")
                    return Int(result.text.trimmingCharacters(in: .newlines))
                }
                func allArrive() throws -> Bool {
                    for _ in 0..<20 {
                        if try arrivals() == 10 { return true }
                        usleep(50_000)
                    }
                    return false
                }
                for (number, look) in try bystander.lookers(at: .cgroup(path: group.path, hook)).enumerated() {
                    let looker = try look()
                    #expect(try allArrive(), "bystander \(number) alone")
                    let folder = FilePath(group.path)
                    let attachment = try PacketFilter("udp", linkType: .rawIP).attach(
                        to: hook == .cgroupEgress ? .cgroupEgress(folder) : .cgroupIngress(folder), match: .deny)
                    #expect(try arrivals() == 0, "a drop behind bystander \(number)")
                    _ = consume attachment
                    withExtendedLifetime(looker) {}
                }
                #expect(try allArrive())
            }
        }
    }
#endif
