import ExtendedBPF
import PacketFilter
import TestSupport

/// What one packet costs in a test run, in nanoseconds, the kernel's own work for a run included.
struct PacketTimes {
    var ours: TimeDistribution
    var reference: TimeDistribution
    /// A program that returns at once.
    var empty: TimeDistribution

    /// Ours over C's, each above the empty program's; nil where C's is not above it by more than noise.
    var ratio: Double? {
        guard reference.exceeds(empty) else { return nil }
        return max(0, ours.median - empty.median) / (reference.median - empty.median)
    }

    var isSlower: Bool { ours.exceeds(reference) }
}

/// The times of a row at one hook.
struct RowTimes {
    var row: Row
    var times: Result<(match: PacketTimes, other: PacketTimes), Missing>
}

#if os(Linux)
    import BPFKernel

    extension RowTimes {
        /// Measures; `filter` is the row's expression, or why libpcap's program for it is of no use.
        init(_ row: Row, at hook: ReferenceFilter.Hook, filter: Result<PacketFilter, Missing>) throws {
            self.row = row
            switch filter.flatMap({ $0.returningOne(at: hook) }) {
            case .failure(let missing): times = .failure(missing)
            case .success(let ours):
                guard (try? verifiedInstructions(ours)) != nil else {
                    times = .failure(Missing(reason: "refused by the verifier"))
                    return
                }
                let contestants = Contestants(hook: hook, ours: ours, reference: try row.reference.program(for: hook))
                times = .success(
                    (
                        match: try contestants.times(on: row.frames.match, answer: 1),
                        other: try contestants.times(on: row.frames.other, answer: 0)
                    ))
            }
        }
    }

    /// The programs that are run in turns.
    struct Contestants {
        var hook: ReferenceFilter.Hook
        var ours: CompiledProgram
        var reference: ExtendedBPF.Program

        static let samples = 15
        static let runs = 1_000_000

        func times(on frame: [UInt8], answer: UInt32) throws -> PacketTimes {
            var (first, second, third): ([Double], [Double], [Double]) = ([], [], [])
            let (ours, reference) = (try tested(ours.resolved()), try tested(reference))
            let empty = try tested(returning(answer))
            for _ in 0..<Self.samples {
                first.append(try time(ours, on: frame, answer))
                second.append(try time(reference, on: frame, answer))
                third.append(try time(empty, on: frame, answer))
            }
            return PacketTimes(
                ours: TimeDistribution(first), reference: TimeDistribution(second), empty: TimeDistribution(third))
        }

        private func tested(_ program: ExtendedBPF.Program) throws -> TestedProgram {
            try TestedProgram(program, at: hook == .xdp ? .xdp : .tc)
        }

        /// The time of one run.
        private func time(_ program: TestedProgram, on frame: [UInt8], _ answer: UInt32) throws -> Double {
            try program.time(frame, matches: answer == 1, runs: Self.runs)
        }
    }

    private func returning(_ answer: UInt32) -> ExtendedBPF.Program {
        ExtendedBPF.Program(functions: [Function(name: "empty", instructions: [.move32(.r0, answer), .exit])])
    }
#endif
