import PacketFilter
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

    /// Writes `bytes` to the file at `path`, or where results go for `-` and nil.
    func write(_ bytes: [UInt8], to path: String?) throws(ToolError) {
        guard let path, path != "-" else { return try write(bytes) }
        do {
            try writeFile(bytes, to: FilePath(path))
        } catch {
            throw ToolError("\(error)")
        }
    }

    /// The most bytes of input that are read, far more than any filter needs; a device such as `/dev/zero` never ends.
    static let maximumInputSize = 16 << 20

    /// The bytes of the file at `path`, or of the input stream for `-`.
    func read(_ path: String) throws(ToolError) -> [UInt8] {
        let name = path == "-" ? "standard input" : path
        let bytes: [UInt8]
        do {
            if path == "-" {
                bytes = try input.read(atMost: Self.maximumInputSize + 1)
            } else {
                let file = try FileDescriptor.open(FilePath(path), .readOnly)
                bytes = try file.closeAfter { try file.read(atMost: Self.maximumInputSize + 1) }
            }
        } catch {
            throw ToolError("cannot read \(name): \(error)")
        }
        guard bytes.count <= Self.maximumInputSize else {
            throw ToolError("cannot read \(name): it has more than \(Self.maximumInputSize) bytes")
        }
        return bytes
    }
}

/// Something about the input that keeps the tool from doing its work; the message says what.
struct ToolError: Error, CustomStringConvertible {
    var description: String

    /// The message is one line: control characters of names and of input that it quotes are shown escaped.
    init(_ description: String) {
        self.description = Self.escaped(description)
    }

    /// A line for each of several errors.
    init(_ errors: AssemblyErrors) {
        let lines = errors.errors.map(\.description) + (errors.hasMore ? ["there are more errors"] : [])
        description = lines.map(Self.escaped).joined(separator: "\ncbpf2ebpf: ")
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { text, scalar in
            let isControl = scalar.properties.generalCategory == .control
            text += isControl ? scalar.escaped(asASCII: true) : String(scalar)
        }
    }
}

/// Errors of the library become the tool's: the input was refused.
func refusing<Value>(_ work: () throws -> Value) throws -> Value {
    do {
        return try work()
    } catch let error as Defect {
        throw error
    } catch let error as ToolError {
        throw error
    } catch let error as AssemblyErrors {
        throw ToolError(error)
    } catch {
        throw ToolError("\(error)")
    }
}

extension FileDescriptor {
    /// The bytes up to the end or, where there are more, the first `limit`.
    fileprivate func read(atMost limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let chunk = try [UInt8](unsafeUninitializedCapacity: min(65536, limit - bytes.count)) { buffer, count in
                count = try read(into: UnsafeMutableRawBufferPointer(buffer))
            }
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return bytes
    }
}
