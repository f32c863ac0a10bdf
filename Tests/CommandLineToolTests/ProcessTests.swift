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
