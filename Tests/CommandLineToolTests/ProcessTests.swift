import Foundation
import TestSupport
import Testing

/// What only a process of its own can show.
@Suite struct ProcessTests {
    private func shell(_ script: String) throws -> ToolResult {
        try run("sh", ["-c", script, builtTool])
    }

    @Test func closedStandardOutputIsAnError() throws {
        let result = try shell("\"$0\" ip >&-")
        #expect(result.status == 1)
        #expect(result.errors == "cbpf2ebpf: cannot write to standard output: Bad file descriptor\n")
    }

    /// The reader is gone before the tool writes; the status is the tool's own, kept in a file.
    @Test func aReaderThatStopsReadingIsAnError() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.path("fifo")
        let result = try shell(
            """
            mkfifo '\(fifo)'
            exec 3<>'\(fifo)' 4>'\(fifo)' 3<&-
            "$0" ip >&4
            """)
        #expect(result.status == 1)
        #expect(result.errors == "cbpf2ebpf: cannot write to standard output: Broken pipe\n")
    }

    /// The system's limit on the size of files ends a process that does not ask for an error instead.
    @Test func aFileThatMayNotGrowIsAnErrorAndLeavesNothing() throws {
        let folder = try TemporaryFolder()
        let file = folder.path("prog.o")
        // A failed write removes the file behind a link too, the link stays.
        let link = folder.path("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        for path in [file, link] {
            let result = try shell("ulimit -f 1; \"$0\" -o '\(path)' --emit json 'tcp port 80'")
            #expect(result.status == 1)
            #expect(result.errors == "cbpf2ebpf: cannot write \(path): File too large\n")
            #expect(!FileManager.default.fileExists(atPath: file))
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == file)
    }

    #if os(Linux)
        @Test(
            .enabled(if: Requirement.tool("script").allowsRunning, "needs script, of bsdutils"),
            arguments: ["", "--emit raw"])
        func bytesAreNotWrittenToATerminal(options: String) throws {
            let result = try run("script", ["-qec", "'\(builtTool)' \(options) ip", "/dev/null"])
            #expect(result.status == 64)
            #expect(result.text.contains("Standard output is a terminal"))
            #expect(result.text.contains("-o") && result.text.contains("--emit asm"))
            #expect(!result.output.contains(0x7f))
        }

        @Test(.enabled(if: Requirement.tool("script").allowsRunning, "needs script, of bsdutils"))
        func textIsWrittenToATerminal() throws {
            let result = try run("script", ["-qec", "'\(builtTool)' --emit asm ip", "/dev/null"])
            #expect(result.status == 0)
            #expect(result.text.contains("r0 = *(u16 *)skb[12]"))
        }
    #endif
}
