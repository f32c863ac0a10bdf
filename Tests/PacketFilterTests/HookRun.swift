#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import PacketFilter

    /// A frame in a test run of a hook (`BPF_PROG_TEST_RUN`), and the packet that a program finds there.
    ///
    /// Programs run at the loopback interface, which has to be number 1: in a network namespace of their own.
    struct HookRun {
        /// The hook.
        let hook: Hook
        /// The frame that the kernel is given, Ethernet header included.
        let frame: [UInt8]
        /// How many bytes of it the first buffer holds, on XDP only; nil for as many as fit.
        let linearLength: Int?
        /// The packet's mark, except on XDP.
        let mark: UInt32

        /// Nil where the kernel takes no such frame at that hook.
        init?(_ hook: Hook, _ frame: [UInt8], linearLength: Int? = nil, mark: UInt32 = 0) {
            guard frame.count >= 14 else { return nil }
            if hook.context != .xdp {
                // Socket buffers of test runs have the whole IP header that their frame announces, in one page.
                let smallest =
                    frame[12...].starts(with: [8, 0]) ? 34 : frame[12...].starts(with: [0x86, 0xdd]) ? 54 : 15
                guard (smallest...3712).contains(frame.count), linearLength == nil else { return nil }
            } else if hook == .xdp {
                // Elsewhere than in a test run the kernel gives such a program packets of one buffer only.
                guard frame.count <= Self.firstBuffer, linearLength == nil else { return nil }
            }
            self.hook = hook
            self.frame = frame
            self.linearLength = linearLength
            self.mark = mark
        }

        /// The most bytes the first buffer of an XDP packet holds.
        private static let firstBuffer = 3520

        /// What `program`, which was loaded for the hook, returns.
        func result(of program: borrowing BPFKernel.Program) throws -> UInt32 {
            if hook.context == .xdp {
                return try program.run(
                    on: frame, context: XDPContext(linearLength: linearLength.map(UInt32.init))
                ).returnValue
            }
            return try program.run(on: frame, context: SKBContext(mark: mark)).returnValue
        }

        /// The packet as the hook shows it.
        var packet: Packet {
            let whole = Packet(ethernet: frame)
            var packet: Packet
            switch hook {
            case .xdp, .xdpFrags:
                packet = Packet(
                    frame, linearLength: min(linearLength ?? frame.count, frame.count, Self.firstBuffer),
                    networkHeaderOffset: 14, linkLayerHeaderOffset: 0, metadata: whole.metadata)
            case .socket:
                packet = Packet(
                    Array(frame[14...]), headroom: Array(frame[..<14]), linkLayerHeaderOffset: -14,
                    metadata: whole.metadata)
            case _ where hook.linkLayer == .rawIP: packet = Packet(Array(frame[14...]), metadata: whole.metadata)
            default: packet = whole
            }
            packet.metadata.interface = .init(index: 1, hardwareType: 772)
            packet.metadata.ingressInterface = 1
            packet.metadata.mark = mark
            // The loopback interface's own address and its broadcast address are all zeros.
            if packet.metadata.packetType == 0, frame[..<6].contains(where: { $0 != 0 }) {
                packet.metadata.packetType = 3
            }
            if packet.metadata.packetType == 1 { packet.metadata.packetType = 2 }
            return packet
        }
    }
#endif
