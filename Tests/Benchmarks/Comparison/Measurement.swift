import BPFInterpreter
import ExtendedBPF
import PacketFilter
import TestSupport

/// What is counted of one program.
struct Figures {
    /// The number of 64-bit instructions, a wide one counting twice.
    var size: Int
    /// How many instructions run for the packet that matches and for the other.
    var executed: (match: Int, other: Int)?
    /// How many instructions the verifier looks at, nil if the kernel says nothing.
    var verified: Int?
}

/// A row at one hook: our program beside the C one.
struct Measurement {
    var row: Row
    /// Ours, or why there is none.
    var ours: Result<Figures, Missing>
    var reference: Figures
}

/// Why there is no program to measure.
struct Missing: Error {
    var reason: String
}

/// A program that gives another answer than the row expects.
struct WrongAnswer: Error, CustomStringConvertible {
    var description: String
}

extension Measurement {
    /// Compiles and counts; `filter` is the row's expression, or why libpcap's program for it is of no use.
    init(_ row: Row, at hook: ReferenceFilter.Hook, filter: Result<PacketFilter, Missing>) throws {
        self.row = row
        let code = try row.reference.program(for: hook)
        reference = try Figures(code, verified: verifiedInstructions(code, at: hook), of: row, at: hook)
        switch filter.flatMap({ $0.returningOne(at: hook) }) {
        case .success(let program):
            // A program that the verifier refuses is one we do not have.
            guard let verified = try? verifiedInstructions(program) else {
                ours = .failure(Missing(reason: "refused by the verifier"))
                return
            }
            ours = .success(try Figures(program.program, verified: verified, of: row, at: hook))
        case .failure(let missing):
            ours = .failure(missing)
        }
    }
}

extension Figures {
    fileprivate init(
        _ program: ExtendedBPF.Program, verified: Int?, of row: Row, at hook: ReferenceFilter.Hook
    ) throws {
        size = program.linked().slotCount
        self.verified = verified
        var counts: [Int] = []
        for (frame, answer) in [(row.frames.match, 1), (row.frames.other, 0)] {
            let execution = try execute(program, at: hook, on: frame)
            guard execution.result == answer else {
                throw WrongAnswer(description: "\(row.name) at \(hook): \(execution.result) instead of \(answer)")
            }
            counts.append(execution.instructionCount)
        }
        executed = (counts[0], counts[1])
    }
}

/// Runs `program` in the interpreter.
private func execute(
    _ program: ExtendedBPF.Program, at hook: ReferenceFilter.Hook, on frame: [UInt8]
) throws -> Execution {
    try ExtendedMachine(byteOrder: .host).execute(
        program, on: Packet(ethernet: frame), context: hook == .xdp ? .xdp : .socketBuffer)
}

extension PacketFilter {
    /// The program for a hook that returns 1 for packets that match and 0 for others.
    func returningOne(at hook: ReferenceFilter.Hook) -> Result<CompiledProgram, Missing> {
        let known: Hook = hook == .xdp ? .xdp : .tc
        let result = Target.Result.verdict(match: Verdict(value: 1), noMatch: Verdict(value: 0))
        return Result { try compile(for: Target(hook: known, result: result)) }
            .mapError { Missing(reason: "\($0)") }
    }
}
