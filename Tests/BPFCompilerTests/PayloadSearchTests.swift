import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import TestSupport
import Testing

/// The search for the payload, coded out, against the classic interpreter, which is held to the kernel.
@Suite struct PayloadSearchTests {
    static let targets: [Target] = [
        .socket, .tc(match: .shot), .tcxEgress(match: .drop), .xdp(match: .drop, noMatch: .aborted),
        .xdpFrags(match: .drop), .cgroupIngress(match: .deny), .lwtXmit(match: .drop), .netfilter(match: .drop),
        .function(.tc), .tpBTF("netif_receive_skb"),
    ]

    private static let finding = try! ClassicBPF.Program([
        Instruction(.load(.extension(.poff))), Instruction(.result(.a)),
    ])

    /// A program that compares what it finds with the packet's mark or, on XDP, its first four bytes: 7 stands for yes.
    private static func comparing(on hook: Hook) throws -> ClassicBPF.Program {
        try ClassicBPF.Program([
            Instruction(.load(hook.context == .xdp ? .absolute(.word, 0) : .extension(.mark))),
            Instruction(.transferAToX), Instruction(.load(.extension(.poff))),
            Instruction(.branch(.equal, .index, jt: 0, jf: 1)),
            Instruction(.result(.constant(7))), Instruction(.result(.constant(0))),
        ])
    }

    private static func context(of hook: Hook) -> ContextKind {
        switch hook.context {
        case .xdp: .xdp
        case .netfilter: .netfilter
        case .tracing: .tracing
        default: .socketBuffer
        }
    }

    /// The packet as the hook can have it, with what is expected to be found where the program looks for that.
    private static func packet(_ frame: [UInt8], on hook: Hook, using random: inout SeededGenerator) throws -> Packet {
        var frame = frame
        if hook.context == .xdp {
            let found = try ClassicMachine().run(finding, on: Packet(ethernet: frame))
            frame[0...3] = [24, 16, 8, 0].map { UInt8(found >> $0 & 0xff) }[...]
            let linearLength = hook == .xdp ? nil : Int.random(in: 14...frame.count, using: &random)
            return Packet(frame, linearLength: linearLength, networkHeaderOffset: 14, linkLayerHeaderOffset: 0)
        }
        // It may begin anywhere from its Ethernet header on, tag beside the bytes or among them.
        let whole = Packet(ethernet: frame)
        var start = hook.linkLayer == .ethernet ? 0 : 14
        if random.chance(20) { start = min(frame.count, .random(in: 0...80, using: &random)) }
        let length = frame.count - start
        var packet = Packet(
            Array(frame[start...]),
            linearLength: random.chance(30) ? Int.random(in: 0...length, using: &random) : length,
            headroom: Array(frame[..<start]), networkHeaderOffset: 14 - start, linkLayerHeaderOffset: -start,
            metadata: whole.metadata)
        if random.chance(20) {
            packet.metadata.vlan = .init(
                tci: .random(in: 0...2, using: &random),
                tpid: random.pick([0x8100, 0x88a8, packet.metadata.protocol, 0, 0x0800]))
        }
        let shown = hook.context == .tracing ? shownByTracing(packet) : packet
        packet.metadata.mark = try ClassicMachine().run(finding, on: shown)
        return packet
    }

    /// At tracepoints packets begin with their Ethernet header, wherever they do for the kernel.
    private static func shownByTracing(_ packet: Packet) -> Packet {
        let headroom = packet.headroom.count
        return Packet(
            packet.headroom + packet.bytes, linearLength: packet.linearLength + headroom, networkHeaderOffset: 14,
            linkLayerHeaderOffset: 0, metadata: packet.metadata)
    }

    @Test(arguments: targets, [ExtendedBPF.ByteOrder.little, .big])
    func thePayloadIsFoundWhereTheClassicSearchFindsIt(target: Target, order: ExtendedBPF.ByteOrder) throws {
        var random = SeededGenerator(for: "poff \(target.hook) \(order)")
        var frames = LayeredFrames(random)
        let filter = try Self.comparing(on: target.hook)
        let kernel = target.hook.needsGPL ? nil : max(KernelVersion(6, 5), target.hook.minimumKernel)
        for isa in InstructionSet.allCases {
            let program = try Compiler.compile(
                filter, for: target, options: CompilerOptions(isa: isa, byteOrder: order, kernel: kernel))
            #expect(program.functions.last!.name.hasSuffix("_poff_read"))
            var found = 0
            for _ in 0..<300 {
                var packet = try Self.packet(frames.next(), on: target.hook, using: &random)
                func run() throws -> UInt32 {
                    try ExtendedMachine(byteOrder: order).run(
                        program, on: packet, context: Self.context(of: target.hook))
                }
                var (match, noMatch): (UInt32, UInt32) = target.hook.isFunction ? (1, 0) : (7, 0)
                if case .verdict(let first, let second) = target.result {
                    (match, noMatch) = (first.value, second.value)
                }
                #expect(try run() == match, "\(packet)")
                if packet.metadata.mark > 0 || target.hook.context == .xdp, packet.bytes.prefix(4) != [0, 0, 0, 0] {
                    found += 1
                }
                if target.hook.context != .xdp {
                    packet.metadata.mark ^= 1
                    #expect(try run() == noMatch, "\(packet)")
                }
            }
            #expect(found > 100)
        }
    }

