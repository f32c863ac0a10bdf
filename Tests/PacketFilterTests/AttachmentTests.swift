#if os(Linux)
    import Foundation
    import PacketFilter
    import TestSupport
    import Testing

    /// The library's own words for attaching a filter.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"), .serialized)
    struct AttachmentTests {
        private let frame = Frames.named("tcp syn to 80").bytes

        @Test func anAttachmentEndsWithItsValue() throws {
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                let (sender, receiver) = (try PacketSocket(at: veth.first), try PacketSocket(at: veth.second))
                func arrives() throws -> Bool {
                    try sender.send(frame)
                    return try receiver.receive(timeout: 50) != nil
                }
                #expect(try arrives())
                let filter = try PacketFilter("tcp port 80")
                let attachment = try filter.attach(to: .xdp(interface: veth.second), match: .drop)
                #expect(try !arrives())
                #expect(try AttachedProgram.all().contains { $0.filter == "tcp port 80" })
                _ = consume attachment
                #expect(try arrives())
            }
        }

        @Test(.enabled(if: Requirement.kernel(6, 6).allowsRunning, "needs Linux 6.6"))
        func aHundredLeaveNothing() throws {
            func descriptors() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            }
            try withNetworkNamespace {
                let veth = try VethPair(mtu: 1500)
                // Other tests attach at interfaces of that number in namespaces of their own.
                let filter = try PacketFilter("udp port 47999")
                let program = try filter.compile(for: .tcxIngress(match: .drop))
                let before = try descriptors()
                for _ in 0..<100 { _ = try program.attach(to: .interface(veth.second)) }
                // Tests beside this one open and close some too.
                #expect(try descriptors() < before + 50)
                #expect(
                    try !AttachedProgram.all().contains { $0.filter == filter.expression })
            }
        }

        @Test func anotherOwnerIsRefused() throws {
            let program = try PacketFilter("udp").compile(for: .xdp(match: .drop))
            let error = #expect(throws: AttachError.self) { _ = try program.attach(to: .kernel) }
            #expect(error?.description == "the xdp hook belongs to something else")
        }
    }
#endif
