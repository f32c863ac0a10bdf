import BPFInterpreter
import CPcap
import ClassicBPF
import Testing

/// The classic machine against libpcap's, where the two are to agree.
struct ClassicPcapTests {
    private func libpcapResult(_ instructions: [Instruction], _ packet: [UInt8]) -> UInt32 {
        let code = instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
        return bpf_filter(code, packet, UInt32(packet.count), UInt32(packet.count))
    }

    @Test func randomProgramsHaveTheSameResult() throws {
        var random = RandomSource(seed: seed)
        var results = 0
        for index in 0..<3000 {
            let length = Int.random(in: 1...80, using: &random)
            var generator = ClassicGenerator(
                random: RandomSource(seed: random.next()), onlyCommon: true, packetLength: length)
            let instructions = generator.program(endingWith: [.result(.a)])
            let packet = random.bytes(length)
            let theirs = libpcapResult(instructions, packet)
            let ours = try ClassicMachine().run(Program(instructions, satisfying: .libpcap), on: Packet(packet))
            #expect(ours == theirs, "seed \(seed), case \(index): \(instructions)")
            if theirs != 0 { results += 1 }
        }
        #expect(results > 1000)
    }

    /// The kernel refuses to attach a load from an unknown extension; for libpcap it is one outside the packet.
    @Test func unknownExtensionsAreOutsideThePacket() throws {
        let instructions = [.load(.absolute(.byte, Extension.base + 64)), .result(.constant(7))]
            .map { Instruction($0) }
        #expect(throws: ValidationError.self) { try Program(instructions) }
        let program = try Program(instructions, satisfying: .libpcap)
        let packet: [UInt8] = [1, 2, 3, 4]
        #expect(try ClassicMachine().run(program, on: Packet(packet)) == libpcapResult(instructions, packet))
    }

    /// The kernel, which judges the shifts by X elsewhere, refuses these; they are to mean the same.
    @Test(arguments: [Operation.ArithmeticOperator.shiftLeft, .shiftRight], [32, 40, UInt32.max])
    func longShiftsByAConstantAreShiftsByX(_ op: Operation.ArithmeticOperator, _ distance: UInt32) throws {
        let results = try [Operation.Operand.constant(distance), .index].map { operand in
            let program = try Program(
                [
                    .load(.immediate(0x8765_4321)), .loadIndex(.immediate(distance)), .arithmetic(op, operand),
                    .result(.a),
                ].map { Instruction($0) }, satisfying: .libpcap)
            return try ClassicMachine().run(program, on: Packet([]))
        }
        #expect(results[0] == results[1])
    }

    @Test(arguments: [
        "ip", "udp port 53", "tcp[tcpflags] & tcp-syn != 0", "ip6 and tcp", "host 10.0.0.1", "vlan 5 and icmp",
        "len > 60 and not arp", "net 10.0.0.0/8 or portrange 1-1000", "ip protochain 6", "ip[2:2] / 4 > 10",
        "ip6 protochain 17",
    ])
    func compiledExpressionsHaveTheSameResult(_ expression: String) throws {
        let instructions = try compile(expression)
        let program = try Program(instructions, satisfying: .libpcap)
        var random = RandomSource(seed: seed)
        for index in 0..<300 {
            let packet = frame(&random)
            let ours = try ClassicMachine().run(program, on: Packet(ethernet: packet))
            #expect(ours == libpcapResult(instructions, packet), "seed \(seed), case \(index)")
        }
    }

    private func compile(_ expression: String) throws -> [Instruction] {
        let handle = try #require(pcap_open_dead(DLT_EN10MB, 65_535))
        defer { pcap_close(handle) }
        var program = bpf_program()
        let status = pcap_compile(handle, &program, expression, 1, bpf_u_int32.max)
        try #require(status == 0, "\(String(cString: pcap_geterr(handle)))")
        defer { pcap_freecode(&program) }
        return (0..<Int(program.bf_len)).map { index in
            let instruction = program.bf_insns[index]
            return Instruction(code: instruction.code, jt: instruction.jt, jf: instruction.jf, k: instruction.k)
        }
    }

    /// A frame with headers that filters look at and that are often what they look for; sometimes cut short.
    private func frame(_ random: inout RandomSource) -> [UInt8] {
        var frame = random.bytes(12)
        if random.oneIn(4) { frame += [0x81, 0, 0, 5] }
        let ports: [UInt8] = [0, 53, 0, 80]
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            frame += [8, 0, 0x45, 0, 0, 60, 0, 0, 0, 0, 64, [1, 6, 17, 51].randomElement(using: &random)!, 0, 0]
            frame += [10, 0, 0, 1, 10, 0, 0, 2] + ports
        case 1:
            frame += [0x86, 0xdd, 0x60, 0, 0, 0, 0, 40, [0, 6, 17, 60].randomElement(using: &random)!, 64]
            frame += random.bytes(32) + [17, 0, 0, 0, 0, 0, 0, 0] + ports
        default: frame += [8, 6]
        }
        frame += random.bytes(40)
        return random.oneIn(3) ? Array(frame.prefix(Int.random(in: 1...frame.count, using: &random))) : frame
    }
}
