import BPFAssembly
import ClassicBPF
import ExtendedBPF

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// What libFuzzer calls. `run.sh` builds it with the parsers; the environment variable FORM names the language.

/// The language, by the name of its grammar.
private let form = String(cString: getenv("FORM"))
private let classicForm = ClassicForm(rawValue: form)

/// Reads the bytes and traps where a promise of the parsers or printers is broken.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    do throws(AssemblyErrors) {
        switch classicForm {
        case .savefile?:
            let file = try Savefile(bytes)
            // What is read can be written, and is the same when it is read again.
            precondition(try! Savefile(file.bytes()) == file)
        case let form?:
            let instructions = try form.read(bytes).instructions
            guard let text = try? form.write(instructions) else { break }
            precondition(try! form.read(text).instructions == instructions)
        case nil:
            precondition(form == "ebpf-asm", "FORM names a language")
            let source = try ExtendedText.read(bytes)
            let program = Program(
                functions: [Function(name: "f", instructions: source.instructions, references: source.references)])
            let again = try! ExtendedText.read(Array(ExtendedListing.text(program).utf8))
            precondition(again.instructions == source.instructions && again.references == source.references)
            _ = try source.program()
        }
    } catch {
        check(error, in: bytes)
    }
    _ = try? ClassicForm.guess(bytes)
    return 0
}

/// Every error has a place inside the text, and a message of one line.
private func check(_ errors: AssemblyErrors, in bytes: [UInt8]) {
    precondition(1...AssemblyErrors.limit ~= errors.errors.count)
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for error in errors.errors {
        let length = error.line == 0 ? bytes.count : lines[error.line - 1].count
        precondition(1...length + 1 ~= error.column, "\(error)")
        precondition(!error.description.utf8.contains(UInt8(ascii: "\n")))
    }
}
