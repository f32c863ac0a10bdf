import BPFAssembly
import BPFObject
import ExtendedBPF

/// How eBPF text is spelled.
public enum ListingSyntax: String, CaseIterable, Sendable {
    /// As the kernel's verifier and bpftool print it.
    case kernel
    /// As LLVM's assembler reads it.
    case llvm
}

extension ProgramObject {
    /// The programs of an object, by whatever compiler, as text: with what they refer to by name, the declarations of
    /// functions, source lines, and what loaders look up in the kernel's types as comments. In front stand the maps and
    /// the tables; not those that programs write to, and no maps of kinds that `MapDeclaration` lacks.
    ///
    /// - Throws: `ELFError` for bytes that are no object.
    public static func listing(of bytes: [UInt8], syntax: ListingSyntax = .kernel) throws -> String {
        let notes = try ObjectNotes(bytes).functions
        let reader = try ObjectReader(bytes)
        let comment = syntax == .kernel ? ";" : "#"
        let declarations = DeclarationListing.text(reader.maps, reader.tables, definesMacros: syntax == .llvm)
        return declarations
            + reader.entries.map { entry in
                var source: [String] = []
                let program = entry.program.annotated(with: notes, &source)
                let text =
                    switch syntax {
                    case .kernel:
                        ExtendedListing.text(program, source: source, headings: headings(of: program, notes))
                    case .llvm: LLVMListing.text(program, source: source)
                    }
                return "\(comment) section \(entry.section)\n\(text)"
            }.joined(separator: "\n")
    }

    private static func headings(of program: Program, _ notes: [String: ObjectNotes.Notes]) -> [String] {
        program.functions.map { notes[$0.name]?.declaration ?? $0.name }
    }
}

extension Program {
    /// The program with marks that count lines of `source`, to which the notes of its functions are appended.
    fileprivate func annotated(with notes: [String: ObjectNotes.Notes], _ source: inout [String]) -> Program {
        var copy = self
        let names = Set(functions.map(\.name))
        for (index, function) in functions.enumerated() {
            var marks: [LineMark] = []
            for (place, slot) in function.slots.enumerated() {
                var texts = notes[function.name]?.lines[slot] ?? []
                if case .function? = function.references[place], function.instructions[place].isWide {
                    copy.functions[index].instructions[place].srcReg = .r4
                }
                // A function of another section than .text is none of the program's, whatever a loader makes of it.
                if case .function(let callee)? = function.references[place], !names.contains(callee) {
                    copy.functions[index].references[place] = nil
                    texts.append("refers to \(callee)")
                }
                guard !texts.isEmpty else { continue }
                source.append(texts.joined(separator: "\n"))
                marks.append(LineMark(instruction: place, line: source.count))
            }
            copy.functions[index].lines = marks
        }
        return copy
    }
}
