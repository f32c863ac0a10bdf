import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import FilterComparison
import Pcap
import TestSupport
import Testing

/// A program that shows its filter a view decides as the classic machine does on the packet that the view is of.
@Suite struct VLANViewTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var target: Target
        var isa = InstructionSet.v3
        var passes = Optimizer.passNames
        var order = ExtendedBPF.ByteOrder.little

        var isXDP: Bool { target.hook.context == .xdp }
        var testDescription: String { "\(target.hook) \(target.vlan!) \(isa) \(passes) \(order)" }
    }

    static let cases: [Case] = [VLANView.bytes, .wire, .stripped].flatMap { view in
        [
            Case(target: .xdp(match: .drop)), Case(target: .xdpFrags(match: .drop)), Case(target: .tc(match: .shot)),
            Case(target: .tc(match: .ok, noMatch: .shot)), Case(target: .tcxEgress(match: .drop)),
            Case(target: .socket), Case(target: .cgroupIngress(match: .deny)), Case(target: .function(.tc)),
            Case(target: .xdp(match: .drop), isa: .v1), Case(target: .socket, isa: .v1),
            Case(target: .xdp(match: .drop), passes: []), Case(target: .tc(match: .shot), passes: []),
            Case(target: .socket, order: .big), Case(target: .tc(match: .shot), order: .big),
        ].map { test in
            var test = test
            test.target.vlan = view
            return test
        }
    }

    @Test(arguments: cases) func randomFiltersSeeTheView(_ test: Case) throws {
        var generator = SeededGenerator(for: test.testDescription)
        let maker = RandomProgram(allowing: test.target.hook.extensions)
        var withTag = 0
        for _ in 0..<80 {
            let filter = maker.next(using: &generator)
            let program = try compile(filter, test)
            for _ in 0..<4 {
                let packet = randomPacket(test, using: &generator)
                let shown = shown(packet, test)
                if shown != packet { withTag += 1 }
                try compare(filter, program, packet, shown, test)
            }
        }
        let isMoved = test.target.vlan != .bytes && test.target.hook.linkLayer == .ethernet
        #expect((withTag > 12) == (isMoved && !(test.isXDP && test.target.vlan == .wire)))
    }

    /// Every load from every place around the tag, absolute, behind an index that can be anything, and relative to the
    /// link-layer header.
    @Test(
        arguments: cases.filter { $0.isa == .v3 && $0.order == .little && $0.target.vlan != .bytes && $0.passes != [] })
    func everyPlaceIsRight(_ test: Case) throws {
        var generator = SeededGenerator(for: test.testDescription)
        for size in ClassicBPF.Operation.Size.allCases {
            for offset in 8..<18 as Range<UInt32> {
                let filters: [[ClassicBPF.Operation]] =
                    [
                        [.load(.absolute(size, offset)), .result(.a)],
                        [.load(.absolute(size, HeaderArea.linkLayer.rawValue + offset)), .result(.a)],
                        [.load(.absolute(size, HeaderArea.network.rawValue + offset)), .result(.a)],
                        [.loadIndex(.headerLength(offset)), .load(.indirect(size, offset)), .result(.a)],
                    ]
                    + [offset, offset + HeaderArea.linkLayer.rawValue, 0 &- offset].map { start in
                        [
                            .load(.absolute(.byte, 0)), .arithmetic(.add, .constant(start)), .transferAToX,
                            .load(.indirect(size, 3)), .result(.a),
                        ]
                    }
                for operations in filters {
                    let filter = try ClassicBPF.Program(operations.map { ClassicBPF.Instruction($0) })
                    let program = try compile(filter, test)
                    for index in 0..<4 as Range<UInt8> {
                        let packet = randomPacket(test, beginningWith: index * 3, using: &generator)
                        try compare(filter, program, packet, shown(packet, test), test)
                    }
                }
            }
        }
    }

    /// Expressions and real frames; and what tells tagged packets from others does so where the tag is to be seen.
    @Test(arguments: cases.filter { $0.target.hook.linkLayer == .ethernet })
    func expressionsSeeTheView(_ test: Case) throws {
        let texts = [
            "vlan", "vlan 5 and icmp", "vlan 5 and vlan 7", "not vlan", "icmp or (vlan and icmp)",
            "vlan and tcp port 80", "tcp port 80", "greater 60", "ether host 02:00:00:00:00:01", "ip[0] & 15 > 5",
            "", "ip6 protochain 6",
        ]
        for text in texts {
            let filter = try ExpressionCompiler(linkType: .ethernet).compile(text)
            let program = try compile(filter, test)
            for frame in Frames.all {
                let packet = received(frame.bytes, test)
                try compare(filter, program, packet, shown(packet, test), test, text)
            }
        }
    }

    /// With the tag out of view XDP and tc ingress answer alike, and as for the packet that never had a tag.
    @Test func strippedIsTheSameWhereverTheTagIs() throws {
        for expression in Corpus.expressions where expression.linkType == "EN10MB" {
            let filter = try ExpressionCompiler(linkType: .ethernet).compile(expression.text)
            guard let onXDP = try? Compiler.compile(filter, for: .function(.xdp).showing(vlan: .stripped)),
                let onTC = try? Compiler.compile(filter, for: .function(.tc).showing(vlan: .stripped))
            else { continue }
            for frame in Frames.all where frame.bytes.count >= 14 {
                let bare = try ClassicMachine().run(filter, on: Packet(ethernet: frame.bytes))
                guard !Self.hasTag(frame.bytes) else { continue }
                for tpid: UInt16 in [0x8100, 0x88a8] {
                    let tag = [UInt8(tpid >> 8), UInt8(tpid & 0xff), 0x20, 5]
                    let tagged = Array(frame.bytes[..<12] + tag + frame.bytes[12...])
                    let xdp = try ExtendedMachine().run(onXDP, on: Packet(ethernet: tagged), context: .xdp)
                    var packet = Packet(ethernet: frame.bytes)
                    packet.metadata.vlan = .init(tci: 0x2005, tpid: tpid)
                    let tc = try ExtendedMachine().run(onTC, on: packet)
                    #expect(xdp == (bare == 0 ? 0 : 1), "\(expression) on \(frame)")
                    #expect(tc == (bare == 0 ? 0 : 1), "\(expression) on \(frame)")
                }
            }
        }
    }

    /// Where programs see packets of both kinds, what begins with an IP header has no tag, and none is looked for in the
    /// sender's address.
    @Test(arguments: [VLANView.wire, .stripped], [Target.rawTP("netif_receive_skb"), .tpBTF("netif_receive_skb")])
    func addressesAreNotTakenForTags(_ view: VLANView, _ target: Target) throws {
        let compiler = ExpressionCompiler(linkType: .rawIP)
        let program = try Compiler.compile(
            ExpressionCompiler(linkType: .ethernet).compile("vlan"), orForIP: compiler.compile("src net 129.0.0.0/16"),
            for: target.showing(vlan: view))
        for sender: [UInt8] in [[129, 0, 0, 1], [136, 168, 0, 1], [10, 0, 0, 1]] {
            var packet = Packet(
                [0x45] + [UInt8](repeating: 0, count: 11) + sender + [10, 0, 0, 2], metadata: Metadata())
            for tag in [nil, Metadata.VLANTag(tci: 5)] {
                packet.metadata.vlan = tag
                let result = try ExtendedMachine().run(program, on: packet, context: target.hook.machineContext)
                #expect(result == (sender[0] == 129 ? 1 : 0))
            }
        }
    }

    // MARK: Packets

    private func shown(_ packet: Packet, _ test: Case) -> Packet {
        packet.shown(in: test.target.vlan!, on: test.target.hook)
    }

    private static func hasTag(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 14 && (Array(bytes[12..<14]) == [0x81, 0] || Array(bytes[12..<14]) == [0x88, 0xa8])
    }

    private func randomPacket(
        _ test: Case, beginningWith first: UInt8? = nil, using generator: inout SeededGenerator
    ) -> Packet {
        var bytes: [UInt8]
        // The kernel has no shorter Ethernet packets, nor such as end within a tag.
        repeat {
            bytes = TestSupport.randomPacket(using: &generator)
        } while bytes.count < 14 || Self.hasTag(bytes) && bytes.count < 16
        if let first { bytes[0] = first }
        let isCut = test.target.hook != .xdp && generator.chance(30)
        let linearLength = isCut ? Int.random(in: 0...bytes.count, using: &generator) : bytes.count
        // The network header is behind the tag.
        let inBytes = Self.hasTag(bytes) && test.target.vlan == .stripped
        var packet = Packet(bytes, linearLength: linearLength, networkHeaderOffset: 14, linkLayerHeaderOffset: 0)
        if !test.isXDP, generator.chance(50) {
            packet.metadata.vlan = Metadata.VLANTag(
                tci: UInt16.random(in: 0...0xffff, using: &generator), tpid: generator.pick([0x8100, 0x88a8]))
        } else if inBytes {
            packet.networkHeaderOffset = 18
        }
        if test.target.hook.linkLayer == .rawIP { packet.networkHeaderOffset = 0; packet.linkLayerHeaderOffset = nil }
        packet.metadata.interface = .init(index: 3)
        packet.metadata.mark = generator.interestingNumber()
        return packet
    }

    /// The packet that a frame on the wire becomes at the hook.
    private func received(_ frame: [UInt8], _ test: Case) -> Packet {
        guard Self.hasTag(frame), frame.count >= 20 else { return Packet(ethernet: frame) }
        var bytes = frame
        if test.isXDP {
            var packet = Packet(ethernet: frame)
            if test.target.vlan == .stripped { packet.networkHeaderOffset = 18 }
            return packet
        }
        bytes.removeSubrange(12..<16)
        var packet = Packet(ethernet: bytes)
        packet.metadata.vlan = Metadata.VLANTag(
            tci: UInt16(frame[14]) << 8 | UInt16(frame[15]), tpid: UInt16(frame[12]) << 8 | UInt16(frame[13]))
        return packet
    }

    // MARK: Programs

    private func compile(_ filter: ClassicBPF.Program, _ test: Case) throws -> ExtendedBPF.Program {
        try Compiler.compile(
            filter, for: test.target,
            options: CompilerOptions(isa: test.isa, byteOrder: test.order, passes: test.passes))
    }

    private func compare(
        _ filter: ClassicBPF.Program, _ program: ExtendedBPF.Program, _ packet: Packet, _ shown: Packet, _ test: Case,
        _ name: String = ""
    ) throws {
        let number = try ClassicMachine(byteOrder: test.order).run(filter, on: shown)
        let expected: UInt32 =
            switch test.target.result {
            case .number: number
            case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
            }
        let result = try ExtendedMachine(byteOrder: test.order).run(
            program, on: packet, context: test.isXDP ? .xdp : .socketBuffer)
        #expect(result == expected, "\(name) \(filter.instructions) on \(packet)")
    }
}
