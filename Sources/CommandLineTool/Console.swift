import SystemPackage

/// The three streams of the tool, so that tests can put files in their place.
public struct Console: Sendable {
    /// Where input named `-` comes from.
    public var input: FileDescriptor
    /// Where results go.
    public var output: FileDescriptor
    /// Where messages go.
    public var errors: FileDescriptor

    /// Makes a console of three open descriptors.
    public init(input: FileDescriptor, output: FileDescriptor, errors: FileDescriptor) {
        self.input = input
        self.output = output
        self.errors = errors
    }

    /// The streams of the process.
    public static let standard = Console(input: .standardInput, output: .standardOutput, errors: .standardError)

    /// Whether results go to a person's terminal.
    var outputIsTerminal: Bool { isTerminal(output) }

    /// Writes `text` where messages go. A message that cannot be written has nowhere else to go.
    func report(_ text: String) {
        _ = try? errors.writeAll(text.utf8)
    }

    /// Writes `bytes` where results go.
    func write(_ bytes: [UInt8]) throws(ToolError) {
        do {
            try output.writeAll(bytes)
        } catch {
            throw ToolError("cannot write to standard output: \(error)")
        }
    }

    /// The bytes of the file at `path`, or of the input stream for `-`.
    func read(_ path: String) throws(ToolError) -> [UInt8] {
        do {
            if path == "-" { return try input.readToEnd() }
            let file = try FileDescriptor.open(FilePath(path), .readOnly)
            return try file.closeAfter { try file.readToEnd() }
        } catch {
            throw ToolError("cannot read \(path == "-" ? "standard input" : path): \(error)")
        }
    }
}

/// Something about the input that keeps the tool from doing its work; the message says what.
struct ToolError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

extension FileDescriptor {
    fileprivate func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let chunk = try [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
                count = try read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if chunk.isEmpty { return bytes }
            bytes += chunk
        }
    }
}
