import BPFObject
import ExtendedBPF
import Foundation
import TestSupport

// The objects that the tests hand to other tools.

/// `ip` as an expression, one function.
func ipObject(section: String = "socket", _ order: ByteOrder = .host) throws -> Object {
    var code = Assembler(functionNamed: "ip_filter")
    let no = code.makeLabel()
    code.mark(line: 1)
    code.append(.move64(.r6, .r1))
    code.mark(line: 2)
    code.append(.loadPacket(.halfword, at: 12))
    code.mark(line: 3)
    code.append(.jump64(if: .r0, .notEqual, 0x800, 0), to: no)
    code.mark(line: 4)
    code.append(.move32(.r0, 262144))
    code.append(.exit)
    code.place(no)
    code.mark(line: 5)
    code.append(.move32(.r0, 0))
    code.append(.exit)
    let source = SourceText(
        fileName: "ip.pcap", lines: ["ip", "ldh [12]", "jeq #0x800, 2, 3", "ret #262144", "ret #0"])
    return Object(
        program: Program(functions: [try code.finish()]), section: section, source: source, contextType: "__sk_buff",
        byteOrder: order)
}

/// Drops IP and ARP at tc: the entry calls a function with packet loads, which calls a third one.
///
/// Wide instructions make slots differ from instructions; the callee of the entry is not the first of `.text`.
func droppingProgram() throws -> Program {
    var entry = Assembler(functionNamed: "drop_ip_arp")
    let pass = entry.makeLabel()
    entry.append(.loadWide(.r7, 0x1_0000_0002))
    entry.append(.call(localAt: -1), .function("is_ip_or_arp"))
    entry.append(.jump64(if: .r0, .equal, 0, 0), to: pass)
    entry.mark(line: 3)
    entry.append(.move32(.r0, .r7))  // TC_ACT_SHOT
    entry.append(.exit)
    entry.place(pass)
    entry.append(.move32(.r0, 0))  // TC_ACT_OK
    entry.append(.exit)

    var arp = Assembler(functionNamed: "is_arp")
    let other = arp.makeLabel()
    arp.append(.loadWide(.r8, 0x806))
    arp.append(.move64(.r6, .r1))
    arp.mark(line: 2)
    arp.append(.loadPacket(.halfword, at: 12))
    arp.append(.jump64(if: .r0, .notEqual, .r8, 0), to: other)
    arp.append(.move32(.r0, 1))
    arp.append(.exit)
    arp.place(other)
    arp.append(.move32(.r0, 0))
    arp.append(.exit)

    var either = Assembler(functionNamed: "is_ip_or_arp")
    let notIP = either.makeLabel()
    either.append(.move64(.r6, .r1))
    either.mark(line: 2)
    either.append(.loadPacket(.halfword, at: 12))
    either.append(.jump64(if: .r0, .notEqual, 0x800, 0), to: notIP)
    either.append(.move32(.r0, 1))
    either.append(.exit)
    either.place(notIP)
    either.append(.move64(.r1, .r6))
    either.append(.call(localAt: -1), .function("is_arp"))
    either.append(.exit)
    return Program(functions: [try entry.finish(), try arp.finish(), try either.finish()])
}

let droppingSource = SourceText(fileName: "drop.pcap", lines: ["ip or arp", "ldh [12]", "ret #2"])

/// ``droppingProgram()`` as an object.
func droppingObject(_ order: ByteOrder = .host) throws -> Object {
    Object(
        program: try droppingProgram(), section: "classifier", source: droppingSource, contextType: "__sk_buff",
        byteOrder: order)
}

/// A program that returns 1, of any type whose context is `contextType`.
func constantObject(section: String, contextType: String = "__sk_buff") -> Object {
    let function = Function(name: "constant", instructions: [.move64(.r0, 1), .exit])
    return Object(program: Program(functions: [function]), section: section, contextType: contextType)
}

/// A fresh folder with `X.o` in it.
struct ObjectFolder {
    let folder: TemporaryFolder
    var path: String { folder.path("X.o") }

    init(_ object: Object) throws {
        folder = try TemporaryFolder()
        try folder.file("X.o", containing: object.bytes())
    }

    /// The bytes of a section, cut out by LLVM.
    func section(_ name: String) throws -> [UInt8] {
        let result = try run(
            llvm("llvm-objcopy"), ["--dump-section", "\(name)=\(folder.path("section"))", path, folder.path("copy.o")])
        guard result.status == 0 else { throw ToolFailure(text: result.errors) }
        return try [UInt8](Data(contentsOf: folder.url("section")))
    }
}

/// Runs `script` with `$1` the object, in a mount namespace of its own with a BPF file system that goes with it.
///
/// `$pin` is a place for the program, `run` runs it once on a frame of the bytes given as `printf` takes them and prints
/// what it returned.
func withPins(_ file: ObjectFolder, _ script: String) throws -> String {
    try withPins(file.path, script)
}

/// As the other one, for any file.
func withPins(_ path: String, _ script: String) throws -> String {
    let result = try runWithPins(path, script)
    guard result.status == 0 else { throw ToolFailure(text: "\(result.status)\n\(result.text)\n\(result.errors)") }
    return result.text
}

/// As the others, where the script may fail.
func runWithPins(_ path: String, _ script: String) throws -> ToolResult {
    let prelude = """
        mount -t bpf bpf /sys/fs/bpf
        pin=/sys/fs/bpf/program
        run() {
            frame=$(mktemp)
            { printf "$1"; head -c 50 /dev/zero; } > $frame
            bpftool prog run pinned $pin data_in $frame repeat 1 |
                sed -n 's/^Return value: \\([0-9]*\\).*/returned \\1/p'
            rm $frame
        }

        """
    return try TestSupport.run("unshare", ["-m", "sh", "-ec", prelude + script, "sh", path])
}

/// What a tool said when it should have worked.
struct ToolFailure: Error {
    var text: String
}

/// The path of a C file of the corpus.
func corpusC(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpus/c/\(name)").path(percentEncoded: false)
}

/// Runs `tool` and returns what it printed.
///
/// - Throws: ``ToolFailure`` if it does not end with 0.
func output(_ tool: String, _ arguments: [String]) throws -> String {
    let result = try run(tool, arguments)
    guard result.status == 0 else {
        throw ToolFailure(text: "\(tool) \(arguments): \(result.status)\n\(result.text)\n\(result.errors)")
    }
    return result.text
}

/// The text's lines, blanks in each reduced to one.
func fields(_ text: String) -> [String] {
    text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
}
