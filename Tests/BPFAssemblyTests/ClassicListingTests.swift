import BPFAssembly
import CPcap
import ClassicBPF
import TestSupport
import Testing

/// The listing is the one libpcap's `bpf_image` gives, which `tcpdump -d` prints.
@Suite struct ClassicListingTests {
    @Test func randomProgramsAreShownAsLibpcapShowsThem() throws {
        var generator = SeededGenerator()
        let maker = RandomProgram()
        for _ in 0..<2_000 {
            let program = maker.next(using: &generator)
            for (index, line) in ClassicListing.lines(program).enumerated()
            where program.operation(at: index) != .loadIndex(.length) {
                #expect(line == image(program.instructions[index], at: index))
            }
        }
    }

    /// libpcap's `bpf_image` does not know this one, though Linux runs it.
    @Test func theLengthInXIsShownLikeTheLengthInA() throws {
        let program = try Program([
            Instruction(.load(.length)), Instruction(.loadIndex(.length)), Instruction(.result(.a)),
        ])
        #expect(ClassicListing.text(program) == "(000) ld       #pktlen\n(001) ldx      #pktlen\n(002) ret      \n")
    }

    @Test func everyOperationHasBeenCompared() throws {
        var generator = SeededGenerator(seed: 1)
        let maker = RandomProgram()
        let programs = (0..<2_000).map { _ in maker.next(using: &generator) }
        let codes = Set(programs.flatMap { $0.instructions.map(\.code) })
        #expect(codes.count == 49, "Linux accepts 49 codes")
    }

    private func image(_ instruction: Instruction, at index: Int) -> String {
        var raw = bpf_insn(code: instruction.code, jt: instruction.jt, jf: instruction.jf, k: instruction.k)
        return String(cString: bpf_image(&raw, Int32(index)))
    }
}
