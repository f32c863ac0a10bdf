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
        var options = CompilerOptions()
        options.isPart = true
        var generator = SeededGenerator(for: hook.description)
        let maker = RandomProgram(allowing: [])
        let filters =
            (0..<100).map { _ in maker.next(using: &generator) } + Corpus.programs.map(\.1)
        var results: Set<UInt32> = []
        for filter in filters {
            guard let part = try? Compiler.compile(filter, for: CountingProgram.target(on: hook), options: options)
            else { continue }
            guard part.functions.count == 1 else { continue }
            var assembler = Assembler(functionNamed: "inlined")
            let (match, next) = (assembler.makeLabel(), assembler.makeLabel())
            assembler.inline(part.entry, match: match, next: next)
            assembler.place(match)
            assembler.append(.move32(.r0, 1))
            assembler.append(.exit)
            assembler.place(next)
            assembler.append(.move32(.r0, 0))
            assembler.append(.exit)
            let inlined = Program(functions: [try assembler.finish()], data: part.data)
            for place in stride(from: filter.instructions.count % 7, to: Frames.all.count, by: 7) {
                let packet =
                    hook.linkLayer == .ethernet
                    ? Packet(ethernet: Frames.all[place].bytes) : Packet(Array(Frames.all[place].bytes.dropFirst(14)))
                let expected = try ClassicMachine().run(filter, on: packet) == 0 ? 0 : 1 as UInt32
                let result = try ExtendedMachine().run(inlined, on: packet, context: hook.machineContext)
                #expect(result == expected, "\(filter.instructions) on \(packet)")
                results.insert(result)
            }
        }
        #expect(results == [0, 1])
    }

    @Test func filtersAreOneFunctionWithTheLinesOfAll() throws {
        var options = CompilerOptions()
        options.isPart = true
        let compiler = ExpressionCompiler(
            linkType: .ethernet, snapshotLength: 65_535, optimizes: true, netmask: nil)
        let parts = try ["udp", "icmp"].map {
            try Compiler.compile(
                compiler.compile($0), for: CountingProgram.target(on: .xdp), options: options)
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
