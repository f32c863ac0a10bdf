import BPFAssembly
import BPFObject
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
    do {
        switch form {
        case "pcap-filter": try readExpression(bytes)
        case "object": try readObject(bytes)
        case "ebpf-asm": try readExtendedText(bytes)
        default: try readClassicForm(bytes)
        }
    } catch let error as AssemblyErrors {
        check(error.errors, in: bytes)
    } catch let error as AssemblyError {
        check([error], in: bytes)
    } catch {
        precondition(error is ELFError, "\(error)")
        checkMessage(error)
    }
    return 0
}

/// What is read can be written, and is the same when it is read again.
private func readClassicForm(_ bytes: [UInt8]) throws {
    _ = try? ClassicForm.guess(bytes)
    guard let classicForm else { preconditionFailure("FORM names a language") }
    if classicForm == .savefile {
        let file = try Savefile(bytes)
        precondition(try! Savefile(file.bytes()) == file)
        return
    }
    let instructions = try classicForm.read(bytes).instructions
    guard let text = try? classicForm.write(instructions) else { return }
    precondition(try! classicForm.read(text).instructions == instructions)
}

private func readExtendedText(_ bytes: [UInt8]) throws {
    let source = try ExtendedText.read(bytes)
    let program = Program(
        functions: [Function(name: "f", instructions: source.instructions, references: source.references)])
    let text = DeclarationListing.text(source.maps, source.tables) + ExtendedListing.text(program)
    let again = try! ExtendedText.read(Array(text.utf8))
    precondition(again.instructions == source.instructions && again.references == source.references)
    precondition(again.maps == source.maps && again.tables == source.tables)
    _ = try source.program()
}

/// Hints and errors stand inside the text, and there are errors where it is refused.
private func readExpression(_ bytes: [UInt8]) throws {
    let errors = FilterExpression.errors(in: bytes)?.errors
    if let errors { check(errors, in: bytes) }
    precondition((try? FilterExpression(bytes)) != nil ? errors == nil : errors != nil)
    let expression = try FilterExpression(bytes)
    precondition(try! FilterExpression(expression.printed) == expression)
    for layer in [FilterExpression.LinkLayer.header, .ip] {
        for hint in expression.hints(for: layer) { precondition(0...bytes.count ~= hint.range.upperBound, "\(hint)") }
    }
}

/// An ELF object: its programs, lines, types, and all of it as text.
private func readObject(_ bytes: [UInt8]) throws {
    let reader = try ObjectReader(bytes)
    for entry in reader.entries {
        var program = try reader.withLines(entry).program
        // What other sections have is no function of the program; `disasm` tells of it beside the instruction.
        let names = Set(program.functions.map(\.name))
        for index in program.functions.indices {
            program.functions[index].references = program.functions[index].references.filter { _, reference in
                if case .function(let name) = reference { names.contains(name) } else { true }
            }
        }
        _ = ExtendedListing.text(program)
        _ = LLVMListing.text(program)
    }
    _ = try ObjectNotes(bytes)
    _ = DeclarationListing.text(reader.maps, reader.tables)
}

/// Every error has a place inside the text, and a message of one line.
private func check(_ errors: [AssemblyError], in bytes: [UInt8]) {
    precondition(1...AssemblyErrors.limit ~= errors.count)
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for error in errors {
        let length = error.line == 0 ? bytes.count : lines[error.line - 1].count
        precondition(1...length + 1 ~= error.column, "\(error)")
        checkMessage(error)
    }
}

private func checkMessage(_ error: any Error) {
    precondition(!"\(error)".utf8.contains(UInt8(ascii: "\n")))
}
