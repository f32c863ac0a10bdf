import ExtendedBPF
import PacketFilter
import TestSupport

/// What one packet costs in a test run, in nanoseconds, the kernel's own work for a run included.
struct PacketTimes {
    var ours: Distribution
    var reference: Distribution
    /// A program that returns at once.
    var empty: Distribution

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
            // Where a program lies in memory is luck. Each sample loads anew, so that luck is part of the spread.
            for _ in 0..<Self.samples {
                first.append(try time(ours.load(), on: frame, answer: answer))
                second.append(try time(load(reference), on: frame, answer: answer))
                third.append(try time(load(returning(answer)), on: frame, answer: answer))
            }
            return PacketTimes(
                ours: Distribution(first), reference: Distribution(second), empty: Distribution(third))
        }

        private func load(_ program: ExtendedBPF.Program) throws -> LoadedProgram {
            try LoadedProgram(loading: LoadRequest(program, type: hook == .xdp ? .xdp : .schedCls))
        }

        /// The time of one run.
        private func time(_ program: borrowing LoadedProgram, on frame: [UInt8], answer: UInt32) throws -> Double {
            // A few first, so that nothing is cold.
            _ = try program.run(on: frame, repeat: 1000)
            let start = processorTime()
            let result = try program.run(on: frame, repeat: Self.runs).returnValue
            let taken = processorTime() - start
            guard result == answer else {
                throw WrongAnswer(description: "\(hook): \(result) instead of \(answer) in a test run")
            }
            return taken / Double(Self.runs)
        }
    }

    private func returning(_ answer: UInt32) -> ExtendedBPF.Program {
        ExtendedBPF.Program(functions: [Function(name: "empty", instructions: [.move32(.r0, answer), .exit])])
    }
#endif
