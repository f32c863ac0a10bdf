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
        /// Root may read and write everything, so somebody else runs the tool.
        @Test(.enabled(if: Requirement.root.allowsRunning, "needs root")) func whatIsNotAllowedIsSaid() throws {
            let folder = try TemporaryFolder()
            try folder.file("filter", containing: Array("1\n6 0 0 1\n".utf8))
            let result = try run(
                "sh",
                [
                    "-c",
                    """
                    cd "$1" && cp "$0" tool && chmod 600 filter
                    nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
                    $nobody ./tool --input filter; echo $?; $nobody ./tool -o out ip; echo $?
                    """, builtTool, folder.path(""),
                ])
            #expect(result.text == "1\n1\n")
            #expect(
                result.errors == """
                    cbpf2ebpf: cannot read filter: Permission denied
                    cbpf2ebpf: cannot write out: Permission denied

                    """)
        }

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
            let result = try run("script", ["-qec", "'\(builtTool)' -O0 --emit asm ip", "/dev/null"])
            #expect(result.status == 0)
            #expect(result.text.contains("r0 = *(u16 *)skb[12]"))
        }
    #endif
}
