@testable import BPFCompiler
import BPFInterpreter
import ClassicBPF
import TestSupport
import Testing

/// Perfect hashes against the standard library's sets, and the graphs that use them against the classic machine.
@Suite struct PerfectHashTests {
    /// Sets of all kinds: whatever the numbers are, each is found and no other.
    private static let sets: [(name: String, numbers: [UInt32])] = {
        var generator = SeededGenerator(seed: 41)
        var sets: [(name: String, numbers: [UInt32])] = [
            ("the ends", [0, .max]), ("powers of two", (0..<32).map { 1 << $0 }),
            ("neighbours", (1000..<3000).map { $0 }), ("a network's hosts", (0..<254).map { 0xc000_0200 + $0 }),
            ("multiples", (0..<700).map { $0 * 0x10001 }), ("ports", (0..<90).map { $0 * 601 }),
            ("one upper byte each", (0..<256).map { $0 << 24 | 0x0000_0a }),
        ]
        for count in [2, 7, 8, 12, 16, 17, 64, 65, 110, 130, 300, 1000, 5000] {
            var numbers: Set<UInt32> = count % 2 == 0 ? [0, .max] : []
            while numbers.count < count { numbers.insert(.random(in: 0 ... .max, using: &generator)) }
            sets.append(("\(count) random ones", numbers.sorted()))
        }
        return sets + sets.map { ("\($0.name), swapped", $0.numbers.map(\.byteSwapped).sorted()) }
    }()

    @Test func everyNumberOfASetIsFoundAndNoOther() throws {
        var generator = SeededGenerator(seed: 42)
        for (name, numbers) in Self.sets {
            let hash = try #require(PerfectHash(numbers), "\(name)")
            let set = Set(numbers)
            #expect(numbers.allSatisfy(hash.contains), "\(name)")
            let near = numbers.flatMap { [$0 &- 1, $0 &+ 1, $0.byteSwapped, ~$0] }
            let far = (0..<2000).map { _ in UInt32.random(in: 0 ... .max, using: &generator) }
            #expect((near + far + [0, .max]).allSatisfy { hash.contains($0) == set.contains($0) }, "\(name)")
            // As the verifier sees it, no number at all leads out of the table.
            #expect(Int(hash.mask / hash.elementSize) < hash.slots.count, "\(name)")
            #expect(hash.slots.count <= max(8 * numbers.count, 1024), "\(name): \(hash.slots.count)")
            #expect(PerfectHash(numbers) == hash, "\(name)")
        }
    }

    /// Chains with several outcomes, of words and of halves: those that lead to one place are sets.
    @Test(
        arguments: [Operation.Size.half, .word],
        [PacketAccess.pointers, .instructions(.permit(for: .filter, on: .socket)!)])
    func graphsWithSetsDecideAsTheFilter(size: Operation.Size, access: PacketAccess) throws {
        let filter = try Self.filter(size)
        let optimizer = Optimizer()
        var tables = SearchTables()
        let options = CompilerOptions(byteOrder: .little)
        let simple = optimizer.simplify(filter, for: .socket, options).graph
        let (graph, notes) = optimizer.lower(
            simple, for: .socket, access, isRare: false, options, &tables)
        #expect(GraphVerifier.problem(in: graph) == nil)
        #expect(notes.contains("made 2 looks into 2 tables"), "\(notes)")
        try compare(graph, filter, size)

        // With no table for either they are trees again.
        var none = SearchTables()
        none.mostNumbers = 1
        let trees = optimizer.lower(simple, for: .socket, access, isRare: false, options, &none).graph
        #expect(trees.tables.isEmpty)
        try compare(trees, filter, size)
    }

    /// A list of halves has no number of more than 16 bits, and none that only looks like one of another list's: where
    /// nothing folds it away, it is never found, whichever way packets are read.
    @Test func numbersThatDoNotFitAreNotFound() throws {
        let numbers = (0..<12).map { Self.number($0, .half) }
        func chain(_ numbers: [UInt32], found: Int) -> [Operation] {
            numbers.enumerated().map {
                .branch(.equal, .constant($1), jt: UInt8(numbers.count - $0 - 1 + found), jf: 0)
            }
        }
        // The second list has 65,536 more than the first in place of its last number.
        let others = numbers.dropLast() + [numbers[11] + 0x10000]
        let filter = try Program(
            ([.load(.absolute(.half, 4))] + chain(numbers, found: 15) + [.load(.absolute(.half, 6))]
                + chain(Array(others), found: 1) + [
                    .result(.constant(0)), .result(.constant(1)), .result(.constant(2)),
                ])
                .map { Instruction($0) })
        let program = try Compiler.compile(
            filter, for: .tc(match: .shot), options: CompilerOptions(byteOrder: .little, passes: []))
        #expect(program.data.count > 0)
        for (first, second) in [(0xffff, numbers[11]), (0xffff, numbers[3]), (numbers[5], 0xffff)] {
            let bytes = [first, second].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
            for linear in [0, 8] {
                let packet = Packet([1, 2, 3, 4] + bytes, linearLength: linear)
                let isFound = try ClassicMachine().run(filter, on: packet) != 0
                let result = try ExtendedMachine(byteOrder: .little).run(program, on: packet)
                #expect((result == 2) == isFound, "\(first), \(second), \(linear)")
            }
        }
    }

    private static func number(_ place: Int, _ size: Operation.Size) -> UInt32 {
        let number = UInt32(place) &* 0x9e37_79b1
        return size == .word ? number : number >> 16
    }

    /// 40 numbers that lead to one place, 20 to another, in between each other, and 3 to a third.
    private static func filter(_ size: Operation.Size) throws -> Program {
        let count = 63
        let chain = (0..<count).map { place -> Operation in
            let kind = place % 21 == 20 ? 2 : place % 3 == 0 ? 1 : 0
            return .branch(.equal, .constant(number(place, size)), jt: UInt8(count - place + kind), jf: 0)
        }
        let results = [0, 1, 5, 9].map { Operation.result(.constant($0)) }
        return try Program(([.load(.absolute(size, 4))] + chain + results).map { Instruction($0) })
    }

    private func compare(_ graph: Graph, _ filter: Program, _ size: Operation.Size) throws {
        for place in 0..<80 {
            for number in [Self.number(place, size), Self.number(place, size).swapped(size)] {
                let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
                let packet = Packet([1, 2, 3, 4] + bytes.suffix(Int(size.rawValue)))
                let expected = try ClassicMachine().run(filter, on: packet)
                #expect(try GraphEvaluator.run(graph, on: packet) == expected, "\(number)")
            }
        }
    }
}
