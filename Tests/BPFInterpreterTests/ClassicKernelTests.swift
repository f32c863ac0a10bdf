import BPFInterpreter
import ClassicBPF
import Testing

/// The classic machine against the running kernel: how many bytes of a packet a filter lets through.
@Suite(.enabled(if: KernelRunner.isAvailable, "needs root, for sockets in an own network namespace, and gcc"))
struct ClassicKernelTests {
    /// What a socket shows of a result: no more bytes than there are.
    private func visible(_ result: UInt32, of length: Int) -> Int32 { Int32(min(result, UInt32(length))) }

    /// The four epilogues that return one more than one byte of A, which a packet of 256 bytes can show.
    private let byteEpilogues: [[Operation]] = [0, 8, 16, 24].map { shift in
        [
            .arithmetic(.shiftRight, .constant(shift)), .arithmetic(.and, .constant(0xff)),
            .arithmetic(.add, .constant(1)), .result(.a),
        ]
    }

    @Test func randomProgramsLetThroughTheSameNumberOfBytes() throws {
        var random = RandomSource(seed: seed)
        var cases: [KernelRunner.ClassicCase] = []
        for _ in 0..<1500 {
            let length = random.oneIn(4) ? Int.random(in: 1...40, using: &random) : 300
            var generator = ClassicGenerator(
                random: RandomSource(seed: random.next()), onlyCommon: false, packetLength: length)
            let body = generator.program(endingWith: [])
            let packet = random.bytes(length)
            for epilogue in byteEpilogues {
                cases.append(.init(instructions: body + epilogue.map { Instruction($0) }, packet: packet))
            }
        }
        let answers = try KernelRunner.run(cases, on: .unix)
        for (index, (test, answer)) in zip(cases, answers).enumerated() {
            let ours = try ClassicMachine().run(Program(test.instructions), on: Packet(test.packet))
            #expect(visible(ours, of: test.packet.count) == answer, "seed \(seed), case \(index): \(test.instructions)")
        }
        // The programs must not all end early, or the test would show nothing.
        #expect(answers.count { $0 > 1 } > answers.count / 4)
    }

    @Test func bytesOutsideTheLinearPartCountEverywhere() throws {
        // A datagram this long has a linear part of 16 KiB at most; its network header is taken to be at its start.
        // It begins with two netlink attributes, the second of type 1, which a search in a linear packet would find.
        let attributes = [4, 9, 4, 1].flatMap { (half: UInt16) in withUnsafeBytes(of: half) { Array($0) } }
        let packet = attributes + (8..<40_000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }
        let message = Packet(packet, linearLength: 15_000)
        let offsets: [UInt32] = [0, 39_990, 39_999, 40_000, 0xfff0_0000, 0xfff0_9c3f, 0xfff0_9c40, 0xffe0_0000]
        let programs: [[Operation]] =
            offsets.map { [.load(.absolute(.byte, $0))] + byteEpilogues[0] }
            + offsets.map { [.loadIndex(.headerLength($0)), .transferXToA] + byteEpilogues[0] }
            + [[.load(.immediate(0)), .loadIndex(.immediate(1)), .load(.extension(.nla))] + byteEpilogues[0]]
        let cases = programs.map { KernelRunner.ClassicCase(instructions: $0.map { Instruction($0) }, packet: packet) }
        for (test, answer) in zip(cases, try KernelRunner.run(cases, on: .unix)) {
            let ours = try ClassicMachine(byteOrder: .host).run(Program(test.instructions), on: message)
            #expect(visible(ours, of: packet.count) == answer, "\(test.instructions)")
        }
    }

    @Test func netlinkSearchesFindTheSameAttributes() throws {
        var random = RandomSource(seed: seed)
        var cases: [KernelRunner.ClassicCase] = []
        for _ in 0..<150 {
            let packet = attributes(&random, upTo: 256)
            for ext in [Extension.nla, .nlan] {
                for _ in 0..<10 {
                    let start = random.oneIn(3) ? UInt32.random(in: 0...260, using: &random) : 0
                    let type = UInt32.random(in: 0...4, using: &random) | (random.oneIn(8) ? 0x4000 : 0)
                    let program: [Operation] =
                        [.load(.immediate(start)), .loadIndex(.immediate(type)), .load(.extension(ext))]
                        + byteEpilogues[0]
                    cases.append(.init(instructions: program.map { Instruction($0) }, packet: packet))
                }
            }
        }
        let answers = try KernelRunner.run(cases, on: .unix)
        for (index, (test, answer)) in zip(cases, answers).enumerated() {
            let ours = try ClassicMachine(byteOrder: .host).run(Program(test.instructions), on: Packet(test.packet))
            #expect(visible(ours, of: test.packet.count) == answer, "seed \(seed), case \(index)")
        }
        #expect(answers.count { $0 > 1 } > answers.count / 20)
    }

    /// Netlink attributes one behind the other, some nested, some spoiled.
    private func attributes(_ random: inout RandomSource, upTo limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit - 40 {
            let payload = random.oneIn(2) && limit > 60 ? attributes(&random, upTo: 60) : random.bytes(5)
            var length = UInt16(4 + payload.count)
            if random.oneIn(20) { length = UInt16.random(in: 0...300, using: &random) }
            let flags: UInt16 = random.oneIn(3) ? 0x8000 : random.oneIn(3) ? 0x4000 : 0
            for half in [length, UInt16.random(in: 0...4, using: &random) | flags] {
                bytes += withUnsafeBytes(of: half) { Array($0) }
            }
            bytes += payload
            while bytes.count % 4 != 0 { bytes.append(0) }
        }
        // Also packets that end within an attribute.
        return random.oneIn(2) ? bytes : Array(bytes.dropLast(Int.random(in: 0...5, using: &random)))
    }

