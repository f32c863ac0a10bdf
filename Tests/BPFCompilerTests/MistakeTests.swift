import FilterComparison
import TestSupport
import Testing

/// The comparison of random programs with the interpreter, which Tests/run.sh does with many, finds a compiler's mistakes.
@Suite struct MistakeTests {
    /// Each program has a mistake at one place. Half of those whose wrong instruction is run decide as they should
    /// nevertheless: a number that is out of bounds one byte too early is found by the slow way, nobody asks for what was
    /// calculated, both ways of a jump lead to the same result.
    @Test func everyMistakeIsFoundInOneOfAFewPrograms() {
        var programs = WrongPrograms(seed: 6)
        for number in 0..<700 as Range<UInt64> { programs.compare(RandomCase(seed: 6, number: number), packets: 8) }
        let total = programs.total
        let share = Double(total.found) / Double(total.run)
        // 0.50 when this was written, 2,191 of 4,349.
        #expect(share > 0.4, "\(total)")
        for mistake in Mistake.allCases {
            #expect(
                programs.counts[mistake]?.found ?? 0 > 0, "\(mistake): \(String(describing: programs.counts[mistake]))")
        }
    }
}
