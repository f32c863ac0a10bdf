import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import TestSupport
import Testing

/// A loadable program decides as the classic filter does, each in its reference machine: random programs, random
/// packets, whole and cut.
@Suite struct InterpretedTests {
    /// What a loadable program has, and what depends on nothing but the packet.
    private static let extensions = Set(Extension.allCases).subtracting([.hatype, .nla, .nlan, .poff])

    private static let tcTargets: [Target] = [
        .tc(match: .shot), .tc(match: .ok, noMatch: .shot), .tc(match: .unspec, noMatch: .pipe),
        .socket(match: Verdict(value: 96)), .socket(match: Verdict(value: 0), noMatch: Verdict(value: 64)),
    ]

    @Test(arguments: [ExtendedBPF.ByteOrder.little, .big])
    func aSocketProgramGivesTheFiltersNumber(order: ExtendedBPF.ByteOrder) throws {
        try compare(.socket, order: order, programs: 1_500) { $0 }
    }

    @Test(arguments: tcTargets)
    func verdictsFollowTheFiltersNumber(target: Target) throws {
        guard case .verdict(let match, let noMatch) = target.result else {
            preconditionFailure("targets have verdicts")
        }
        try compare(target, order: .little, programs: 400) { $0 == 0 ? noMatch.value : match.value }
    }

    private func compare(
        _ target: Target, order: ExtendedBPF.ByteOrder, programs: Int, expecting expected: (UInt32) -> UInt32
    ) throws {
        var generator = SeededGenerator()
        let maker = RandomProgram(allowing: Self.extensions)
        var different: Set<UInt32> = []
        for _ in 0..<programs {
            let filter = maker.next(using: &generator)
            let program = try Translator.translate(filter, to: .loadable(target))
            for _ in 0..<4 {
                let packet = randomPacketWithMetadata(using: &generator)
                let number = try ClassicMachine(byteOrder: order).run(filter, on: packet)
                let result = try ExtendedMachine(byteOrder: order).run(program, on: packet)
                #expect(result == expected(number), "\(filter.instructions) on \(packet)")
                different.insert(number)
            }
        }
        #expect(different.count > programs / 10, "the filters tell packets apart")
    }

    private func randomPacketWithMetadata(using generator: inout SeededGenerator) -> Packet {
        var packet = Packet(ethernet: randomPacket(using: &generator))
        packet.metadata.packetType = UInt8.random(in: 0...4, using: &generator)
        if generator.chance(80) { packet.metadata.interface = .init(index: .random(in: 1...9, using: &generator)) }
        packet.metadata.mark = .random(in: 0 ... .max, using: &generator)
        packet.metadata.queueMapping = .random(in: 0 ... .max, using: &generator)
        packet.metadata.hash = .random(in: 0 ... .max, using: &generator)
        if generator.chance(50) {
            packet.metadata.vlan = .init(tci: .random(in: 0...0xffff, using: &generator), tpid: 0x8100)
        }
        packet.metadata.cpu = .random(in: 0...63, using: &generator)
        packet.metadata.random = .random(in: 0 ... .max, using: &generator)
        return packet
    }
}
