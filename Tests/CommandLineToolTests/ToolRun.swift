import CommandLineTool
import Foundation
import SystemPackage
import TestSupport

/// What one run of the tool, inside the test's process, has left.
struct ToolRun {
    var status: Int32
    var output: [UInt8]
    var errors: String

    var text: String { String(decoding: output, as: UTF8.self) }

    /// Runs the tool with `arguments` and `input` as its standard input.
    init(_ arguments: [String], input: [UInt8] = []) throws {
        let folder = try TemporaryFolder()
        try folder.file("input", containing: input)
        let streams = try [
            FileDescriptor.open(FilePath(folder.path("input")), .readOnly),
            Self.create(folder.path("output")), Self.create(folder.path("errors")),
        ]
        status = CommandLineTool.run(
            arguments, on: Console(input: streams[0], output: streams[1], errors: streams[2]))
        for stream in streams { try stream.close() }
        output = try [UInt8](Data(contentsOf: folder.url("output")))
        errors = try String(contentsOf: folder.url("errors"), encoding: .utf8)
    }

    private static func create(_ path: String) throws -> FileDescriptor {
        try .open(FilePath(path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
    }
}

/// The built tool, beside the test bundle, for what only a process can show.
let builtTool: String = {
    #if os(Linux)
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    #else
        let folder = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL
            .deletingLastPathComponent()
    #endif
    return folder.appending(path: "cbpf2ebpf").path(percentEncoded: false)
}()
