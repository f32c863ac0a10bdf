import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import TestSupport
import Testing

/// An optimised program decides as the classic filter does, each in its reference machine: random programs, random
/// packets, whole and cut, in one piece and in several, for each hook, instruction set and selection of passes.
@Suite struct CompiledProgramTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var target: Target
        var isa = InstructionSet.v3
        var passes = Optimizer.passNames
        var order = ExtendedBPF.ByteOrder.little

        var testDescription: String { "\(target.hook) \(isa) \(passes) \(order)" }
    }

    static let cases: [Case] =
        [
            Case(target: .xdp(match: .drop)), Case(target: .xdp(match: .drop, noMatch: .aborted)),
            Case(target: .xdpFrags(match: .drop)), Case(target: .tc(match: .shot)),
            Case(target: .tcxIngress(match: .drop)), Case(target: .cgroupIngress(match: .deny)),
            Case(target: .lwtIn(match: .drop)), Case(target: .socket), Case(target: .tc(match: .ok, noMatch: .shot)),
            Case(target: .xdp(match: .drop), order: .big), Case(target: .tc(match: .shot), order: .big),
            Case(target: .socket, order: .big),
        ] + InstructionSet.allCases.flatMap { isa in [Case(target: .xdp(match: .drop), isa: isa), Case(target: .socket, isa: isa)] }
        + OptimizerTests.selections.flatMap { passes in
            [Case(target: .xdp(match: .drop), passes: passes), Case(target: .tc(match: .shot), passes: passes)]
        }

    @Test(arguments: cases) func randomFiltersDecideAsBefore(_ test: Case) throws {
        var generator = SeededGenerator(for: test.testDescription)
        let maker = RandomProgram(allowing: test.target.hook.extensions.union([.nla, .nlan]))
        for _ in 0..<400 {
            let filter = maker.next(using: &generator)
            guard let program = try compile(filter, test) else { continue }
            for _ in 0..<4 {
                let packet = randomPacket(for: test.target.hook, using: &generator)
                try compare(filter, program, packet, test)
            }
        }
    }

    @Test(arguments: cases) func theCorpusDecidesAsBefore(_ test: Case) throws {
        for (name, filter) in Corpus.programs {
            guard let program = try compile(filter, test) else { continue }
            for frame in Frames.all {
                let packet =
                    test.target.hook.linkLayer == .ethernet
                    ? Packet(ethernet: frame.bytes) : Packet(Array(frame.bytes.dropFirst(14)))
                try compare(filter, program, packet, test, name)
            }
        }
    }

    /// The program of `filter`, or nil where the hook lacks an extension.
    private func compile(_ filter: ClassicBPF.Program, _ test: Case) throws -> ExtendedBPF.Program? {
        do throws(CompilerError) {
            return try Compiler.compile(
                filter, for: test.target, options: CompilerOptions(isa: test.isa, byteOrder: test.order, passes: test.passes))
        } catch {
            if case .unavailableExtension = error.reason { return nil }
            throw error
        }
    }

    private func compare(
        _ filter: ClassicBPF.Program, _ program: ExtendedBPF.Program, _ packet: Packet, _ test: Case, _ name: String = ""
    ) throws {
        let number = try ClassicMachine(byteOrder: test.order).run(filter, on: packet)
        let expected: UInt32 =
            switch test.target.result {
            case .number: number
            case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
            }
        let result = try ExtendedMachine(byteOrder: test.order).run(
            program, on: packet, context: test.target.hook.context == .xdp ? .xdp : .socketBuffer)
        #expect(result == expected, "\(name) \(filter.instructions) on \(packet)")
    }

    private func randomPacket(for hook: Hook, using generator: inout SeededGenerator) -> Packet {
        let bytes = TestSupport.randomPacket(using: &generator)
        var packet = hook.linkLayer == .ethernet ? Packet(ethernet: bytes) : Packet(bytes)
        if hook != .xdp, generator.chance(50) {
            packet = Packet(
                bytes, linearLength: Int.random(in: 0...bytes.count, using: &generator),
                networkHeaderOffset: packet.networkHeaderOffset, linkLayerHeaderOffset: packet.linkLayerHeaderOffset,
                metadata: packet.metadata)
        }
        if generator.chance(80) {
            packet.metadata.interface = .init(index: 3)
            packet.metadata.ingressInterface = 3
        }
        packet.metadata.mark = generator.interestingNumber()
        packet.metadata.hash = generator.interestingNumber()
        packet.metadata.cpu = .random(in: 0...63, using: &generator)
        packet.metadata.random = .random(in: 0 ... .max, using: &generator)
        return packet
    }
}
