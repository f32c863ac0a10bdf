import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import Testing

/// What is known of a packet, and what both machines make of it where no kernel here can be the judge.
struct PacketTests {
    private let frame: [UInt8] = [1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 1]

    @Test(
        arguments: [
            ([0x08, 0x00], 0x0800), ([0x86, 0xdd], 0x86dd), ([0x81, 0x00, 0, 5, 8, 0], 0x8100), ([0x06, 0x00], 0x0600),
            ([0x05, 0xff, 0xaa, 0xaa], 4), ([0x05, 0xff, 0xff, 0xff], 1), ([0x05, 0xff], 4), ([0x08], 0),
        ] as [([UInt8], UInt16)])
    func protocolOfAnEthernetFrame(_ type: [UInt8], _ expected: UInt16) {
        let packet = Packet(ethernet: frame + type)
        #expect(packet.metadata.protocol == expected)
        #expect(packet.metadata.packetType == 2)
        #expect(packet.networkHeaderOffset == 14)
        #expect(packet.linkLayerHeaderOffset == 0)
    }

    private var known: Packet {
        var packet = Packet([9, 8, 7, 6])
        packet.metadata.protocol = 0x0806
        packet.metadata.packetType = 3
        packet.metadata.interface = .init(index: 7, hardwareType: 772)
        packet.metadata.ingressInterface = 8
        packet.metadata.mark = 0x8000_0001
        packet.metadata.priority = 11
        packet.metadata.queueMapping = 0xfffe
        packet.metadata.hash = 0xdead_beef
        packet.metadata.vlan = .init(tci: 0xa005, tpid: 0x88a8)
        packet.metadata.tcIndex = 12
        packet.metadata.tcClassID = 13
        packet.metadata.cpu = 3
        packet.metadata.random = 0x9999_9999
        packet.metadata.monotonicTime = 0x5555_4444
        return packet
    }

    @Test(
        arguments: [
            (.proto, 0x0806), (.type, 3), (.ifidx, 7), (.mark, 0x8000_0001), (.queue, 0xfffe), (.hatype, 772),
            (.rxhash, 0xdead_beef), (.cpu, 3), (.vlanTCI, 0xa005), (.vlanAvail, 1), (.rand, 0x9999_9999),
            (.vlanTPID, 0x88a8),
        ] as [(Extension, UInt32)])
    func extensions(_ ext: Extension, _ expected: UInt32) throws {
        let program = try ClassicBPF.Program([.init(.load(.extension(ext))), .init(.result(.a))])
        #expect(try ClassicMachine().run(program, on: known) == expected)
    }

    /// The offsets are those of `struct __sk_buff` in `<linux/bpf.h>`; two fields are in network order.
    @Test(
        arguments: [
            (0, 4, 4), (4, 3, 3), (8, 0x8000_0001, 0x8000_0001), (12, 0xfffe, 0xfffe), (16, 0x0608, 0x0806), (20, 1, 1),
            (24, 0xa005, 0xa005), (28, 0xa888, 0x88a8), (32, 11, 11), (36, 8, 8), (40, 7, 7), (44, 12, 12), (48, 0, 0),
            (68, 0xdead_beef, 0xdead_beef), (72, 13, 13),
        ] as [(Int16, UInt32, UInt32)])
    func contextFields(_ offset: Int16, _ little: UInt32, _ big: UInt32) throws {
        let load = program([.load(.word, .r0, .r1, offset), .exit])
        #expect(try ExtendedMachine(byteOrder: .little).run(load, on: known) == little)
        #expect(try ExtendedMachine(byteOrder: .big).run(load, on: known) == big)
    }

    @Test(arguments: [(5, 0x5555_4444), (7, 0x9999_9999), (8, 3)] as [(Int32, UInt32)])
    func helpersWithoutArguments(_ helper: Int32, _ expected: UInt32) throws {
        #expect(try ExtendedMachine().run(program([.call(helper: helper), .exit]), on: known) == expected)
    }

    @Test func helpersReachBeyondTheLinearPartByThePacketsLengthOnly() throws {
        let packet = Packet([1, 2, 3, 4], linearLength: 2, linkLayerHeaderOffset: 0)
        for (helper, expected): (Int32, UInt32) in [(26, 0x0403), (68, 0)] {
            var code: [ExtendedBPF.Instruction] = [.move64(.r6, .r1)]
            code += ExtendedBPF.Instruction.loadBytes(2, toStackBelow: 4, count: 2).dropLast()
            code += [.move64(.r5, 1), .call(helper: helper), .load(.halfword, .r0, .r10, -4), .exit]
            #expect(try ExtendedMachine().run(program(code), on: packet) == expected)
        }
    }

    /// What a host of the other byte order would see; RFC 9669 §4.2 and the order of bytes in memory define it.
    @Test(
        arguments: [
            ([.bigEndian(.r0, bits: 16)], 0xc3d4), ([.raw(0xd4, imm: 16)], 0xd4c3),
            ([.raw(0xd7, imm: 32)], 0xd4c3_b2a1),
            ([.store(.doubleword, .r10, -8, .r0), .load(.byte, .r0, .r10, -8)], 0x01),
            ([.store(.doubleword, .r10, -8, .r0), .load(.halfword, .r0, .r10, -2)], 0xc3d4),
        ] as [([ExtendedBPF.Instruction], UInt32)])
    func bigEndianHost(_ instructions: [ExtendedBPF.Instruction], _ expected: UInt32) throws {
        let code = program([.loadWide(.r0, 0x0102_0304_a1b2_c3d4)] + instructions + [.exit])
        #expect(try ExtendedMachine(byteOrder: .big).run(code, on: Packet([])) == expected)
    }

