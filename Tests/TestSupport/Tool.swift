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
    // Files instead of pipes: no reader has to keep pace with the program.
    try scratch.file("stdin", containing: input)
    let environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let status = try spawn(
        ["/usr/bin/env", tool] + arguments, environment: environment.map { "\($0)=\($1)" },
        streams: [
            (scratch.path("stdin"), O_RDONLY), (scratch.path("stdout"), O_WRONLY | O_CREAT | O_TRUNC),
            (scratch.path("stderr"), O_WRONLY | O_CREAT | O_TRUNC),
        ])
    return ToolResult(
        status: status, output: try [UInt8](Data(contentsOf: scratch.url("stdout"))),
        errors: try String(decoding: Data(contentsOf: scratch.url("stderr")), as: UTF8.self))
}

/// Runs a program on the calling thread with files as its standard streams, and returns its status as in ``ToolResult``.
///
/// Foundation's `Process` waits with a run loop, which on Linux now and then misses the end of a program when several
/// threads wait at once.
private func spawn(_ command: [String], environment: [String], streams: [(path: String, flags: Int32)]) throws -> Int32
{
    #if os(Linux)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
    #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
    }
    for (number, stream) in streams.enumerated() {
        posix_spawn_file_actions_addopen(&actions, Int32(number), stream.path, stream.flags, 0o600)
    }
    // The threads that tests run on block signals, which the program must not inherit.
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

    let argv = command.map { strdup($0) } + [nil]
    let envp = environment.map { strdup($0) } + [nil]
    defer { for text in argv + envp { free(text) } }
    var pid = pid_t()
    let failure = posix_spawn(&pid, command[0], &actions, &attributes, argv, envp)
    guard failure == 0 else { throw POSIXError(POSIXErrorCode(rawValue: failure) ?? .EINVAL) }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
        guard errno == EINTR else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL) }
    }
    let signal = status & 0x7f
    return signal == 0 ? status >> 8 & 0xff : -signal
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
