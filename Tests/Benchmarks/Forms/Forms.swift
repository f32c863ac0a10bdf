import BPFAssembly
import ClassicBPF
import ExtendedBPF

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Prints how quickly a form of classic programs is read and written.
///
/// Usage: `measure-forms FORM`, or `llvm` for eBPF programs in LLVM's spelling. The program has 1,000,000 instructions of the kinds that libpcap makes. Times are the
/// processor's, so that they say the same on a machine that does other work too.
@main
enum Forms {
    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.dropFirst() == ["llvm"] { return measureLLVM() }
        guard arguments.count == 2, let form = ClassicForm(rawValue: arguments[1]) else {
            let names = ClassicForm.allCases.map(\.rawValue).joined(separator: "|")
            return print("usage: measure-forms \(names)")
        }
        // A savefile counts with 16 bits; there are as many of them then as make up the number.
        let count = form == .savefile ? 62_500 : 1_000_000
        let instructions = program(count)
        let bytes = try form.write(instructions)
        let rounds = form == .savefile ? 16 : 1
        var result: ClassicSource?
        let reading = try seconds { for _ in 0..<rounds { result = try form.read(bytes) } }
        let writing = try seconds { for _ in 0..<rounds { _ = try form.write(instructions) } }
        guard result?.instructions == instructions else { return print("\(form.rawValue): the programs differ") }
        let size = Double(bytes.count * rounds) / 1e6
        print(
            "\(form.rawValue): \(Int(size)) MB, read at \(rate(size, reading)) MB/s, written at \(rate(size, writing)) MB/s "
                + "(aim: 50)")
    }

    /// How quickly eBPF programs are printed in LLVM's spelling.
    private static func measureLLVM() {
        let pattern: [ExtendedBPF.Instruction] = [
            .load(.halfword, .r3, .r2, -9), .jump32(if: .r3, .notEqual, 0xdd86, 13), .move64(.r1, .r6),
            .alu64(.add, .r2, 21), .store(.word, .r10, -16, .r3), .call(helper: 26), .alu32(.and, .r0, 0xff),
            .jump64(if: .r2, .greater, .r1, 16),
        ]
        let instructions = (0..<1_000_000).map { pattern[$0 % pattern.count] }
        let program = ExtendedBPF.Program(functions: [Function(name: "filter", instructions: instructions)])
        var size = 0.0
        let time = seconds { size = Double(LLVMListing.text(program).utf8.count) / 1e6 }
        print("llvm: \(Int(size)) MB, written at \(rate(size, time)) MB/s (aim: 50)")
    }

    private static func rate(_ megabytes: Double, _ seconds: Double) -> Int { Int(megabytes / seconds) }

    /// The seconds of the processor that `work` takes.
    private static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = clock()
        try work()
        return Double(clock() - start) / Double(CLOCKS_PER_SEC)
    }

    /// Comparisons and what is needed between them, ended by a `ret`.
    private static func program(_ count: Int) -> [ClassicBPF.Instruction] {
        let pattern: [ClassicBPF.Operation] = [
            .load(.absolute(.half, 12)), .branch(.equal, .constant(0x800), jt: 0, jf: 6),
            .load(.absolute(.byte, 23)), .branch(.equal, .constant(6), jt: 2, jf: 0),
            .loadIndex(.headerLength(14)), .load(.indirect(.half, 16)),
            .branch(.greater, .constant(1023), jt: 1, jf: 3),
            .arithmetic(.and, .constant(0xffff_fff0)), .store(3), .loadIndex(.memory(3)), .load(.extension(.vlanTCI)),
            .branch(.anyBitSet, .index, jt: 3, jf: 7), .transferAToX, .load(.absolute(.word, 26)),
            .branch(.equal, .constant(0xc000_0201), jt: 1, jf: 0), .result(.constant(262_144)),
        ]
        let rest = [ClassicBPF.Operation](repeating: .result(.constant(0)), count: 16)
        return (0..<count - 16).map { ClassicBPF.Instruction(pattern[$0 % pattern.count]) }
            + rest.map { ClassicBPF.Instruction($0) }
    }
}