    @Test func withoutAnInterfaceTheFilterEndsWithA() throws {
        let programs: [[Operation]] = [.ifidx, .hatype].map {
            [.load(.immediate(77)), .load(.extension($0)), .result(.constant(5))]
        }
        let packet = [UInt8](repeating: 1, count: 100)
        let cases = programs.map { KernelRunner.ClassicCase(instructions: $0.map { Instruction($0) }, packet: packet) }
        let answers = try KernelRunner.run(cases, on: .unix)
        #expect(answers == [77, 77])
        for test in cases {
            #expect(try ClassicMachine().run(Program(test.instructions), on: Packet(packet)) == 77)
        }
    }

    /// Frames to the loopback interface, and what a packet socket there finds besides their bytes.
    @Test(arguments: ["ip", "vlan", "broadcast", "multicast", "length", "novell"])
    func metadataOnAPacketSocket(_ kind: String) throws {
        let payload = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        let (destination, type): ([UInt8], [UInt8]) =
            switch kind {
            case "broadcast": ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [8, 0])
            case "multicast": ([1, 0, 0x5e, 0, 0, 1], [0x86, 0xdd])
            case "length": ([0, 0, 0, 0, 0, 0], [1, 0x2c])
            case "novell": ([0, 0, 0, 0, 0, 0], [1, 0x2c, 0xff, 0xff])
            case "vlan": ([0, 0, 0, 0, 0, 0], [0x81, 0, 0x60, 5, 8, 0])
            default: ([0, 0, 0, 0, 0, 0], [8, 0])
            }
        let frame = destination + [0, 0, 0, 0, 0, 0] + type + payload
        var seen = Packet(ethernet: destination + [0, 0, 0, 0, 0, 0] + type.suffix(kind == "novell" ? 4 : 2) + payload)
        seen.metadata.interface = .init(index: 1, hardwareType: 772)
        seen.metadata.mark = 0xa1b2_c3d4
        // The loopback interface's own broadcast address is all zeros, so this one is multicast to it.
        if kind == "broadcast" {
            #expect(seen.metadata.packetType == 1)
            seen.metadata.packetType = 2
        }
        if kind == "vlan" { seen.metadata.vlan = .init(tci: 0x6005) }

        let sources: [Operation.Source] =
            [.proto, .type, .ifidx, .mark, .queue, .hatype, .rxhash, .vlanTCI, .vlanAvail, .vlanTPID].map {
                .extension($0)
            } + [0, 12, 14, 0xfff0_0000, 0xffe0_000c].map { .absolute(.half, $0) } + [.length]
        let cases = sources.flatMap { source in
            byteEpilogues.map { epilogue in
                KernelRunner.ClassicCase(
                    instructions: ([.load(source)] + epilogue).map { Instruction($0) }, packet: frame,
                    mark: 0xa1b2_c3d4)
            }
        }
        for (test, answer) in zip(cases, try KernelRunner.run(cases, on: .packet)) {
            let ours = try ClassicMachine().run(Program(test.instructions), on: seen)
            #expect(visible(ours, of: seen.bytes.count) == answer, "\(test.instructions[0])")
        }
    }

    @Test func headersBeforeThePacketAreReached() throws {
        let payload = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        let ip: [UInt8] = [0x45, 0, 1, 0x48, 0, 0, 0x40, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]
        let ethernet: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]
        let udp: [UInt8] = [0, 9, 0, 9, 1, 0x34, 0, 0]
        let seen = Packet(
            udp + payload, headroom: ethernet + ip, networkHeaderOffset: -20, linkLayerHeaderOffset: -34)
        let network = HeaderArea.network.rawValue
        let linkLayer = HeaderArea.linkLayer.rawValue
        // Neither the identification nor the checksums, which the sender chooses.
        let loads: [(Operation.Size, UInt32)] = [
            (.byte, 0), (.half, 2), (.word, 8), (.byte, 8 + 299), (.byte, 8 + 300), (.half, network),
            (.half, network + 2), (.byte, network + 8), (.byte, network + 9), (.word, network + 12),
            (.word, network + 18), (.word, network + 20), (.byte, network + 327), (.byte, network + 328),
            (.half, linkLayer + 12), (.word, linkLayer + 30), (.byte, linkLayer + 341), (.byte, linkLayer + 342),
        ]
        let cases = loads.flatMap { size, offset in
            byteEpilogues.map { epilogue in
                // A UDP socket keeps the 8 bytes of the header, whatever the filter says.
                let program: [Operation] =
                    [.load(.absolute(size, offset))] + epilogue.dropLast()
                    + [.arithmetic(.add, .constant(8)), .result(.a)]
                return KernelRunner.ClassicCase(instructions: program.map { Instruction($0) }, packet: payload)
            }
        }
        for (test, answer) in zip(cases, try KernelRunner.run(cases, on: .udp)) {
            let ours = try ClassicMachine().run(Program(test.instructions), on: seen)
            #expect(visible(ours, of: seen.bytes.count) == answer, "\(test.instructions)")
        }
    }
}
