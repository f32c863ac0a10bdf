import BPFAssembly
import ClassicBPF
import Pcap

// Filters in the forms that classic programs come in.
extension PacketFilter {
    /// Reads a classic program.
    ///
    /// Only the instructions are taken: a filter from a savefile that names its expression has none all the same, for
    /// nothing says that they belong together.
    ///
    /// - Parameter form: The form; where it is nil, `ClassicForm.guess` finds it.
    /// - Throws: `AssemblyErrors` with the places of what cannot be read, `AssemblyError` where the form cannot be
    ///   guessed, or `ValidationError` with the instruction that the kernel refuses.
    public init(reading bytes: [UInt8], form: ClassicForm? = nil) throws {
        let form = try form ?? ClassicForm.guess(bytes)
        self.init(try ClassicProgram(form.read(bytes).instructions))
    }

    /// The classic program in a form; a savefile says, too, what the program was compiled from.
    ///
    /// - Throws: ``WritingError`` where a savefile cannot hold that many instructions or so long an expression.
    public func written(as form: ClassicForm) throws(WritingError) -> [UInt8] {
        guard form == .savefile else { return try form.write(classic.instructions) }
        return try savefile.bytes()
    }

    private var savefile: Savefile {
        var file = Savefile(instructions: classic.instructions)
        guard let compiler, let expression, let type = UInt16(exactly: compiler.linkType.rawValue) else { return file }
        file.linkType = type
        file.linkTypeName = compiler.linkType.name
        file.snapshotLength = compiler.snapshotLength
        if expression.utf8.allSatisfy({ $0 < 0x80 }) { file.filter = expression }
        file.isOptimizationRequested = compiler.optimizes
        file.netmask = compiler.netmask
        return file
    }
}

extension ClassicForm {
    /// What is wrong with the program in `bytes`, by the rules of the kernel and of libpcap, or with the bytes.
    ///
    /// - Parameter form: The form; where it is nil, it is guessed.
    public static func check(_ bytes: [UInt8], form: ClassicForm? = nil) -> CheckDocument {
        do throws(AssemblyError) {
            if let form { return check(bytes, as: form) }
            return check(bytes, as: try guess(bytes))
        } catch {
            return CheckDocument(AssemblyErrors(error), form: nil)
        }
    }

    private static func check(_ bytes: [UInt8], as form: ClassicForm) -> CheckDocument {
        do throws(AssemblyErrors) {
            return CheckDocument(try form.read(bytes), form: form)
        } catch {
            return CheckDocument(error, form: form)
        }
    }
}
