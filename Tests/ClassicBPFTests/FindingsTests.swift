import ClassicBPF
import TestSupport
import Testing

@Suite struct FindingsTests {
    /// What `validate` stops at is among the findings, and where it finds nothing there are none.
    @Test func findingsAgreeWithValidation() {
        var generator = SeededGenerator()
        let maker = RandomProgram(usualCount: 20)
        var refused = 0
        for _ in 0..<5_000 {
            let instructions = mutated(maker.next(using: &generator).instructions, using: &generator)
            for rules in [RuleSet.kernel, .libpcap] {
                let findings = rules.findings(in: instructions)
                do {
                    try rules.validate(instructions)
                    #expect(findings.isEmpty)
                } catch {
                    #expect(findings.contains(error))
                    refused += 1
                }
                #expect(
                    zip(findings, findings.dropFirst()).allSatisfy { ($0.instruction ?? -1) <= ($1.instruction ?? -1) })
            }
        }
        #expect(refused > 1_000)
    }

    @Test func allAreFound() {
        let instructions = [
            Instruction(code: 0xff), Instruction(code: 0x64, k: 40), Instruction(code: 0x60, k: 2),
            Instruction(code: 0x60, k: 3),
        ]
        #expect(
            RuleSet.kernel.findings(in: instructions) == [
                ValidationError(.unknownCode(0xff), at: 0), ValidationError(.shiftTooFar(distance: 40), at: 1),
                ValidationError(.unwrittenMemory(index: 2), at: 2), ValidationError(.unwrittenMemory(index: 3), at: 3),
                ValidationError(.missingReturn, at: 3),
            ])
        #expect(
            RuleSet.libpcap.findings(in: instructions) == [
                ValidationError(.unknownCode(0xff), at: 0), ValidationError(.missingReturn, at: 3),
            ])
        #expect(RuleSet.kernel.findings(in: []) == [ValidationError(.emptyProgram)])
        let long = [Instruction](repeating: Instruction(code: 6), count: 4097)
        #expect(RuleSet.kernel.findings(in: long) == [ValidationError(.tooManyInstructions(count: 4097, limit: 4096))])
    }
}
