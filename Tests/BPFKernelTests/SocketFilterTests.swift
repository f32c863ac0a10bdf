#if os(Linux)
    import BPFKernel
    import ClassicBPF
    import Foundation
    import SystemPackage
    import Testing
    import TestSupport

    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct SocketFilterTests {
        /// `ip`, as tcpdump writes it, keeping 40 bytes.
        private static let classic: [UInt8] = [
            ClassicBPF.Instruction(code: 0x28, k: 12), .init(code: 0x15, jt: 0, jf: 1, k: 0x0800),
            .init(code: 0x06, k: 40), .init(code: 0x06, k: 0),
        ].flatMap { $0.bytes(.host) }

        @Test func bothKindsDecideAlike() throws {
            try withNetworkNamespace {
                let pair = try VethPair()
                let sender = try PacketSocket(at: pair.first)
                let unfiltered = try PacketSocket(at: pair.second)
                let classic = try PacketSocket(at: pair.second) {
                    try SocketFilter.attach(classic: Self.classic, to: FileDescriptor(rawValue: $0))
                }
                let extended = try PacketSocket(at: pair.second) {
                    // The program ends here; the socket keeps it in the kernel.
                    try SocketFilter.attach(load(ipv4Only(keeping: 40)), to: FileDescriptor(rawValue: $0))
                }
                for frame in Frames.all { try sender.send(frame.bytes) }
                let all = try unfiltered.receiveAll()
                // The kernel drops a frame that ends in its VLAN tag or in the two bytes behind the type.
                #expect(
                    all.count
                        == Frames.all.filter { !$0.bytes[12...].starts(with: [0x81, 0]) || $0.bytes.count >= 20 }.count)
                let expected = all.filter { $0.bytes[12...].starts(with: [8, 0]) }.map { frame in
                    var frame = frame
                    frame.bytes = Array(frame.bytes.prefix(40))
                    return frame
                }
                #expect(expected.count > 30 && expected.count < all.count - 30)
                #expect(try classic.receiveAll() == expected)
                #expect(try extended.receiveAll() == expected)
            }
        }

        @Test func theLastOneCountsAndDetachingEndsIt() throws {
            try withNetworkNamespace {
                let pair = try VethPair()
                let sender = try PacketSocket(at: pair.first)
                let receiver = try PacketSocket(at: pair.second)
                let socket = FileDescriptor(rawValue: receiver.descriptor)
                let frame = Frames.named("udp to 53").bytes
                func kept() throws -> Int? {
                    try sender.send(frame)
                    return try receiver.receiveAll(timeout: 300).first?.bytes.count
                }
                #expect(try kept() == frame.count)
                try SocketFilter.attach(load(returning(0)), to: socket)
                #expect(try kept() == nil)
                try SocketFilter.attach(classic: Self.classic, to: socket)
                #expect(try kept() == 40)
                try SocketFilter.attach(load(returning(20)), to: socket)
                #expect(try kept() == 20)
                try SocketFilter.detach(from: socket)
                #expect(try kept() == frame.count)
                #expect(throws: KernelError(.refused(.noSuchFileOrDirectory), in: .detach)) {
                    try SocketFilter.detach(from: socket)
                }
            }
        }

        @Test func refusesWhatTheKernelRefuses() throws {
            try withNetworkNamespace {
                #expect(throws: KernelError(.refused(.badFileDescriptor), in: .attachClassic)) {
                    try SocketFilter.attach(classic: Self.classic, to: FileDescriptor(rawValue: -1))
                }
                let open = try PacketSocket(at: "lo")
                let descriptor = FileDescriptor(rawValue: open.descriptor)
                for broken in [[], Array(Self.classic.prefix(8)), [UInt8](repeating: 0, count: 8 * 4097)] {
                    #expect(throws: KernelError(.refused(.invalidArgument), in: .attachClassic)) {
                        try SocketFilter.attach(classic: broken, to: descriptor)
                    }
                }
                #expect(throws: KernelError(.partialRecord(bytes: 9, recordSize: 8), in: .attachClassic)) {
                    try SocketFilter.attach(classic: Array(Self.classic.prefix(9)), to: descriptor)
                }
                #expect(throws: KernelError(.tooLarge(65_536, limit: 65_535), in: .attachClassic)) {
                    try SocketFilter.attach(classic: [UInt8](repeating: 0, count: 8 * 65_536), to: descriptor)
                }
                #expect(throws: KernelError(.refused(.invalidArgument), in: .attachProgram)) {
                    try SocketFilter.attach(load(returning(0), as: .xdp), to: descriptor)
                }
            }
        }

        @Test func showsTheTagThatTheKernelTookOut() throws {
            try withNetworkNamespace {
                let pair = try VethPair()
                let sender = try PacketSocket(at: pair.first)
                let receiver = try PacketSocket(at: pair.second)
                try sender.send(Frames.named("vlan 4094 priority 7 ipv6 tcp").bytes)
                try sender.send(Frames.named("802.1ad 100 vlan 5 tcp to 80").bytes)
                try sender.send(Frames.named("udp to the broadcast address").bytes)
                let frames = try receiver.receiveAll()
                try #require(frames.count == 3)
                #expect(frames.map(\.vlan) == [.init(tci: 0xeffe), .init(tci: 100, tpid: 0x88a8), nil])
                // The addresses and what follows the outer tag.
                let doubly = Frames.named("802.1ad 100 vlan 5 tcp to 80").bytes
                #expect(frames[1].bytes == Array(doubly[..<12]) + doubly[16...])
                #expect(frames[1].originalLength == doubly.count - 4)
                #expect(frames.map(\.proto) == [0x86dd, 0x8100, 0x0800])
                #expect(frames.map(\.packetType) == [3, 3, 1])
            }
        }
    }
#endif
