import CPcap
import ClassicBPF
import TestSupport
import Testing

/// libpcap's rules, against libpcap's own check.
@Suite struct LibpcapRulesTests {
    @Test("instructions of known codes are accepted exactly when bpf_validate accepts them")
    func knownCodes() {
        var generator = SeededGenerator()
        var accepted = 0
        for _ in 0..<100_000 {
            let instructions = randomInstructions(using: &generator)
            let libpcap = libpcapAccepts(instructions)
            accepted += libpcap ? 1 : 0
            #expect(weAccept(instructions) == libpcap, "\(instructions)")
        }
        // Both answers must have been asked for often, or the agreement says little.
        #expect((20_000...80_000).contains(accepted), "\(accepted) accepted")
    }

    @Test("what is accepted, with any code at all, bpf_validate accepts; what it refuses in known codes, is refused")
    func mutations() {
        var generator = SeededGenerator()
        let source = RandomProgram(usualCount: 15, maximumCount: 30)
        for _ in 0..<20_000 {
            let instructions = mutated(source.next(using: &generator).instructions, using: &generator)
            let libpcap = libpcapAccepts(instructions)
            let known = instructions.allSatisfy { $0.operation != nil }
            if known {
                #expect(weAccept(instructions) == libpcap, "\(instructions)")
            } else {
                // libpcap looks at some bits of a code only.
                #expect(!weAccept(instructions), "\(instructions)")
            }
            if weAccept(instructions) { #expect(libpcap, "\(instructions)") }
        }
    }

    private func weAccept(_ instructions: [Instruction]) -> Bool {
        (try? RuleSet.libpcap.validate(instructions)) != nil
    }

    private func libpcapAccepts(_ instructions: [Instruction]) -> Bool {
        let theirs = instructions.map { bpf_insn(code: $0.code, jt: $0.jt, jf: $0.jf, k: $0.k) }
        return bpf_validate(theirs, Int32(theirs.count)) != 0
    }
}

/// One to eight instructions of known codes, near the limits of the rules, ending in a `ret` mostly.
func randomInstructions(using generator: inout some RandomNumberGenerator) -> [Instruction] {
    let codes = CodeTests.meanings.map(\.0)
    let count = Int.random(in: 1...8, using: &generator)
    return (0..<count).map { index in
        let k: UInt32 =
            switch Int.random(in: 0..<8, using: &generator) {
            case 0...3: .random(in: 0...UInt32(count), using: &generator)
            case 4: generator.pick([15, 16, 31, 32, 0x8000_0000, 0xffff_f000, 0xffff_f001, 0xffff_f040])
            case 5: 0 &- .random(in: 0...UInt32(count + 1), using: &generator)
            default: generator.interestingNumber()
            }
        let last = index == count - 1 && generator.chance(90)
        // Mostly within the program, sometimes just not.
        let distances = (0..<2).map { _ in
            generator.chance(85)
                ? UInt8.random(in: 0...UInt8(max(0, count - index - 2)), using: &generator)
                : UInt8(count - index - 1)
        }
        return Instruction(
            code: last ? generator.pick([0x06, 0x16]) : generator.pick(codes), jt: distances[0], jf: distances[1], k: k)
    }
}
