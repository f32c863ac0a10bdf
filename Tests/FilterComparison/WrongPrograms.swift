import BPFInterpreter
import ExtendedBPF
import TestSupport

/// What the comparison with the interpreter finds of programs with one instruction that is wrong.
public struct WrongPrograms: Sendable {
    /// By mistake, what became of the programs with it.
    public private(set) var counts: [Mistake: Counts] = [:]

    /// What became of programs.
    public struct Counts: Sendable {
        /// How many there were that ran the wrong instruction for some packet.
        public internal(set) var run = 0
        /// How many of them were found.
        public internal(set) var found = 0
    }

    private var generator: SeededGenerator

    /// Starts with none; the same seed makes the same of the same cases.
    public init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// How many programs ran a wrong instruction, and how many of them were found.
    public var total: Counts {
        counts.values.reduce(into: Counts()) {
            $0.run += $1.run
            $0.found += $1.found
        }
    }

    /// Makes each mistake at one place of the program of `test` and compares it with the filter for `count` packets.
    public mutating func compare(_ test: RandomCase, packets count: Int) {
        var test = test
        guard let program = try? test.compiled()?.program else { return }
        let packets = test.packets(count)
        for mistake in Mistake.allCases {
            guard let place = places(of: mistake, in: program).randomElement(using: &generator) else { continue }
            /// Whether the program with another instruction there is found to differ.
            func isFound(_ instruction: Instruction) -> Bool {
                var functions = program.functions
                functions[place.function].instructions[place.index] = instruction
                let wrong = ExtendedBPF.Program(functions: functions, data: program.data)
                return packets.contains { test.difference(of: wrong, on: $0) != nil }
            }
            // An instruction that no machine runs tells whether this one is run.
            guard isFound(Instruction(Opcode(rawValue: 0xff))) else { continue }
            counts[mistake, default: Counts()].run += 1
            if isFound(place.wrong) { counts[mistake]!.found += 1 }
        }
    }

    private typealias Place = (function: Int, index: Int, wrong: Instruction)

    /// What only a loader knows, the distance of a member for instance, no compiler gets wrong.
    private func places(of mistake: Mistake, in program: ExtendedBPF.Program) -> [Place] {
        program.functions.enumerated().flatMap { number, function in
            function.instructions.enumerated().compactMap { index, instruction in
                guard function.references[index] == nil, let wrong = mistake.made(in: instruction) else { return nil }
                return (number, index, wrong)
            }
        }
    }
}