    @Test func netlinkAttributesAreReadInTheHostsOrder() throws {
        let program = try ClassicBPF.Program([
            .init(.loadIndex(.immediate(2))), .init(.load(.extension(.nla))), .init(.result(.a)),
        ])
        let big: [UInt8] = [0, 5, 0, 1, 9, 0, 0, 0, 0, 4, 0, 2]
        let little: [UInt8] = [5, 0, 1, 0, 9, 0, 0, 0, 4, 0, 2, 0]
        #expect(try ClassicMachine(byteOrder: .big).run(program, on: Packet(big)) == 8)
        #expect(try ClassicMachine(byteOrder: .little).run(program, on: Packet(little)) == 8)
        #expect(try ClassicMachine(byteOrder: .little).run(program, on: Packet(big)) == 0)
    }

    @Test func headersFarOutsideAreNotReached() throws {
        for distance in [Int.max, .min] {
            let packet = Packet([1, 2], networkHeaderOffset: distance, linkLayerHeaderOffset: distance)
            for area in HeaderArea.allCases {
                let program = try ClassicBPF.Program([
                    .init(.load(.absolute(.byte, area.rawValue + 1))), .init(.result(.constant(1))),
                ])
                #expect(try ClassicMachine().run(program, on: packet) == 0)
            }
        }
    }

    @Test func instructionsAreCounted() throws {
        let classic = try ClassicBPF.Program([
            .init(.load(.absolute(.byte, 0))), .init(.branch(.equal, .constant(9), jt: 1, jf: 0)),
            .init(.result(.constant(0))), .init(.result(.constant(5))),
        ])
        #expect(try ClassicMachine().execute(classic, on: known) == Execution(result: 5, instructionCount: 3))
        let extended = program([.loadWide(.r0, 5), .jump(1), .move64(.r0, 0), .exit])
        #expect(try ExtendedMachine().execute(extended, on: known) == Execution(result: 5, instructionCount: 3))
        // A call of a helper or kernel function is one, whatever it does.
        let calling = Program(functions: [
            Function(
                name: "filter", instructions: [.raw(0x85, .r0, .r2), .call(helper: 8), .exit],
                references: [0: .kernelFunction("bpf_cast_to_kern_ctx")])
        ])
        #expect(try ExtendedMachine().execute(calling, on: known) == Execution(result: 3, instructionCount: 3))
    }

    /// What no kernel here can show: a host of the other byte order, no device, no headers.
    @Test func membersOfTheKernelsStructures() throws {
        var bare = Packet([1, 2, 3, 4], linearLength: 3, networkHeaderOffset: .min)
        bare.metadata.packetType = 5
        bare.metadata.protocol = 0x0800
        bare.metadata.vlan = .init(tci: 0x0203, tpid: 0x88a8)
        let cases: [(member: String, size: Size, little: UInt32, big: UInt32)] = [
            ("__pkt_type_offset", .byte, 5, 0xa0), ("protocol", .halfword, 0x0008, 0x0800),
            ("vlan_all", .word, 0x0203_a888, 0x88a8_0203), ("vlan_proto", .halfword, 0xa888, 0x88a8),
            ("vlan_tci", .halfword, 0x0203, 0x0203), ("mac_header", .halfword, 0xffff, 0xffff),
            ("network_header", .halfword, 0xffff, 0xffff), ("dev", .doubleword, 0, 0), ("data_len", .word, 1, 1),
        ]
        for (member, size, little, big) in cases {
            let program = kernelProgram([.load(size, .r0, .r0, 0), .exit], [1: ("sk_buff", member)])
            #expect(try ExtendedMachine(byteOrder: .little).run(program, on: bare) == little)
            #expect(try ExtendedMachine(byteOrder: .big).run(program, on: bare) == big)
        }
        let ofNoDevice = kernelProgram(
            [.load(.doubleword, .r1, .r0, 0), .load(.word, .r0, .r1, 0), .exit],
            [1: ("sk_buff", "dev"), 2: ("net_device", "ifindex")])
        #expect(try ExtendedMachine().run(ofNoDevice, on: bare) == 0)
    }

    /// What lies behind the packet is the caller's choice, so that a program can be shown to depend on it.
    @Test func strayBytes() throws {
        let packet = Packet([1, 2, 3, 4], linearLength: 3)
        for (offset, expected): (Int16, UInt32) in [
            (0, 0xee03_0201), (2, 0xeeee_ee03), (3, 0xeeee_eeee), (-1, 0x0302_01ee),
        ] {
            let program = kernelProgram(
                [.load(.doubleword, .r1, .r0, 0), .load(.word, .r0, .r1, offset), .exit], [1: ("sk_buff", "data")])
            #expect(try ExtendedMachine(strayByte: 0xee).run(program, on: packet) == expected)
        }
    }

    /// A program that begins with a cast of the context and names members by index of the instruction.
    private func kernelProgram(
        _ code: [ExtendedBPF.Instruction], _ members: [Int: (structure: String, member: String)]
    ) -> ExtendedBPF.Program {
        var references = members.mapValues { Reference.kernelField(structure: $0.structure, member: $0.member) }
        references[0] = .kernelFunction("bpf_cast_to_kern_ctx")
        return Program(functions: [
            Function(name: "filter", instructions: [.raw(0x85, .r0, .r2)] + code, references: references)
        ])
    }
}
