@testable import BPFCompiler
import BPFInterpreter
import ExtendedBPF
import Pcap
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
