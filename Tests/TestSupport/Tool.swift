import Foundation

/// What a program that the tests ran has left.
public struct ToolResult: Sendable {
    /// The exit code, or the negative number of the signal that ended it.
    public var status: Int32
    /// The bytes of standard output.
    public var output: [UInt8]
    /// Standard error as text.
    public var errors: String

    /// Standard output as text.
    public var text: String { String(decoding: output, as: UTF8.self) }
}

/// Runs `tool`, looked up in the search path, and waits for its end.
///
/// The program inherits the network namespace of the calling thread.
/// - Throws: If the tool cannot be started.
@discardableResult
public func run(
    _ tool: String, _ arguments: [String] = [], input: [UInt8] = [], environment: [String: String] = [:]
) throws -> ToolResult {
    let scratch = try TemporaryFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [tool] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    // Files instead of pipes: no reader has to keep pace with the program.
    process.standardInput = try FileHandle(forReadingFrom: scratch.file("stdin", containing: input))
    process.standardOutput = try FileHandle(forWritingTo: scratch.file("stdout", containing: []))
    process.standardError = try FileHandle(forWritingTo: scratch.file("stderr", containing: []))
    try process.run()
    process.waitUntilExit()
    return ToolResult(
        status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
        output: try [UInt8](Data(contentsOf: scratch.url("stdout"))),
        errors: try String(decoding: Data(contentsOf: scratch.url("stderr")), as: UTF8.self))
}

/// A folder that is removed, with all in it, when the last reference goes.
public final class TemporaryFolder: Sendable {
    /// The folder.
    public let url: URL

    /// Makes an empty folder.
    public init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "cbpf2ebpf-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    /// The place of the file `name`.
    public func url(_ name: String) -> URL { url.appending(path: name) }

    /// The path of the file `name`.
    public func path(_ name: String) -> String { url(name).path(percentEncoded: false) }

    /// Writes the file `name`.
    @discardableResult
    public func file(_ name: String, containing bytes: [UInt8]) throws -> URL {
        try Data(bytes).write(to: url(name))
        return url(name)
    }
}
