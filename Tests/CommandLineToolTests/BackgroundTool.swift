#if os(Linux)
    import Foundation
    import Glibc
    import TestSupport

    /// A run of the tool beside the test, in a process of its own.
    final class BackgroundTool {
        private let folder: TemporaryFolder
        let process: pid_t

        /// Starts the tool and waits until it says that its program is attached.
        ///
        /// - Throws: ``Failure`` with what it says where it ends before.
        init(_ arguments: [String]) throws {
            folder = try TemporaryFolder()
            let script = """
                cd "$1"; shift
                (env --default-signal=INT,TERM,HUP,QUIT "$@" >out 2>err & echo $! >pid; wait $!; echo $? >status.new
                mv status.new status) </dev/null >/dev/null 2>&1 &
                until [ -e status ] || grep -qs Ctrl-C err; do sleep 0.02; done
                cat pid
                """
            let started = try run("sh", ["-c", script, "sh", folder.path(""), builtTool] + arguments)
            process = try started.text.split(separator: "\n").first.flatMap { pid_t($0) }.orThrow(
                Failure(text: started.errors))
            if FileManager.default.fileExists(atPath: folder.path("status")) { throw Failure(text: messages) }
        }

        deinit { if !hasEnded { kill(process, SIGKILL) } }

        struct Failure: Error { var text: String }

        private var hasEnded: Bool { FileManager.default.fileExists(atPath: folder.path("status")) }

        /// What it has written to standard error.
        var messages: String { (try? String(contentsOfFile: folder.path("err"), encoding: .utf8)) ?? "" }

        /// What it has written to standard output.
        var output: String { (try? String(contentsOfFile: folder.path("out"), encoding: .utf8)) ?? "" }

        /// The number of its program, as it says it.
        var program: String {
            messages.firstMatch(of: /^program (\d+)/).map { String($0.1) } ?? "none"
        }

        func signal(_ number: CInt) { kill(process, number) }

        /// The status it has ended with, or nil if it has not for 10 seconds.
        func status() throws -> Int? {
            for _ in 0..<1000 where !hasEnded { usleep(10_000) }
            guard hasEnded else { return nil }
            return Int(
                try String(contentsOfFile: folder.path("status"), encoding: .utf8).trimmingCharacters(in: .newlines))
        }
    }

    extension Optional {
        fileprivate func orThrow(_ error: some Error) throws -> Wrapped {
            guard let self else { throw error }
            return self
        }
    }
#endif
