import BPFAssembly
import ClassicBPF
import Pcap
import TestSupport

extension ClassicForm {
    /// Reads a text.
    func read(_ text: String) throws(AssemblyErrors) -> ClassicSource { try read(Array(text.utf8)) }

    /// What reading `text` says, a line an error; "" where nothing is wrong.
    func complaint(about text: String) -> String {
        do throws(AssemblyErrors) {
            _ = try read(text)
            return ""
        } catch {
            return "\(error)"
        }
    }
}

/// Programs to write and read again.
enum FormSamples {
    /// `instructions` with 0 in the fields that they do not use, as forms have them that show names.
    static func canonical(_ instructions: [Instruction]) -> [Instruction] {
        instructions.map { instruction in
            guard let operation = instruction.operation else { return instruction }
            // An extension may be loaded with any size.
            if case .load(.extension(let ext)) = operation { return Instruction(code: instruction.code, k: ext.offset) }
            return Instruction(operation)
        }
    }

    /// The programs of the corpus and those of its expressions.
    static func corpus() throws -> [[Instruction]] {
        try Corpus.programs.map { canonical($0.program.instructions) }
            + (Corpus.expressions + Corpus.loops).map { expression in
                let compiler = ExpressionCompiler(linkType: try LinkType(expression.linkType))
                return canonical(try compiler.compile(expression.text).instructions)
            }
    }

    /// A program with every code and every extension in every size.
    static let all: [Instruction] = {
        let codes = (0...UInt16(0xff)).map { Instruction(code: $0, k: 3) }.filter { $0.operation != nil }
        let extensions = Extension.allCases.flatMap { ext in
            [0x20, 0x28, 0x30].map { Instruction(code: $0, k: ext.offset) }
        }
        let numbers: [UInt32] = [0, 1, 15, 0x7fff_ffff, 0x8000_0000, 0xffff_efff, 0xffff_ffff]
        let loads = numbers.flatMap { k in
            [.load(.absolute(.half, k)), .load(.indirect(.byte, k)), .result(.constant(k)), .store(k)].map(
                Instruction.init)
        }
        // What jumps needs instructions behind it.
        let ends = [Instruction](repeating: Instruction(code: 6), count: 4)
        return canonical(codes + extensions + loads + ends)
    }()
}
