import ArgumentParser
import PacketFilter

extension ClassicForm {
    /// The names of the forms, as help shows them.
    static var nameList: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension Console {
    /// Writes a classic program in `form`; a terminal cannot show all of them.
    func write(_ bytes: [UInt8], in form: ClassicForm, to path: String?) throws {
        if !form.isText, path == nil || path == "-", outputIsTerminal {
            throw ValidationError(
                "Standard output is a terminal, which cannot show \(form.rawValue): name a file with -o.")
        }
        try write(bytes, to: path)
    }
}
