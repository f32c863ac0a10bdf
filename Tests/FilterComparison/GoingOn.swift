import BPFCompiler
import ExtendedBPF

// A program that goes on behind a filter: a part that ended it would leave another answer than any that it gives.

extension FilterPart {
    /// A program that asks the part once, in its own instructions where it can be, and then returns
    /// ``answer(behind:)`` of what the part found.
    public var programGoingOn: ExtendedBPF.Program {
        var assembler = Assembler(functionNamed: "going_on")
        let (match, next) = (assembler.makeLabel(), assembler.makeLabel())
        if canMatch {
            if isInlinable {
                assembler.inline(self, match: match, next: next)
            } else {
                assembler.append(.call(localAt: 0), .function(program.entry.name))
                assembler.append(.jump64(if: .r0, .equal, 0, 0), to: next)
            }
            assembler.place(match)
            assembler.append(.alu32(.add, .r0, 10))
            assembler.append(.exit)
        }
        assembler.place(next)
        assembler.append(.move32(.r0, 20))
        assembler.append(.exit)
        do {
            let entry = try assembler.finish()
            return ExtendedBPF.Program(
                functions: [entry] + (isInlinable ? [] : program.functions), data: program.data, maps: program.maps)
        } catch {
            preconditionFailure("no jump leads past a part: \(error)")
        }
    }

    /// What that program returns where the part returns `result`.
    public static func answer(behind result: UInt32) -> UInt32 { result == 0 ? 20 : result + 10 }
}