    /// In a view with the tag elsewhere the payload is where the view has it.
    @Test func viewsMoveThePayload() throws {
        let filter = Self.finding
        let frame = Frames.named("tcp syn to 80").bytes
        let tagged = Array(frame[..<12] + [0x81, 0, 0, 5] + frame[12...])
        let options = CompilerOptions(kernel: KernelVersion(6, 5))
        var beside = Packet(ethernet: frame)
        beside.metadata.vlan = .init(tci: 5)
        for (view, packet, expected) in [
            (VLANView.bytes, beside, 54), (.wire, beside, 58), (.stripped, beside, 54),
            (.bytes, Packet(ethernet: tagged), 58), (.wire, Packet(ethernet: tagged), 58),
            (.stripped, Packet(ethernet: tagged), 54), (.wire, Packet(ethernet: frame), 54),
        ] as [(VLANView, Packet, UInt32)] {
            let program = try Compiler.compile(filter, for: .socket.showing(vlan: view), options: options)
            #expect(try ExtendedMachine().run(program, on: packet) == expected, "\(view)")
        }
        // What is not found is not moved.
        beside.metadata.protocol = 0x9999
        let program = try Compiler.compile(filter, for: .socket.showing(vlan: .wire), options: options)
        #expect(try ExtendedMachine().run(program, on: beside) == 0)
    }

    /// The kernel counts in 16 bits: what it found of the same packets, sent whole as segments to be (Linux 6.18).
    @Test(arguments: [65_535: 74, 65_536: 32, 65_560: 44, 65_580: 64, 65_600: 74] as [Int: UInt32])
    func lengthsOverSixteenBitsCountAsTheKernelCountsThem(length: Int, expected: UInt32) throws {
        let addresses = [0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 12)
        let ip: [UInt8] = [0x60, 0, 0, 0, 0xff, 0xff, 6, 64] + addresses + addresses
        let tcp = [UInt8](repeating: 0, count: 12) + [0x50, 0x10]
        let header = [UInt8](repeating: 0xff, count: 12) + [0x86, 0xdd] + ip + tcp
        let packet = Packet(ethernet: header + [UInt8](repeating: 0, count: length - header.count))
        #expect(try ClassicMachine().run(Self.finding, on: packet) == expected)
        let options = CompilerOptions(kernel: KernelVersion(6, 5))
        let program = try Compiler.compile(Self.finding, for: .socket, options: options)
        #expect(try ExtendedMachine().run(program, on: packet) == expected)
    }

    /// The payload is looked for once, however often it is asked for, and on kernels that follow other headers not at
    /// all.
    @Test func thereIsOneSearch() throws {
        let filter = try ClassicBPF.Program([
            Instruction(.load(.extension(.poff))), Instruction(.transferAToX),
            Instruction(.load(.indirect(.byte, 0))), Instruction(.store(0)),
            Instruction(.load(.extension(.poff))), Instruction(.transferAToX),
            Instruction(.load(.memory(0))), Instruction(.arithmetic(.add, .index)), Instruction(.result(.a)),
        ])
        let options = CompilerOptions(kernel: KernelVersion(6, 5))
        let program = try Compiler.compile(filter, for: .cgroupIngress(match: .deny), options: options)
        let calls = program.entry.references.values.filter { $0 == .function("filter_poff") }
        #expect(calls.count <= 2, "one for each way to read packets")
        let error = #expect(throws: CompilerError.self) {
            try Compiler.compile(filter, for: .socket, options: CompilerOptions(kernel: KernelVersion(6, 4)))
        }
        #expect(
            error?.description
                == "instruction 0: the extension poff needs Linux 6.5, the program is to run on 6.4 too")
    }
}
