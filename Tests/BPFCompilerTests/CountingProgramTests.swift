@testable import BPFCompiler
import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import FilterComparison
import Pcap
import TestSupport
import Testing

/// The parts of counting programs that need no kernel; what they count is tested there.
@Suite struct CountingProgramTests {
    @Test func theRangeOfANumberIsThatOfItsHighestBit() throws {
        func range(of number: UInt64) throws -> UInt32 {
            let entry = Function(
                name: "entry", instructions: [.loadWide(.r1, number), .call(localAt: 0), .exit],
                references: [1: .function("range")])
            let program = Program(functions: [entry, CountingProgram.rangeFunction(named: "range")])
            return try ExtendedMachine().run(program, on: Packet([]))
        }
        #expect(try range(of: 0) == 0)
        for bit in 0..<64 as Range<UInt32> {
            let lowest = UInt64(1) << bit
            for number in [lowest, lowest | lowest >> 1, lowest | lowest / 3, lowest - 1 | lowest] {
                #expect(try range(of: number) == bit, "\(number)")
            }
        }
    }

    /// Random filters and the corpus, inlined beside the filters called, with loops and with calls among them.
    @Test(arguments: [Hook.xdp, .tc, .socket, .netfilter]) func inlinedFiltersLeadWhereTheirResultsDo(hook: Hook) throws
    {
        var generator = SeededGenerator(for: hook.description)
        let maker = RandomProgram(allowing: [])
        let filters =
            (0..<100).map { _ in maker.next(using: &generator) } + Corpus.programs.map(\.1)
        var results: Set<UInt32> = []
        for filter in filters {
            guard let part = try? Compiler.part(filter, on: hook), part.isInlinable else { continue }
            for place in stride(from: filter.instructions.count % 7, to: Frames.all.count, by: 7) {
                let packet =
                    hook.linkLayer == .ethernet
                    ? Packet(ethernet: Frames.all[place].bytes) : Packet(Array(Frames.all[place].bytes.dropFirst(14)))
                let expected = FilterPart.answer(behind: try ClassicMachine().run(filter, on: packet) == 0 ? 0 : 1)
                let result = try ExtendedMachine().run(
                    part.programGoingOn, on: packet, context: hook.machineContext)
                #expect(result == expected, "\(filter.instructions) on \(packet)")
                results.insert(result)
            }
        }
        #expect(results == [11, 20])
    }

    /// Only where a function is nothing but the filter there is a permit to end it.
    @Test(arguments: Hook.packetHooks + [.tpBTF("kfree_skb"), .rawTP("kfree_skb"), .function(.tc)])
    func noPartMayEndItsFunction(hook: Hook) throws {
        #expect(EndingPermit.permit(for: .part, on: hook) == nil)
        #expect((EndingPermit.permit(for: .filter, on: hook) != nil) == hook.hasPacketLoads)
        // ldx len; ldb [x + 0]: behind every packet, in a header area for all that is known.
        let beyond = try Program([
            Instruction(.loadIndex(.length)), Instruction(.load(.indirect(.byte, 0))), Instruction(.result(.a)),
        ])
        for kernel in [KernelVersion?.none, KernelVersion(6, 18)] {
            var options = CompilerOptions(kernel: kernel)
            options.socketBufferArgument = 0
            let part = try Compiler.part(beyond, on: hook, options: options)
            let loads = part.program.functions.flatMap(\.instructions).filter(\.isPacketLoad)
            #expect(loads.isEmpty)
        }
    }

    @Test func filtersAreOneFunctionWithTheLinesOfAll() throws {
        let options = CompilerOptions()
        let compiler = ExpressionCompiler(
            linkType: .ethernet, snapshotLength: 65_535, optimizes: true, netmask: nil)
        let parts = try ["udp", "icmp"].map {
            try Compiler.part(compiler.compile($0), on: .xdp, options: options)
        }
        let program = try CountingProgram.join(parts, on: .xdp, lineCounts: [20, 10], options: options)
        #expect(program.functions.map(\.name) == ["count"])
        #expect(program.maps.map(\.name) == ["counts"] && program.maps[0].valueSize == 32)
        let lines = program.entry.lines.map(\.line)
        #expect(lines.contains(2) && lines.contains(22) && lines.allSatisfy { 1...30 ~= $0 })
        let timed = try CountingProgram.join(
            parts, on: .xdp, lineCounts: [20, 10], histogram: .interarrival, options: options)
        #expect(timed.functions.map(\.name) == ["count", "count_range"])
        #expect(timed.maps.map(\.name) == ["counts", "last_times"])
    }
}
