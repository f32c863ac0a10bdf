import ArgumentParser
import PacketFilter

/// What is written, and where to.
struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("What to write. (default: object)", valueName: "form"))
    var emit: Form?

    @Option(name: .customShort("o", allowingJoined: true), help: ArgumentHelp("Write to a file.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("The program's name, a C identifier.", valueName: "name"))
    var programName: String = "filter"

    @Option(help: ArgumentHelp("The license the object states.", valueName: "text"))
    var license: String = PacketFilter.defaultLicense

    @Option(help: ArgumentHelp("The order of bytes.", valueName: "order"))
    var endian: Endianness = .host

    /// What can be written.
    enum Form: String, ExpressibleByArgument, CaseIterable {
        case object
        case asm
        case raw
        case json
        case classic

        /// Whether a terminal can show it.
        var isText: Bool { self != .object && self != .raw }
    }

    /// The byte orders by the names of the command line.
    enum Endianness: String, ExpressibleByArgument, CaseIterable {
        case little
        case big
        case host

        var byteOrder: ByteOrder {
            switch self {
            case .little: .little
            case .big: .big
            case .host: .host
            }
        }
    }

    func validate() throws {
        guard PacketFilter.isProgramName(programName) else {
            throw ValidationError("The program name '\(programName)' is no C identifier.")
        }
        guard !license.utf8.contains(0) else {
            throw ValidationError("The license has a NUL byte in it.")
        }
    }

    /// Writes `bytes`, which are of the form `form`, where the options say.
    func write(_ bytes: [UInt8], _ form: Form, on console: Console) throws {
        if let output, output != "-" { return try writeFile(bytes, to: output) }
        try console.write(bytes)
    }

    /// Refuses to fill a terminal with what it cannot show.
    func checkTerminal(_ form: Form, on console: Console) throws {
        guard !form.isText, output == nil, console.outputIsTerminal else { return }
        throw ValidationError(
            "Standard output is a terminal, which cannot show \(form == .object ? "an object" : "raw bytes"): "
                + "name a file with -o, or use --emit asm.")
    }
}
