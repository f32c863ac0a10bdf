import BPFInterpreter
import ClassicBPF
import ExtendedBPF
import Foundation
import TestSupport

/// The running kernel as a judge, asked through the C programs in `Tests/Corpus/c`.
enum KernelRunner {
    /// Whether there is one to ask: programs are loaded and network namespaces made, which only root can.
    static var isAvailable: Bool { Requirement.root.allowsRunning && Requirement.tool("gcc").allowsRunning }

    private static let classicTool = Result { try CompiledTool("run-classic") }
    private static let extendedTool = Result { try CompiledTool("run-ebpf") }

    /// Where a classic filter is attached.
    enum Socket: String { case unix, packet, udp }

    /// A classic program and the packet it is to see.
    struct ClassicCase {
        var instructions: [ClassicBPF.Instruction]
        var packet: [UInt8]
        var mark: UInt32 = 0
    }

    /// How many bytes of the packet each filter let through; negative if it could not be attached.
    static func run(_ cases: [ClassicCase], on socket: Socket) throws -> [Int32] {
        let records = cases.flatMap { test in
            words([UInt32(test.instructions.count), UInt32(test.packet.count), test.mark])
                + test.instructions.flatMap { $0.bytes(.host) } + test.packet
        }
        return try classicTool.get().run([socket.rawValue], records, answering: cases.count, Int32.self)
    }

    /// The kinds of eBPF program that a test run knows, by the kernel's numbers.
    enum ProgramType: UInt32 { case socketFilter = 1, schedClassifier = 3 }

    /// An eBPF program and the Ethernet frame it is to see; a socket filter sees it from byte 14 on.
    struct ExtendedCase {
        var program: ExtendedBPF.Program
        var type: ProgramType
        var frame: [UInt8]
        /// `struct __sk_buff`, or nothing.
        var context: [UInt8] = []

        init(_ program: ExtendedBPF.Program, as type: ProgramType = .socketFilter, frame: [UInt8]) {
            self.type = type
            self.program = program
            self.frame = frame
        }
    }

    struct Answer: Equatable {
        var error: Int32 = 0
        var result: UInt32
    }

    /// What each program returns.
    static func run(_ cases: [ExtendedCase]) throws -> [Answer] {
        let records = cases.flatMap { test in
            let slots = test.program.linked().instructions.flatMap { $0.bytes(.host) }
            return words([test.type.rawValue, UInt32(slots.count / 8), UInt32(test.frame.count)])
                + words([UInt32(test.context.count)]) + slots + test.frame + test.context
        }
        return try extendedTool.get().run([], records, answering: cases.count, Answer.self)
    }

    private static func words(_ numbers: [UInt32]) -> [UInt8] {
        numbers.flatMap { withUnsafeBytes(of: $0) { Array($0) } }
    }
}

/// A C program of the corpus, compiled for this run of the tests.
private final class CompiledTool: Sendable {
    private let folder: TemporaryFolder
    private let path: String

    init(_ name: String) throws {
        folder = try TemporaryFolder()
        path = folder.path(name)
        let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../Corpus/c")
        let source = corpus.appending(path: "\(name).c").path(percentEncoded: false)
        let result = try TestSupport.run("gcc", ["-O1", "-o", path, source])
        if result.status != 0 { throw ToolFailure(what: result.errors) }
    }

    func run<Answer>(
        _ arguments: [String], _ input: [UInt8], answering count: Int, _: Answer.Type
    ) throws -> [Answer] {
        let result = try TestSupport.run(path, arguments, input: input)
        guard result.status == 0, result.output.count == count * MemoryLayout<Answer>.size else {
            throw ToolFailure(what: "status \(result.status), \(result.output.count) bytes: \(result.errors)")
        }
        if !result.errors.isEmpty { print(result.errors) }
        return result.output.withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Answer>.size, as: Answer.self) }
        }
    }
}

struct ToolFailure: Error { var what: String }
