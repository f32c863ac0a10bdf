import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import FilterComparison
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
        var kernel: KernelVersion?

        var testDescription: String { "\(target.hook) \(isa) \(passes) \(order) \(kernel?.description ?? "")" }
    }

    static let cases: [Case] =
        [
            Case(target: .xdp(match: .drop)), Case(target: .xdp(match: .drop, noMatch: .aborted)),
            Case(target: .xdpFrags(match: .drop)), Case(target: .tc(match: .shot)),
            Case(target: .tcxIngress(match: .drop)), Case(target: .cgroupIngress(match: .deny)),
            Case(target: .lwtIn(match: .drop)), Case(target: .socket),
            Case(target: .socket(match: Verdict(value: 3), noMatch: Verdict(value: 7))),
            Case(target: .socket, kernel: KernelVersion(6, 17)), Case(target: .socket, kernel: KernelVersion(6, 18)),
            Case(target: .socket(match: Verdict(value: 3), noMatch: Verdict(value: 7)), kernel: KernelVersion(6, 17)),
            Case(target: .netfilter(match: .drop)), Case(target: .tpBTF("kfree_skb")),
            Case(target: .tpBTF("kfree_skb"), kernel: KernelVersion(6, 18)),
            Case(target: .tpBTF("kfree_skb"), kernel: KernelVersion(6, 2)),
            Case(target: .rawTP("kfree_skb")), Case(target: .rawTP("kfree_skb"), kernel: KernelVersion(6, 2)),
            Case(target: .rawTP("kfree_skb"), kernel: KernelVersion(6, 17)),
            Case(target: .rawTP("kfree_skb"), order: .big),
            Case(target: .kprobe("ip_rcv")), Case(target: .kprobe("ip_rcv"), kernel: KernelVersion(6, 18)),
            Case(target: .fentry("ip_rcv")), Case(target: .fentry("ip_rcv"), kernel: KernelVersion(6, 18)),
            Case(target: .netfilter(match: .accept, noMatch: .drop), kernel: KernelVersion(6, 18)),
            Case(target: .socket, isa: .v4, kernel: KernelVersion(6, 17)),
            Case(target: .tc(match: .ok, noMatch: .shot)),
            Case(target: .xdp(match: .drop), order: .big), Case(target: .tc(match: .shot), order: .big),
            Case(target: .socket, order: .big),
            Case(target: .socket, order: .big, kernel: KernelVersion(6, 17)),
            Case(target: .netfilter(match: .drop), order: .big),
            Case(target: .tpBTF("kfree_skb"), order: .big),
        ]
        + InstructionSet.allCases.flatMap { isa in
            [Case(target: .xdp(match: .drop), isa: isa), Case(target: .socket, isa: isa)]
        }
        + OptimizerTests.selections.flatMap { passes in
            [Case(target: .xdp(match: .drop), passes: passes), Case(target: .tc(match: .shot), passes: passes)]
        }

    @Test(arguments: cases) func randomFiltersDecideAsBefore(_ test: Case) throws {
        var generator = SeededGenerator(for: test.testDescription)
        let maker = RandomProgram(allowing: test.target.hook.extensions.union([.nla, .nlan]))
        // compare-with-interpreter, which Tests/run.sh runs optimised, has the many.
        for _ in 0..<25 {
            let filter = maker.next(using: &generator)
            guard let program = try compile(filter, test) else { continue }
            for _ in 0..<4 {
                let packet = randomPacket(for: test.target.hook, using: &generator)
                try compare(filter, program, packet, test)
            }
        }
    }

    @Test(arguments: cases) func theCorpusDecidesAsBefore(_ test: Case) throws {
        // Some of the frames for each filter, others for the next; fewer for the other sets and passes, whose random
        // filters say more.
        let step = test.passes == Optimizer.passNames && test.isa == .v3 ? 9 : 30
        for (number, (name, filter)) in (Corpus.programs + Corpus.crashers).enumerated() {
            guard let program = try compile(filter, test) else { continue }
            for place in stride(from: number % step, to: Frames.all.count, by: step) {
                let frame = Frames.all[place]
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
            let program = try Compiler.compile(
                filter, for: test.target,
                options: CompilerOptions(
                    isa: test.isa, byteOrder: test.order, passes: test.passes, kernel: test.kernel))
            // At the entry of a function a program returns 0; what it knows of the packet its own functions return.
            return test.target.hook == .fentry("ip_rcv") ? Program(functions: [program.functions[1]]) : program
        } catch {
            switch error.reason {
            case .unavailableExtension, .needsKernel: return nil
            default: throw error
            }
        }
    }

    private func compare(
        _ filter: ClassicBPF.Program, _ program: ExtendedBPF.Program, _ packet: Packet, _ test: Case,
        _ name: String = ""
    ) throws {
        let reachesAll = Compiler.reachesWholePackets(for: test.target, options: CompilerOptions(kernel: test.kernel))
        let number = try ClassicMachine(byteOrder: test.order).run(filter, on: reachesAll ? packet : packet.linearPart)
        let expected: UInt32 =
            switch test.target.result {
            case .number: number
            case .verdict where test.target.hook == .fentry("ip_rcv"): number == 0 ? 0 : 1
            case .verdict(let match, let noMatch): number == 0 ? noMatch.value : match.value
            }
        let seen = test.target.hook.context == .tracing ? packet.afterSomeWay : packet
        for stray: UInt8 in [0, 0xa5] {
            let result = try ExtendedMachine(byteOrder: test.order, strayByte: stray).run(
                program, on: seen, context: test.target.hook.machineContext)
            #expect(result == expected, "\(name) \(filter.instructions) on \(seen)")
        }
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
