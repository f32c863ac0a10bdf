import BPFCompiler

/// What a packet costs by the programs of a filter.
public struct BenchmarkReport: Sendable {
    /// The filter.
    public var filter: PacketFilter
    /// Where it was measured.
    public var machine: BenchmarkMachine
    /// How many samples each time is of.
    public var rounds: Int
    /// The packets, for each kind of link that the hooks have.
    public var packets: [BenchmarkPair]
    /// A row for each program at each hook.
    public var rows: [BenchmarkRow]

    /// Why something was not measured, each reason once, with the programs that it is for.
    public var gaps: [(gap: TimingGap, rows: [BenchmarkRow])] {
        var result: [(gap: TimingGap, rows: [BenchmarkRow])] = []
        for row in rows {
            for case .failure(let gap) in [row.match, row.other] {
                if let place = result.firstIndex(where: { $0.gap == gap }) {
                    if result[place].rows.last?.isSameProgram(as: row) != true { result[place].rows.append(row) }
                } else {
                    result.append((gap, [row]))
                }
            }
        }
        return result
    }
}

/// The times of a program at a hook.
public struct BenchmarkRow: Sendable {
    /// What is run there.
    public enum Program: String, Codable, CaseIterable, Sendable {
        /// The classic filter by `SO_ATTACH_FILTER`, as the kernel converts it.
        case classic
        /// The translation instruction by instruction.
        case mirror
        /// The optimised program for the running kernel.
        case optimized
        /// A program that returns at once: what is above its time is the filter's.
        case empty
    }

    /// The hook.
    public var hook: Hook
    /// Which program.
    public var program: Program
    /// How many instructions it has, in the instruction set it is in, wide ones counting twice; nil if there is none.
    public var instructions: Int?
    /// How many copies of it one program had, on a socket.
    public var copies: Int?
    /// The time for a packet that matches, in nanoseconds.
    public var match: Result<TimeDistribution, TimingGap>
    /// The time for one that does not, in nanoseconds.
    public var other: Result<TimeDistribution, TimingGap>

    func isSameProgram(as row: BenchmarkRow) -> Bool { hook == row.hook && program == row.program }
}
