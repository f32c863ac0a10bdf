#if os(Linux)
    import BPFInterpreter
    import BPFKernel
    import ClassicBPF
    import PacketFilter
    import TestSupport
    import Testing

    /// The searches for netlink attributes in the running kernel: the classic filter on a packet socket and our program
    /// on another beside it, and our programs by test run.
    @Suite(.enabled(if: Requirement.root.allowsRunning, "needs root"))
    struct NetlinkSearchKernelTests {
        private func filter(_ ext: ClassicBPF.Extension, _ start: UInt32, _ type: UInt32) throws -> [ClassicInstruction]
        {
            [
                ClassicInstruction(.load(.immediate(start))), ClassicInstruction(.loadIndex(.immediate(type))),
                ClassicInstruction(.load(.extension(ext))),
            ]
        }

        /// Frames of an EtherType that the kernel leaves alone, and attributes behind their headers.
        private func frames() -> [[UInt8]] {
            var generator = SeededGenerator(for: "netlink frames")
            return (0..<300).map { _ in
                [UInt8](repeating: 0xff, count: 12) + [0x88, 0xb5]
                    + generator.netlinkAttributes(upTo: .random(in: 0...400, using: &generator))
            }
        }

        @Test(arguments: [ClassicBPF.Extension.nla, .nlan]) func socketsGetWhatTheClassicFilterGives(
            ext: ClassicBPF.Extension
        ) throws {
            try withNetworkNamespace {
                let veth = try VethPair()
                var pairs: [(classic: PacketSocket, extended: PacketSocket)] = []
                for start in [14, 18, 50] as [UInt32] {
                    for type in [1, 3, 0x4001] as [UInt32] {
                        let filter = try PacketFilter(
                            ClassicProgram(self.filter(ext, start, type) + [ClassicInstruction(.result(.a))]))
                        let loaded = try filter.compile(for: .socket).load()
                        pairs.append(
                            (
                                try PacketSocket(at: veth.second) { descriptor in
                                    try SocketFilter.attach(
                                        classic: filter.classic.instructions.flatMap { $0.bytes(.host) },
                                        to: .init(rawValue: descriptor))
                                },
                                try PacketSocket(at: veth.second) { descriptor in
                                    try SocketFilter.attach(loaded, to: .init(rawValue: descriptor))
                                }
                            ))
                    }
                }
                let control = try PacketSocket(at: veth.second)
                let sender = try PacketSocket(at: veth.first)
                let frames = frames()
                for frame in frames { try sender.send(frame) }
                #expect(try control.receiveAll(quiet: 200).count == frames.count)
                var found = 0
                for (classic, extended) in pairs {
                    let expected = try classic.receiveAll(timeout: 0, quiet: 0).map(\.bytes)
                    #expect(try extended.receiveAll(timeout: 0, quiet: 0).map(\.bytes) == expected)
                    found += expected.count
                }
                #expect(found > 100)
            }
        }

        static let targets: [Target] = [.tc(match: .shot), .xdp(match: .drop), .xdpFrags(match: .drop)]

        @Test(arguments: targets) func testRunsFindTheSameOffsets(target: Target) throws {
            guard case .verdict(let match, let noMatch) = target.result else {
                preconditionFailure("targets have verdicts")
            }
            for ext in [ClassicBPF.Extension.nla, .nlan] {
                // Everything in one program, which is slow to load: the frame says what is searched for and found.
                let program = try ClassicProgram(
                    [
                        ClassicInstruction(.load(.absolute(.byte, 1))), ClassicInstruction(.transferAToX),
                        ClassicInstruction(.load(.absolute(.byte, 0))), ClassicInstruction(.load(.extension(ext))),
                        ClassicInstruction(.store(0)), ClassicInstruction(.load(.absolute(.half, 2))),
                        ClassicInstruction(.loadIndex(.memory(0))),
                        ClassicInstruction(.branch(.equal, .index, jt: 0, jf: 1)),
                        ClassicInstruction(.result(.constant(1))), ClassicInstruction(.result(.constant(0))),
                    ])
                let loaded = try PacketFilter(program).compile(for: target).load()
                for (number, frame) in frames().enumerated() {
                    let (start, type) = (UInt8(number % 3 == 0 ? 18 : 14), UInt8(number % 6))
                    let search = try ClassicProgram(
                        filter(ext, UInt32(start), UInt32(type)) + [ClassicInstruction(.result(.a))])
                    var frame = frame
                    frame[0...3] = [start, type, 0, 0]
                    let found = try ClassicMachine(byteOrder: .host).run(search, on: Packet(ethernet: frame))
                    frame[2] = UInt8(found >> 8)
                    frame[3] = UInt8(found & 0xff)
                    #expect(try loaded.run(on: frame).returnValue == match.value, "\(ext) in \(frame)")
                    frame[3] ^= 1
                    #expect(try loaded.run(on: frame).returnValue == noMatch.value, "\(ext) in \(frame)")
                }
            }
        }
    }
#endif
